import { Fifo } from '../../asyncrpc/fifo.ts';
import type { Logger } from '../../log.ts';
import type { Equivalence, HashStore } from '../store.ts';

/** Stores what the upstream knew, in the background and in batches. */
export interface Backfill {
  /** Queues rows to be stored; rows that do not fit are dropped and counted. */
  add(rows: readonly Equivalence[]): void;
  /** Goes on storing for at most this long; then takes no more rows and gives up those that are left. */
  close(graceMs: number): Promise<void>;
  /** Resolves, with the number of rows queued now, once they have been dealt with. */
  wait(): Promise<number>;
  figures(): { backfill_queued: number; backfill_stored: number; backfill_dropped: number };
}

const MAX_QUEUED_ROWS = 100_000;
const BATCH_ROWS = 1000;

/**
 * A hit that is not stored is just asked for again: nobody waits for the backfill, and nothing depends on it.
 * @param maxRows how many may wait to be stored
 */
export function createBackfill(
  store: Pick<HashStore, 'reportEquivalent'>,
  log: Logger,
  maxRows = MAX_QUEUED_ROWS,
): Backfill {
  const waiting = new Fifo<Equivalence>();
  /** Resolves when nothing waits any more; null when nothing does. */
  let storing: Promise<void> | null = null;
  /** Including the batch that is being stored. */
  let queued = 0;
  let stored = 0;
  let dropped = 0;
  let warned = false;
  let closed = false;

  async function storeAll(): Promise<void> {
    while (!waiting.isEmpty) await storeBatch(waiting.takeMany(BATCH_ROWS));
    storing = null;
  }

  async function storeBatch(batch: readonly Equivalence[]): Promise<void> {
    try {
      await store.reportEquivalent(batch);
      stored += batch.length;
    } catch (error) {
      dropped += batch.length;
      // What is given up at the end has been logged already.
      if (!closed) log.warn('backfill: rows from the upstream could not be stored', { rows: batch.length, error });
    } finally {
      queued -= batch.length;
    }
  }

  return {
    add(rows) {
      if (closed) return;
      const taken = rows.slice(0, Math.max(0, maxRows - queued));
      waiting.pushAll(taken);
      queued += taken.length;
      if (!waiting.isEmpty) storing ??= storeAll();
      if (taken.length === rows.length) return;
      dropped += rows.length - taken.length;
      if (!warned) log.warn('backfill: the queue is full, hits are answered but not kept', { rows: maxRows });
      warned = true;
    },
    async close(graceMs) {
      let timer: NodeJS.Timeout | undefined;
      const graceOver = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, graceMs);
      });
      await Promise.race([storing, graceOver]);
      clearTimeout(timer);
      closed = true;
      waiting.clear();
      if (queued > 0) {
        log.warn('backfill: the server stops before all rows from the upstream were stored; they will be asked again', {
          rows: queued,
        });
      }
    },
    async wait() {
      const before = queued;
      await storing;
      return before;
    },
    figures: () => ({ backfill_queued: queued, backfill_stored: stored, backfill_dropped: dropped }),
  };
}
