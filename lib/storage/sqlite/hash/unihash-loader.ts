import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Loading } from '../../../hashserv/store.ts';
import type { Logger } from '../../../log.ts';
import type { KnownUnihashes } from '../../memory/known-unihashes.ts';
import type { Database } from '../engine/database.ts';

/** Rows read by one statement, and rows put into the table before the event loop looks at sockets again. */
const SLICE_ROWS = 8192;
const TURN_ROWS = 1024;
/** A row as it is read: the 32 bytes of each of its two hashes. */
const ROW_BYTES = 64;
/** What is spent on looking after the table is no more than a tenth of one thread's time. */
const REST_FACTOR = 9;
const RETRY_MS = 1000;
/** So often it is tried without holding the writer up. */
const FREE_TRIES = 3;

/**
 * By unhex(): with a pattern in its place, and looked at for each use, a slice took twice the time. Counted in bytes:
 * length() and unhex() end at a NUL, with which a text may go on, and the rows behind it would be lost.
 */
const HEX = (column: string) =>
  `typeof(${column}) = 'text' AND octet_length(${column}) = 64 AND unhex(${column}) IS NOT NULL AND ${column} = lower(${column})`;

/**
 * Rows as 64 bytes each, a blob for each method; those of another shape, whose method is null, are only counted. As
 * rows of texts, reading a million would hold the event loop up for seconds.
 */
const slice = (condition: string) => `
WITH read AS MATERIALIZED (
  SELECT id, method, taskhash, unihash, ${HEX('taskhash')} AS isTask, ${HEX('unihash')} AS isUnihash
  FROM unihashes_v3 NOT INDEXED WHERE ${condition} LIMIT ${SLICE_ROWS}),
shaped AS MATERIALIZED (
  SELECT *, isTask AND isUnihash AND typeof(method) = 'text' AS fits FROM read)
SELECT method, unhex(group_concat(row, '')) AS rows, count(*) AS count, sum(strayTask) AS strayTasks,
  sum(strayUnihash) AS strayUnihashes, min(id) AS first, max(id) AS last
FROM (
  SELECT id, CASE WHEN fits THEN method END AS method, CASE WHEN fits THEN taskhash || unihash END AS row,
    isTask AND NOT fits AS strayTask, isUnihash AND NOT fits AS strayUnihash
  FROM shaped)
GROUP BY method`;
const OLDER = slice('id < ? ORDER BY id DESC');
const NEWER = slice('id > ? ORDER BY id');

const LAST = 'SELECT coalesce(max(id), 0) AS last FROM unihashes_v3';

/** What tells whether rows have gone. Of the newest also their content is compared: a file taken back uses ids again. */
const STATE = `
SELECT count(*) AS count, (SELECT coalesce(max(id), 0) FROM unihashes_v3) AS last, (
  SELECT json_group_array(json_array(method || ' ' || taskhash, unihash))
  FROM (SELECT * FROM unihashes_v3 WHERE typeof(method) = 'text' AND typeof(taskhash) = 'text'
    AND typeof(unihash) = 'text' ORDER BY id DESC LIMIT 64)) AS newest
FROM unihashes_v3`;

interface Slice {
  readonly method: string | null;
  readonly rows: Buffer | null;
  readonly count: number;
  /** Rows with a taskhash, or a unihash, as the table has them that are not for the table. */
  readonly strayTasks: number;
  readonly strayUnihashes: number;
  readonly first: number;
  readonly last: number;
}

/** Fills the memory in front of the unihashes, and keeps it right when others write to the file. */
export interface UnihashLoader {
  /** Others may have written: what is in memory is compared with the file, and read again where rows have gone. */
  changed(): void;
  readonly loading: Loading;
}

