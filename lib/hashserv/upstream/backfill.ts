import { Fifo } from '../../asyncrpc/fifo.ts';
import type { Logger } from '../../log.ts';
import { BackfillFigures } from '../../meter/service-figures.ts';
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
 * @param figures counts what becomes of rows
 * @param maxRows how many may wait to be stored
 */
export function createBackfill(
  store: Pick<HashStore, 'reportEquivalent'>,
  log: Logger,
  figures = new BackfillFigures(),
  maxRows = MAX_QUEUED_ROWS,
): Backfill {
  const waiting = new Fifo<Equivalence>();
  /** Resolves when nothing waits any more; null when nothing does. */
  let storing: Promise<void> | null = null;
  let warned = false;
  let closed = false;

  async function storeAll(): Promise<void> {
    while (!waiting.isEmpty) await storeBatch(waiting.takeMany(BATCH_ROWS));
    storing = null;
  }

  async function storeBatch(batch: readonly Equivalence[]): Promise<void> {
    try {
      await store.reportEquivalent(batch);
      figures.stored += batch.length;
    } catch (error) {
      figures.dropped += batch.length;
      // What is given up at the end has been logged already.
      if (!closed) log.warn('backfill: rows from the upstream could not be stored', { rows: batch.length, error });
    } finally {
      figures.queued -= batch.length;
    }
  }

  return {
    add(rows) {
      if (closed) return;
      const taken = rows.slice(0, Math.max(0, maxRows - figures.queued));
      waiting.pushAll(taken);
      figures.queued += taken.length;
      if (!waiting.isEmpty) storing ??= storeAll();
      if (taken.length === rows.length) return;
      figures.dropped += rows.length - taken.length;
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
      if (figures.queued > 0) {
        log.warn('backfill: the server stops before all rows from the upstream were stored; they will be asked again', {
          rows: figures.queued,
        });
      }
    },
    async wait() {
      const before = figures.queued;
      await storing;
      return before;
    },
    figures: () => ({
      backfill_queued: figures.queued,
      backfill_stored: figures.stored,
      backfill_dropped: figures.dropped,
    }),
  };
}
