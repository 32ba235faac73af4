import type { Logger } from '../../log.ts';
import { BackfillFigures } from '../../meter/service-figures.ts';
import type { Equivalence, HashStore, TaskLine } from '../store.ts';
import type { Where } from '../where.ts';

/** Stores what the upstream knew, in the background and in batches. */
export interface Backfill {
  /** Queues the unihash of a task to be stored; one that does not fit is dropped and counted. */
  add(task: TaskLine, unihash: string): void;
  /**
   * What waits to be stored for these tasks: a client may have been answered with it, so it must be stored before
   * anything that the client then says about the task.
   */
  waitingFor(tasks: readonly Omit<Equivalence, 'unihash'>[]): readonly Equivalence[];
  /**
   * Gives up what matches; resolves once nothing of it is being stored. To be called before such rows are removed: one
   * that is stored afterwards would be there again.
   */
  forget(where: Where | null): Promise<void>;
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
  /** Unihashes by task, in the order they came; each stays until it is stored or given up. */
  const waiting = new Map<TaskLine, string>();
  /** Resolves when nothing waits any more; null when nothing does. */
  let storing: Promise<void> | null = null;
  /** Resolves when the batch that was taken last has been dealt with. */
  let batchDone: Promise<void> | null = null;
  let warned = false;
  let closed = false;

  async function storeAll(): Promise<void> {
    // Hits of one block of lines come one after the other: they are stored together.
    await null;
    while (waiting.size > 0 && !closed) {
      batchDone = storeBatch([...firstOf(waiting, BATCH_ROWS)]);
      await batchDone;
    }
    storing = null;
  }

  async function storeBatch(batch: readonly [TaskLine, string][]): Promise<void> {
    try {
      await store.reportEquivalent(batch.map(([task, unihash]) => toEquivalence(task, unihash)));
      figures.stored += batch.length;
    } catch (error) {
      figures.dropped += batch.length;
      // What is given up at the end has been logged already.
      if (!closed) log.warn('backfill: rows from the upstream could not be stored', { rows: batch.length, error });
    } finally {
      for (const [task] of batch) waiting.delete(task);
      figures.queued = waiting.size;
    }
  }

  function drop(): void {
    figures.dropped++;
    if (!warned) log.warn('backfill: the queue is full, hits are answered but not kept', { rows: maxRows });
    warned = true;
  }

  return {
    add(task, unihash) {
      // The first stays, as in the database.
      if (closed || waiting.has(task)) return;
      if (waiting.size >= maxRows) return drop();
      waiting.set(task, unihash);
      figures.queued = waiting.size;
      storing ??= storeAll();
    },
    waitingFor(tasks) {
      const found: Equivalence[] = [];
      if (waiting.size === 0) return found;
      for (const { method, taskhash } of tasks) {
        // A line has one blank: names of a message that have blanks make none that waits.
        const unihash = waiting.get(`${method} ${taskhash}`);
        if (unihash !== undefined) found.push({ method, taskhash, unihash });
      }
      return found;
    },
    async forget(where) {
      if (!where) return;
      for (const [task, unihash] of waiting) if (matches(toEquivalence(task, unihash), where)) waiting.delete(task);
      figures.queued = waiting.size;
      await batchDone;
    },
    async close(graceMs) {
      let timer: NodeJS.Timeout | undefined;
      const graceOver = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, graceMs);
      });
      await Promise.race([storing, graceOver]);
      clearTimeout(timer);
      closed = true;
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

function* firstOf<T>(all: Iterable<T>, count: number): Iterable<T> {
  let left = count;
  for (const each of all) {
    if (left-- <= 0) return;
    yield each;
  }
}

/** A row that waits has no mark yet: it may get any. */
function matches(row: Equivalence, where: Where): boolean {
  return where.every(([column, value]) => !(column in row) || row[column as keyof Equivalence] === value);
}

function toEquivalence(task: TaskLine, unihash: string): Equivalence {
  const blank = task.indexOf(' ');
  return { method: task.slice(0, blank), taskhash: task.slice(blank + 1), unihash };
}
