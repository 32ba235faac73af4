import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Loading } from '../../hashserv/store.ts';
import type { Logger } from '../../log.ts';
import type { KnownUnihashes } from './known-unihashes.ts';
import { RowBytes } from './row-bytes.ts';

/** Rows put into the memory before the event loop looks at sockets again: half a millisecond. */
const TURN_ROWS = 1024;
/** What is spent on looking after the memory is no more than a tenth of one thread's time. */
const REST_FACTOR = 9;
const RETRY_MS = 1000;
/** While this server stores rows again and again, as in a pull, they are not compared until so long after the last. */
const QUIET_MS = 1000;
/** So often it is tried without holding the writer up. */
const FREE_TRIES = 3;

/** Rows that were read together. */
export interface RowSlice {
  /** The rows as row-bytes.ts describes them. */
  readonly rows: Buffer;
  readonly count: number;
  /** The smallest and the largest of their ids. */
  readonly first: number;
  readonly last: number;
}

/** What tells whether rows have gone. */
export interface TableState {
  readonly count: number;
  /** The largest id; 0 if there is none. */
  readonly last: number;
  /** Task and unihash of the newest rows: a file taken back uses ids again. */
  readonly newest: readonly (readonly [string, string])[];
}

/** A table of unihashes as an engine reads it, whose ids grow with each row stored. */
export interface RowSource {
  /** The smallest and the largest id; 0 if there is none. */
  ids(): Promise<{ readonly first: number; readonly last: number }>;
  /** The newest rows with an id below that, or the oldest with one above it; null if there is none. */
  older(id: number): Promise<RowSlice | null>;
  newer(id: number): Promise<RowSlice | null>;
  state(): Promise<TableState>;
  /** Runs `job` while this server writes nothing; null if it never does. */
  readonly between: (<T>(job: () => Promise<T>) => Promise<T>) | null;
}

/** Fills the memory in front of the unihashes, and keeps it right when others write to the table. */
export interface UnihashLoader {
  /** Others may have written: what is in memory is compared with the table, and read again where rows have gone. */
  changed(): void;
  /**
   * This server has stored rows that are not in memory. They come in, as above. But to compare is to count the table, and to hold up
   * the writer where that does not rest: in a pull this took a tenth of the time, and the next rows made it worth nothing.
   */
  stored(): void;
  /** Stops reading. */
  close(): void;
  readonly loading: Loading;
}

/**
 * Reads in slices, so that it holds up nobody.
 * @param quietMs only a test has another
 */