/** Reads on the maintenance connection, in slices, so that it holds up no look-up and no report. */
export function createUnihashLoader(database: Database, memory: KnownUnihashes, log: Logger): UnihashLoader {
  const { maintenance } = database;
  let running = false;
  let closed = false;
  /** Something has changed since the run began. */
  let again = false;
  let isLoaded = false;
  let state: Loading['state'] = 'loading';
  /** Every row up to this id was read; of those so many are not for the table. */
  let last = 0;
  let others = 0;
  /** Whether there are rows of which the table would have to hold the task, or the unihash, and cannot. */
  let hasStrayTasks = false;
  let hasStrayUnihashes = false;
  let restUntil = 0;
  database.onClose(() => {
    closed = true;
  });

  const read = <Row>(sql: string, params: readonly number[] = []) => database.read<Row>(maintenance, sql, params);

  /** Adds the rows of a slice in turns; false when rows went meanwhile, which may be among them. */
  async function add(slices: readonly Slice[], epoch: number): Promise<boolean> {
    for (const { method, rows, count } of slices) {
      if (method === null) continue;
      // Never a row made of what is not there: it would be the answer to somebody's task.
      if (rows?.length !== count * ROW_BYTES) throw new Error(`${count} rows were read as ${rows?.length ?? 0} bytes`);
      const words = wordsOf(rows);
      for (let from = 0; from < count; from += TURN_ROWS) {
        if (memory.epoch !== epoch || closed) return false;
        if (!memory.addRows(method, words, from, Math.min(from + TURN_ROWS, count))) {
          others += count - from;
          // Lines with a method that the table does not know are never answered from it.
          hasStrayUnihashes = true;
          break;
        }
        await nextTurn();
      }
    }
    if (slices.some(({ strayTasks }) => strayTasks > 0)) hasStrayTasks = true;
    if (slices.some(({ strayUnihashes }) => strayUnihashes > 0)) hasStrayUnihashes = true;
    others += slices.reduce((sum, { method, count }) => sum + (method === null ? count : 0), 0);
    return true;
  }

  /** Reads all rows, the newest first, as far as there is room. */
  async function load(): Promise<void> {
    const began = performance.now();
    state = 'loading';
    isLoaded = false;
    memory.clear();
    others = 0;
    hasStrayTasks = false;
    hasStrayUnihashes = false;
    last = (await read<{ last: number }>(LAST))[0]!.last;
    for (let before = last + 1; memory.hasRoom && !closed; ) {
      const { epoch } = memory;
      const counted = others;
      const slices = await read<Slice>(OLDER, [before]);
      if (!(await add(slices, epoch))) {
        others = counted;
        continue;
      }
      if (slices.length === 0) break;
      before = Math.min(...slices.map(({ first }) => first));
    }
    isLoaded = !closed;
    if (!closed && memory.rows > 0)
      log.info('unihashes are in memory', { rows: memory.rows, ms: Math.round(performance.now() - began) });
  }

  /** Adds rows that are newer than those read. */
  async function catchUp(): Promise<void> {
    while (!closed) {
      const { epoch } = memory;
      const counted = others;
      const slices = await read<Slice>(NEWER, [last]);
      if (slices.length === 0) return;
      if (await add(slices, epoch)) last = Math.max(...slices.map((each) => each.last));
      else others = counted;
    }
  }

  /** Whether the table holds what the file does; null when something was written meanwhile. */
  async function compare(): Promise<boolean | null> {
    await catchUp();
    const { changes, epoch } = memory;
    const [found] = await read<{ count: number; last: number; newest: string }>(STATE);
    if (found!.last > last || memory.changes !== changes || memory.epoch !== epoch) return null;
    const newest = JSON.parse(found!.newest) as [string, string][];
    return (
      found!.count === memory.rows + others && newest.every(([task, unihash]) => memory.holds(task, unihash) !== false)
    );
  }

  /** Others' writes are too many, or our own: those wait once while it is done. */
  async function compareInPeace(): Promise<boolean | null> {
    for (let tries = 0; tries < FREE_TRIES && !closed; tries++) {
      const same = await compare();
      if (same !== null) return same;
    }
    return database.writer && !closed ? database.writer.between(compare) : null;
  }

  async function check(): Promise<void> {
    if (memory.hasEvicted || !memory.hasRoom) {
      // Which of the rows that are not in memory have gone cannot be told from those that are.
      state = 'newest';
      return;
    }
    state = 'checking';
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

  return {
    changed() {
      if (!memory.hasTable) return;
      // Of rows that are not in memory nothing can be compared; what is asked for comes in again by itself.
      if (state === 'newest') memory.clear();
      again = true;
      void run();
    },
    get loading() {
      return { state, rows: memory.rows };
    },
  };
}

/** Waits, but keeps no process alive. */
function rest(ms: number): Promise<void> {
  if (ms <= 0) return Promise.resolve();
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** A blob as the words that readHash makes. */
function wordsOf(bytes: Buffer): Int32Array {
  const whole = bytes.byteOffset % 4 === 0 ? bytes : Buffer.from(new Uint8Array(bytes).buffer);
  return new Int32Array(whole.buffer, whole.byteOffset, whole.length / 4);
}
