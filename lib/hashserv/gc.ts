import PQueue from 'p-queue';
import { InvokeError } from '../errors.ts';
import { momentAgo } from './clock.ts';
import type { GcTask, HashStore } from './store.ts';
import { conditionsFor } from './where.ts';

/** A where as it comes from the wire. */
export type WireWhere = Readonly<Record<string, string | null>>;

/** Who asked: work that nobody waits for any more is stopped. */
export interface GcClient {
  readonly gone: boolean;
}

/**
 * Deletion and garbage collection, in slices that let others use the store in between. One at a time: each goes
 * through the tables once, and two would only slow each other down. Each stops between two slices, half done, when
 * its client is gone, so that none waits behind work that nobody wants.
 */
export interface Gc {
  /** Deletes the matching rows of both tables. Resolves to their number. */
  remove(client: GcClient, where: WireWhere): Promise<number>;
  /** Whether this mark differs from the last one given here; from then on it is the last one. */
  begins(mark: string): boolean;
  /** Sets the mark and stamps what matches. */
  mark(client: GcClient, mark: string, where: WireWhere): Promise<number>;
  /** The same for many wheres at once, in order. */
  markAll(client: GcClient, requests: readonly { mark: string; where: WireWhere }[]): Promise<number[]>;
  /**
   * Deletes the unihash rows with another mark and ends the collection.
   * @param most how many rows may be removed: as many as whoever decided on it was shown. Null for any number
   * @throws InvokeError when the mark is not the current one, when no row would be kept and some would go, or when
   *   more would go than `most`
   */
  sweep(client: GcClient, mark: string, most: number | null): Promise<number>;
  /** Deletes older outhash rows whose taskhash has no unihash. */
  cleanUnused(client: GcClient, maxAgeSeconds: number): Promise<number>;

  /**
   * Waits until nobody else goes through the tables.
   * @returns what must be called when its turn is over
   * @throws the signal's reason, when it is aborted meanwhile
   */
  enter(signal: AbortSignal): Promise<() => void>;
  /** A task step by step, from after a row's id on; only for whoever has entered. */
  steps(task: GcTask, from: number): AsyncGenerator<GcStep, void, void>;
  /** @throws InvokeError as `sweep`, before anything is removed */
  requireSweepable(mark: string, most: number | null): Promise<void>;
  /** Ends the collection, which is swept. */
  end(mark: string): Promise<void>;
}

/** What a step has done, and after which row's id the next begins; null when there is none. */
export interface GcStep {
  readonly looked: number;
  readonly count: number;
  readonly next: number | null;
}

/** How many rows a step takes: as many as take about the target time. */
interface Pace {
  readonly first: number;
  readonly max: number;
  readonly targetMs: number;
}

/** Finding rows: on a connection of its own, but a checkpoint waits for it. */
const SEARCH: Pace = { first: 5000, max: 50_000, targetMs: 50 };
/** Changing them: the writer does nothing else meanwhile. Well under the 50 ms that others may wait, for slow disks. */
const CHANGE: Pace = { first: 250, max: 2000, targetMs: 35 };
const LEAST_ROWS = 50;

