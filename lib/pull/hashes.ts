import { rowFault } from '../hashserv/commands/row-rule.ts';
import type { HashStore, RowValues, Table } from '../hashserv/store.ts';
import { ROW_COLUMNS } from '../hashserv/where.ts';
import { findPlace, followPlaces, type Place, type Places } from './places.ts';
import { picksReports, type Selection, wantsMethod, wantsOuthash } from './selection.ts';
import type { PullSlice, PullSource } from './source.ts';

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
}

export interface HashStep {
  readonly counts: HashCounts;
  readonly places: HashPlaces;
}

/** Large enough that a round trip is nothing, small enough that clients have their turn. */
const SLICE = { rows: 1000, bytes: 2 * 1024 * 1024 };
const NO_COUNTS: TableCounts = { new: 0, equal: 0, differing: 0, refused: 0 };
export const NO_PLACES: HashPlaces = { unihashes: null, outhashes: null };

export function noHashes(): HashCounts {
  return { unihashes: { ...NO_COUNTS }, outhashes: { ...NO_COUNTS }, read: 0 };
}

/**
 * Takes what a source has of hash equivalence, a slice at a time. The first unihash of a task wins, and the first is ours: so
 * half a pull does no harm, and what is done again changes nothing. Unihashes come before outhashes: a task whose outhash is
 * here alone would get another unihash at its next report.
 */
export async function* pullHashes(pull: HashPull, counts = noHashes()): AsyncGenerator<HashStep, HashStep> {
  let places = pull.from;
  const step = (): HashStep => ({ counts, places });
  const tables: readonly Table[] = picksReports(pull.selection) ? ['outhashes'] : ['unihashes', 'outhashes'];
  for (const table of tables) {
    const { after, follow } = await beginning(pull, table);
    for await (const { slice, at } of slicesFrom(pull.source, table, after)) {
      counts.read += slice.rows.length + slice.odd.length;
      counts[table].refused += slice.odd.length;
      await takeSlice(pull, table, slice.rows, counts);
      follow.passed(at, slice);
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

/** The next slice is read while one is stored. */
async function* slicesFrom(
  source: PullSource,
  table: Table,
  after: string | null,
): AsyncGenerator<{ slice: PullSlice; at: string | null }> {
  const read = (from: string | null) => {
    const slice = source.slice(table, from, SLICE);
    // It may fail before it is asked for.
    slice.catch(() => {});
    return { slice, at: from };
  };
  let coming: ReturnType<typeof read> | null = read(after);
  while (coming) {
    const slice: PullSlice = await coming.slice;
    const { at } = coming;
    coming = slice.next === null ? null : read(slice.next);
    yield { slice, at };
  }
}

async function takeSlice(pull: HashPull, table: Table, rows: readonly RowValues[], counts: HashCounts): Promise<void> {
  const { selection, source } = pull;
  if (table === 'unihashes') {
    const wanted = rows.filter(([method]) => wantsMethod(selection, method!));
    return take(pull, 'unihashes', wanted, counts.unihashes);
  }
  const wanted = rows.filter((row) => wantsOuthash(selection, row));
  if (wanted.length > 0 && picksReports(selection)) {
    const tasks = [
      ...new Map(wanted.map(([method, taskhash]) => [`${method} ${taskhash}`, [method!, taskhash!] as const])),
    ];
    const keys = tasks.map(([, key]) => key);
    const unihashes = await source.unihashesOf(keys);
    const theirs = keys.flatMap((key, i) => (unihashes[i] === null ? [] : [[...key, unihashes[i]!]]));
    await take(pull, 'unihashes', theirs, counts.unihashes);
  }
  await take(pull, 'outhashes', wanted, counts.outhashes);
}

async function take(pull: HashPull, table: Table, rows: readonly RowValues[], counts: TableCounts): Promise<void> {
  const { store, dryRun, onStored } = pull;
  const columns = ROW_COLUMNS[table];
  const good = rows.map((row) => row.slice(0, columns.length)).filter((row) => rowFault(columns, row) === null);
  counts.refused += rows.length - good.length;
  if (good.length === 0) return;
  const stored = dryRun ? null : await store.importRows(table, good);
  if (stored !== null && stored > 0 && table === 'unihashes')
    for (const [method, taskhash] of good) onStored(`${method} ${taskhash}`);
  const found = stored === good.length ? [] : await compare(store, table, good);
  const fresh = stored ?? found.filter((one) => one === null).length;
  const differing = found.filter((one) => one?.includes('unihash')).length;
  counts.new += fresh;
  counts.differing += differing;
  counts.equal += good.length - fresh - differing;
}

/** Marks are none of a pull's business: whatever they are, the row is there. */
function compare(store: HashStore, table: Table, rows: readonly RowValues[]) {
  return store.compareRows(table, table === 'unihashes' ? rows.map((row) => [...row, '']) : rows);
}