export function createUnihashLoader(
  source: RowSource,
  memory: KnownUnihashes,
  log: Logger,
  quietMs = QUIET_MS,
): UnihashLoader {
  let running = false;
  let closed = false;
  /** Something has changed since the run began. */
  let again = false;
  let isLoaded = false;
  let state: Loading['state'] = memory.hasTable ? 'loading' : 'none';
  let share = 0;
  /** Every row up to this id was read; of those so many are not for the memory. */
  let last = 0;
  let others = 0;
  /** Whether there are rows of which the memory would have to hold the task, or the unihash, and cannot. */
  let hasStrayTasks = false;
  let hasStrayUnihashes = false;
  let restUntil = 0;
  let storedAt = Number.NEGATIVE_INFINITY;
  let quietAt = 0;

  /** Adds the rows of a slice in turns; false when rows went meanwhile, which may be among them. */
  async function add(slice: RowSlice, epoch: number): Promise<boolean> {
    const rows = new RowBytes(slice.rows);
    while (!rows.isAtEnd) {
      if (memory.epoch !== epoch || closed) return false;
      rows.addTo(memory, TURN_ROWS);
      await nextTurn();
    }
    others += rows.others;
    hasStrayTasks ||= rows.hasStrayTasks;
    hasStrayUnihashes ||= rows.hasStrayUnihashes;
    return true;
  }

  /** Reads all rows, the newest first, as far as there is room. */
  async function load(): Promise<void> {
    const began = performance.now();
    state = 'loading';
    share = 0;
    isLoaded = false;
    memory.clear();
    others = 0;
    hasStrayTasks = false;
    hasStrayUnihashes = false;
    const ids = await source.ids();
    last = ids.last;
    for (let before = last + 1; memory.hasRoom && !closed; ) {
      const { epoch } = memory;
      const slice = await source.older(before);
      if (!slice) break;
      // As densely as the newest rows fill their ids, all may.
      if (before > last) memory.expect((slice.count * (last + 1 - ids.first)) / (slice.last + 1 - slice.first));
      if (!(await add(slice, epoch))) continue;
      before = slice.first;
      share = (last + 1 - before) / (last + 1 - ids.first);
    }
    isLoaded = !closed;
    if (!closed && memory.rows > 0)
      log.info('unihashes are in memory', { rows: memory.rows, ms: Math.round(performance.now() - began) });
  }

  /** Adds rows that are newer than those read. */
  async function catchUp(): Promise<void> {
    while (!closed) {
      const { epoch } = memory;
      const slice = await source.newer(last);
      if (!slice) return;
      if (await add(slice, epoch)) last = slice.last;
    }
  }

  /** Whether the memory holds what the table does; null when something was written meanwhile. */
  async function compare(): Promise<boolean | null> {
    await catchUp();
    const { changes, epoch } = memory;
    const found = await source.state();
    if (found.last > last || memory.changes !== changes || memory.epoch !== epoch) return null;
    return (
      found.count === memory.rows + others &&
      found.newest.every(([task, unihash]) => memory.holds(task, unihash) !== false)
    );
  }

  /** Others' writes are too many, or our own: those wait once while it is done. */
  async function compareInPeace(): Promise<boolean | null> {
    for (let tries = 0; tries < FREE_TRIES && !closed; tries++) {
      const same = await compare();
      if (same !== null) return same;
    }
    return source.between && !closed ? source.between(compare) : null;
  }

  async function check(): Promise<void> {
    share = 1;
    if (memory.hasEvicted || !memory.hasRoom) {
      // Which of the rows that are not in memory have gone cannot be told from those that are.
      state = 'newest';
      return;
    }
    state = 'checking';
    if (performance.now() < quietAt) {
      await catchUp();
      again = true;
      return;
    }
    const { epoch } = memory;
    const same = await compareInPeace();
    if (closed || same === null || memory.epoch !== epoch) {
      again = true;
      return;
    }
    if (!same) {
      isLoaded = false;
      again = true;
      memory.clear();
      return;
    }
    // What was stored meanwhile may be missing.
    memory.trust({ tasks: !hasStrayTasks && !again, unihashes: !hasStrayUnihashes && !again });
    state = 'all';
  }

  async function run(): Promise<void> {
    if (running || closed) return;
    running = true;
    while (again && !closed) {
      await rest(restUntil - performance.now());
      again = false;
      const began = performance.now();
      try {
        if (state === 'newest') isLoaded = false;
        if (!isLoaded) await load();
        await check();
        restUntil = performance.now() + REST_FACTOR * (performance.now() - began);
      } catch (error) {
        if (!closed) log.debug('unihashes could not be read into memory', { error });
        again = true;
        restUntil = performance.now() + RETRY_MS;
      }
    }
    running = false;
  }

  function changed(): void {
    if (!memory.hasTable) return;
    // Of rows that are not in memory nothing can be compared; what is asked for comes in again by itself.
    if (state === 'newest') memory.clear();
    again = true;
    void run();
  }

  return {
    changed,
    stored() {
      const now = performance.now();
      if (now - storedAt < quietMs) quietAt = now + quietMs;
      storedAt = now;
      // What is in memory stays right: these rows are not.
      if (state !== 'newest') changed();
    },
    close() {
      closed = true;
    },
    get loading() {
      return { state, rows: memory.rows, share };
    },
  };
}

/** Waits, but keeps no process alive. */
function rest(ms: number): Promise<void> {
  if (ms <= 0) return Promise.resolve();
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
