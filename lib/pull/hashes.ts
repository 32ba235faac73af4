import { rowFault } from '../hashserv/commands/row-rule.ts';
import type { HashStore, RowValues, Table } from '../hashserv/store.ts';
import { ROW_COLUMNS } from '../hashserv/where.ts';
import { FIRST_ROWS, nextRows } from './pace.ts';
import { findPlace, followPlaces, type Place, type Places, type SliceMark } from './places.ts';
import { RowPool, type Taken } from './row-pool.ts';
import { picksReports, type Selection, wantsMethod, wantsOuthash } from './selection.ts';
import type { PullSource } from './source.ts';

/** What became of the rows of a table. */
export interface TableCounts {
  new: number;
  equal: number;
  /** Tasks that have another unihash here, which stays. */
  differing: number;
  /** Rows that no server takes. */
  refused: number;
}

export interface HashCounts {
  readonly unihashes: TableCounts;
  readonly outhashes: TableCounts;
  /** Rows of the source that were read. */
  read: number;
}

export type HashPlaces = { readonly [table in Table]: Place | null };

export interface HashPull {
  readonly source: PullSource;
  readonly store: HashStore;
  readonly selection: Selection;
  /** Compares, and stores nothing. */
  readonly dryRun: boolean;
  /** Where an earlier pull of the same came to. */
  readonly from: HashPlaces;
  /** Told of each task that may have got a unihash, as a line of a stream. */
  readonly onStored: (task: string) => void;
  readonly note: (text: string) => void;
  /** Only a test has less. */
  readonly overlapRows?: number;
  readonly poolRows?: number;
}

export interface HashStep {
  readonly counts: HashCounts;
  readonly places: HashPlaces;
}

const NO_COUNTS: TableCounts = { new: 0, equal: 0, differing: 0, refused: 0 };
export const NO_PLACES: HashPlaces = { unihashes: null, outhashes: null };

export function noHashes(): HashCounts {
  return { unihashes: { ...NO_COUNTS }, outhashes: { ...NO_COUNTS }, read: 0 };
}

/**
 * Takes what a source has of hash equivalence, some rows at a time. The first unihash of a task wins, and the first is ours: so
 * half a pull does no harm, and what is done again changes nothing. Unihashes come before outhashes: a task whose outhash is
 * here alone would get another unihash at its next report.
 */
export async function* pullHashes(pull: HashPull, counts = noHashes()): AsyncGenerator<HashStep, HashStep> {
  let places = pull.from;
  const step = (): HashStep => ({ counts, places });
  const tables: readonly Table[] = picksReports(pull.selection) ? ['outhashes'] : ['unihashes', 'outhashes'];
  for (const table of tables) {
    const { after, follow } = await beginning(pull, table);
    const taking: Taking = { pull, rows: FIRST_ROWS, likelyThere: follow.place !== null, storedAt: 0 };
    const { source, poolRows } = pull;
    const pool = new RowPool({ source, table, after, onSlice: follow.read, ...(poolRows && { poolRows }) });
    for await (const { rows, passed } of takeAll(taking, table, pool, counts)) {
      counts.read += rows.length;
      for (const { mark, odd } of passed) {
        counts.read += odd;
        counts[table].refused += odd;
        follow.passed(mark);
      }
      places = { ...places, [table]: follow.place };
      yield step();
    }
  }
  return step();
}

async function beginning(
  { source, selection, from, note, overlapRows }: HashPull,
  table: Table,
): Promise<{ after: string | null; follow: Places }> {
  const { since } = selection;
  if (since && 'id' in since) return { after: String(since.id), follow: followPlaces(null, overlapRows) };
  const start = await findPlace(source, table, from[table]);
  if (start.isLost)
    note(`${table}: rows that were read the last time are not in ${source.name} any more: all of it is read again`);
  return { after: start.after, follow: followPlaces(start.from, overlapRows) };
}

/**
 * Stores the rows of a pool, some at a time, and yields what was stored. The next are looked through while some are stored,
 * so that the writer's thread need not wait for this one.
 */
