import PQueue from 'p-queue';
import { InvokeError } from '../errors.ts';
import type { Clock } from './clock.ts';
import type { HashStore, Slice } from './store.ts';
import { conditionsFor } from './where.ts';

/** A where as it comes from the wire. */
export type WireWhere = Readonly<Record<string, string | null>>;

/**
 * Deletion and garbage collection, in slices that leave the store to others in between. One at a time: each goes
 * through the tables once, and two would only make each other slower.
 */
export interface Gc {
  /** Deletes the rows of either table that match. Resolves to their number. */
  remove(where: WireWhere): Promise<number>;
  /** Sets the mark and stamps what matches. */
  mark(mark: string, where: WireWhere): Promise<number>;
  /** The same for many at once, in order. */
  markAll(requests: readonly { mark: string; where: WireWhere }[]): Promise<number[]>;
  /**
   * Deletes the unihash rows stamped otherwise and ends the collection.
   * @throws InvokeError when the mark is not the current one, or when no row would be kept and some would go
   */
  sweep(mark: string): Promise<number>;
  /** Deletes outhash rows older than that whose taskhash has no unihash. */
  cleanUnused(maxAgeSeconds: number): Promise<number>;
}

/** Bounds of one slice (reliability.md sections 2 and 4). */
const MAX_SLICE_ROWS = 2000;
const FIRST_SLICE_ROWS = 250;
/** Aimed at, so that a slice on a slow disk stays under 50 ms. */
const SLICE_TARGET_MS = 20;

export function createGc(store: HashStore, clock: Clock): Gc {
  const queue = new PQueue({ concurrency: 1 });
  const exclusively = <T>(task: () => Promise<T>) => queue.add(task) as Promise<T>;

  async function markOne(mark: string, where: WireWhere): Promise<number> {
    const conditions = conditionsFor('unihashes', where);
    await store.gcSetMark(mark);
    return conditions ? runSlices((after, limit) => store.gcMarkSlice(mark, conditions, after, limit)) : 0;
  }

  return {
    remove(where) {
      // Both are worked out before anything is deleted: an unknown column must not leave half of it done.
      const unihashes = conditionsFor('unihashes', where);
      const outhashes = conditionsFor('outhashes', where);
      return exclusively(async () => {
        let count = 0;
        if (unihashes)
          count += await runSlices((after, limit) => store.removeSlice('unihashes', unihashes, after, limit));
        if (outhashes)
          count += await runSlices((after, limit) => store.removeSlice('outhashes', outhashes, after, limit));
        return count;
      });
    },

    mark: (mark, where) => exclusively(() => markOne(mark, where)),

    async markAll(requests) {
      const counts: number[] = [];
      for (let at = 0; at < requests.length; ) {
        const run = unihashRun(requests, at);
        if (run.length === 0) counts.push(await this.mark(requests[at]!.mark, requests[at]!.where));
        else counts.push(...(await exclusively(() => store.gcMarkKeys(requests[at]!.mark, run))));
        at += Math.max(1, run.length);
      }
      return counts;
    },

    sweep: (mark) =>
      exclusively(async () => {
        const status = await store.gcStatus();
        if (status.mark !== mark) throw new InvokeError(`'${mark}' is not the current mark. Refusing to sweep`);
        if (status.keep === 0 && status.remove > 0) {
          throw new InvokeError(
            `No row is marked '${mark}': sweeping would remove all ${status.remove}. Mark what to keep first, or use remove. Refusing to sweep`,
          );
        }
        const count = await runSlices((after, limit) => store.gcSweepSlice(mark, after, limit));
        await store.gcClearMark(mark);
        return count;
      }),

    cleanUnused: (maxAgeSeconds) =>
      exclusively(() => {
        const before = clock(maxAgeSeconds);
        return runSlices((after, limit) => store.cleanUnusedSlice(before, after, limit));
      }),
  };
}

/**
 * From `at` on, the requests of one mark that each name a unihash: those can be stamped together. Not one that asks for
 * a mark: its answer depends on what those before it have stamped.
 */
function unihashRun(requests: readonly { mark: string; where: WireWhere }[], at: number) {
  const run = [];
  for (const { mark, where } of requests.slice(at)) {
    const conditions = mark === requests[at]!.mark ? conditionsFor('unihashes', where) : null;
    if (!conditions?.some(([column]) => column === 'unihash')) break;
    if (conditions.some(([column]) => column === 'gc_mark')) break;
    run.push(conditions);
  }
  return run;
}

/** A loop around one slice: as many rows at a time as are done in about the time aimed at. */
async function runSlices(once: (after: number, limit: number) => Promise<Slice>): Promise<number> {
  let count = 0;
  let limit = FIRST_SLICE_ROWS;
  for (let after: number | null = 0; after !== null; ) {
    const started = performance.now();
    const slice: Slice = await once(after, limit);
    count += slice.count;
    after = slice.next;
    const factor = SLICE_TARGET_MS / Math.max(performance.now() - started, 1);
    limit = Math.round(Math.min(MAX_SLICE_ROWS, Math.max(50, limit * Math.min(2, factor))));
  }
  return count;
}