/** A collection of garbage in a store. */
export function createGc(store: HashStore, now: () => number = Date.now): Gc {
  const queue = new PQueue({ concurrency: 1 });
  const exclusively = <T>(client: GcClient, task: () => Promise<T>) =>
    queue.add(() => {
      stopWithout(client);
      return task();
    }) as Promise<T>;

  async function* steps(task: GcTask, from: number): AsyncGenerator<GcStep, void, void> {
    const look = pacemaker(SEARCH);
    const change = pacemaker(CHANGE);
    for (let after: number | null = from; after !== null; ) {
      const start: number = after;
      let looked = 0;
      const { ids, next } = await look((rows) => {
        looked = rows;
        return store.gcFind(task, start, rows);
      });
      for (let at = 0; at < ids.length; ) {
        const count = await change((rows) => {
          const some = ids.slice(at, at + rows);
          at += some.length;
          return store.gcApply(task, some);
        });
        yield { looked: 0, count, next: start };
      }
      yield { looked, count: 0, next };
      after = next;
    }
  }

  async function run(client: GcClient, task: GcTask): Promise<number> {
    let total = 0;
    stopWithout(client);
    for await (const { count, next } of steps(task, 0)) {
      total += count;
      if (next !== null) stopWithout(client);
    }
    return total;
  }

  let lastMark: string | null = null;

  async function requireSweepable(mark: string, most: number | null): Promise<void> {
    const status = await store.gcStatus();
    if (status.mark !== mark) throw new InvokeError(`'${mark}' is not the current mark. Refusing to sweep`);
    if (status.keep === 0 && status.remove > 0) {
      throw new InvokeError(
        `No row is marked '${mark}': sweeping would remove all ${status.remove}. Mark what to keep first, or use remove. Refusing to sweep`,
      );
    }
    if (most !== null && status.remove > most) {
      throw new InvokeError(
        `Sweeping would remove ${status.remove} rows now, more than the ${most} that were shown: another collection took rows over meanwhile. Refusing to sweep`,
      );
    }
  }

  async function end(mark: string): Promise<void> {
    await store.gcClearMark(mark);
    lastMark = null;
  }

  return {
    begins(mark) {
      const begins = mark !== lastMark;
      lastMark = mark;
      return begins;
    },

    remove(client, where) {
      // Both are checked before anything is deleted: an unknown column must not leave half of it done.
      const unihashes = conditionsFor('unihashes', where);
      const outhashes = conditionsFor('outhashes', where);
      return exclusively(client, async () => {
        let count = 0;
        if (unihashes) count += await run(client, { kind: 'remove', table: 'unihashes', where: unihashes });
        if (outhashes) count += await run(client, { kind: 'remove', table: 'outhashes', where: outhashes });
        return count;
      });
    },

    mark: (client, mark, where) =>
      exclusively(client, async () => {
        const conditions = conditionsFor('unihashes', where);
        await store.gcSetMark(mark);
        return conditions ? run(client, { kind: 'mark', mark, where: conditions }) : 0;
      }),

    async markAll(client, requests) {
      const counts: number[] = [];
      for (let at = 0; at < requests.length; ) {
        const { mark, where } = requests[at]!;
        const together = unihashRun(requests, at);
        if (together.length === 0) counts.push(await this.mark(client, mark, where));
        else counts.push(...(await exclusively(client, () => store.gcMarkKeys(mark, together))));
        at += Math.max(1, together.length);
      }
      return counts;
    },

    sweep: (client, mark, most) =>
      exclusively(client, async () => {
        await requireSweepable(mark, most);
        const count = await run(client, { kind: 'sweep', mark });
        await end(mark);
        return count;
      }),

    cleanUnused: (client, maxAgeSeconds) =>
      exclusively(client, () => run(client, { kind: 'clean-unused', before: momentAgo(maxAgeSeconds, now) })),

    enter: (signal) =>
      new Promise((resolve, reject) => {
        const turn = () => new Promise<void>((leave) => resolve(leave));
        queue.add(turn, { signal }).catch(reject);
      }),
    steps,
    requireSweepable,
    end,
  };
}

/**
 * From `at` on, the requests with one mark that each name a unihash: those can be stamped together. Not one that asks for
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

/** Stops what is under way; nobody reads the text. */
function stopWithout(client: GcClient): void {
  if (client.gone) throw new InvokeError('the client has gone: what it asked for was stopped');
}

/** Times each step, and gives the next as many rows as would have taken the target time. */
function pacemaker({ first, max, targetMs }: Pace) {
  let rows = first;
  return async <T>(step: (rows: number) => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await step(rows);
    const factor = targetMs / Math.max(performance.now() - started, 1);
    rows = Math.round(Math.min(max, Math.max(LEAST_ROWS, rows * Math.min(2, factor))));
    return result;
  };
}