async function* takeAll(
  taking: Taking,
  table: Table,
  pool: RowPool<SliceMark>,
  counts: HashCounts,
): AsyncGenerator<Taken<SliceMark>, void> {
  let under: { readonly taken: Taken<SliceMark>; readonly done: Promise<void> } | null = null;
  try {
    for (;;) {
      const taken = await pool.take(taking.rows);
      if (taken === null) break;
      const next = { taken, done: takeSlice(taking, table, taken.rows, counts) };
      // It may fail before it is waited for.
      next.done.catch(() => {});
      const before = under;
      under = next;
      if (!before) continue;
      await before.done;
      yield before.taken;
    }
    if (under) {
      await under.done;
      yield under.taken;
    }
    pool.requireWhole();
  } finally {
    pool.close();
    // Whoever ends this must not find it still storing.
    await under?.done.catch(() => {});
  }
}

/** How a table's rows are taken. */
interface Taking {
  readonly pull: HashPull;
  /** How many at a time. */
  rows: number;
  /** Most of the rows before were here: then they are compared first, as that takes no lock. */
  likelyThere: boolean;
  /** When rows were stored last. */
  storedAt: number;
}

async function takeSlice(taking: Taking, table: Table, rows: readonly RowValues[], counts: HashCounts): Promise<void> {
  const { selection, source } = taking.pull;
  if (table === 'unihashes') {
    const wanted = rows.filter(([method]) => wantsMethod(selection, method!));
    return take(taking, 'unihashes', wanted, counts.unihashes);
  }
  const wanted = rows.filter((row) => wantsOuthash(selection, row));
  if (wanted.length > 0 && picksReports(selection)) {
    const tasks = [
      ...new Map(wanted.map(([method, taskhash]) => [`${method} ${taskhash}`, [method!, taskhash!] as const])),
    ];
    const keys = tasks.map(([, key]) => key);
    const unihashes = await source.unihashesOf(keys);
    const theirs = keys.flatMap((key, i) => (unihashes[i] === null ? [] : [[...key, unihashes[i]!]]));
    await take(taking, 'unihashes', theirs, counts.unihashes);
  }
  await take(taking, 'outhashes', wanted, counts.outhashes);
}

async function take(taking: Taking, table: Table, rows: readonly RowValues[], counts: TableCounts): Promise<void> {
  const { store, dryRun } = taking.pull;
  const columns = ROW_COLUMNS[table];
  const good = rows.map((row) => withoutMore(row, columns.length)).filter((row) => rowFault(columns, row) === null);
  counts.refused += rows.length - good.length;
  if (good.length === 0) return;
  const compareFirst = dryRun || taking.likelyThere;
  let found = compareFirst ? await compare(store, table, good) : null;
  const missing = found ? good.filter((_, i) => found![i] === null) : good;
  const stored = dryRun ? missing.length : await storeRows(taking, table, missing);
  // Otherwise all of them were new.
  found ??= stored < good.length ? await compare(store, table, good) : [];
  const differing = found.filter((one) => one?.includes('unihash')).length;
  taking.likelyThere = stored < good.length / 2;
  counts.new += stored;
  counts.differing += differing;
  counts.equal += good.length - stored - differing;
}

/** @returns how many were new */
async function storeRows(taking: Taking, table: Table, rows: readonly RowValues[]): Promise<number> {
  if (rows.length === 0) return 0;
  const { store, onStored } = taking.pull;
  const began = performance.now();
  const stored = await store.importRows(table, rows);
  const now = performance.now();
  // Until then it waited for its turn. And few rows say little about many.
  const tookMs = now - Math.max(began, taking.storedAt);
  taking.storedAt = now;
  if (rows.length >= taking.rows / 2) taking.rows = nextRows(taking.rows, tookMs);
  if (stored > 0 && table === 'unihashes') for (const [method, taskhash] of rows) onStored(`${method} ${taskhash}`);
  return stored;
}

const withoutMore = (row: RowValues, columns: number) => (row.length === columns ? row : row.slice(0, columns));

/** Marks are none of a pull's business: whatever they are, the row is there. */
function compare(store: HashStore, table: Table, rows: readonly RowValues[]) {
  return store.compareRows(table, table === 'unihashes' ? rows.map((row) => [...row, '']) : rows);
}
