import { InvokeError } from '../errors.ts';
import type { FoundPage, RowSearch, RowValues, SearchLimits } from './store.ts';

/** Keys in one search. */
export const MAX_FOUND_KEYS = 1000;
/** Reports that a page looks at for those of recipes: a few ten milliseconds of a disk. */
const LOOKED_AT = 20_000;

/** What a row takes without its outhash_siginfo, at most. */
export const ROW_BYTES = 1024;

/** A row that was found, and has yet to be read. */
export interface RowPlace {
  /** Which of the keys it has, from 0. */
  readonly key: number;
  /** Its place among those with that key: its outhash for reports of a task, otherwise its id. */
  readonly at: string | number;
  readonly id: number;
  /** What it takes, about. */
  readonly bytes: number;
}

/** How an engine finds rows; all of it in order. */
export interface RowFinder {
  /** Of the first key alone, behind a place. */
  ofFirst(search: RowSearch, after: string, limits: SearchLimits): Promise<readonly RowPlace[]>;
  /** By key, and then by place; of all keys from `from` on. */
  ofOthers(search: RowSearch, from: number, limits: SearchLimits): Promise<readonly RowPlace[]>;
  /** Among that many reports behind an id; `end` is the id of the last of them, null when those were all there are. */
  amongReports(
    recipes: readonly string[],
    after: number,
    look: number,
    limits: SearchLimits,
  ): Promise<{ readonly found: readonly RowPlace[]; readonly end: number | null }>;
  /** The rows with these ids, as far as they are still there. */
  read(search: RowSearch, ids: readonly number[], brief: boolean): Promise<ReadonlyMap<number, RowValues>>;
}

/**
 * A page of what is looked for. The first key is gone through by its index from where the page before ended, so that a key with
 * very many rows costs what is read of it.
 */
export async function findPage(
  finder: RowFinder,
  search: RowSearch,
  after: string | null,
  limits: SearchLimits,
): Promise<FoundPage> {
  if (search.keys.length === 0) return { rows: [], next: null };
  if (search.by === 'PN') return reportsPage(finder, search, after, limits);
  const [key, place] = placeIn(search, after);
  const rest = { ...search, keys: search.keys.slice(key) } as RowSearch;
  let found: readonly RowPlace[] = [];
  let from = 0;
  if (place !== null) {
    found = await finder.ofFirst(rest, place, limits);
    from = 1;
  }
  if (found.length < limits.rows && rest.keys.length > from) {
    const others = await finder.ofOthers(rest, from, { ...limits, rows: limits.rows - found.length });
    found = [...found, ...others];
  }
  const fitting = fit(found, limits.bytes);
  const last = fitting.at(-1);
  const more = last !== undefined && (fitting.length < found.length || found.length >= limits.rows);
  return { rows: await readAll(finder, search, fitting, limits), next: more ? `${key + last.key}:${last.at}` : null };
}

async function reportsPage(
  finder: RowFinder,
  search: Extract<RowSearch, { by: 'PN' }>,
  after: string | null,
  limits: SearchLimits,
): Promise<FoundPage> {
  if (after !== null && !/^\d{1,15}$/.test(after)) throw strange();
  const { found, end } = await finder.amongReports(search.keys, Number(after ?? 0), LOOKED_AT, limits);
  const fitting = fit(found, limits.bytes);
  const isCut = fitting.length < found.length || found.length >= limits.rows;
  const next = isCut ? fitting.at(-1)!.id : end;
  return { rows: await readAll(finder, search, fitting, limits), next: next === null ? null : String(next) };
}

/** The key to go on with, and the place behind which; null: from the start of that key. */
function placeIn({ keys, table, by }: RowSearch, after: string | null): [key: number, place: string | null] {
  if (after === null) return [0, null];
  const found = /^(\d{1,4}):([\s\S]+)$/.exec(after);
  const isOuthash = table === 'outhashes' && by === 'task';
  if (!found || Number(found[1]) >= keys.length || !(isOuthash || /^\d{1,15}$/.test(found[2]!))) throw strange();
  return [Number(found[1]), found[2]!];
}

const strange = () => new InvokeError('find-rows: after is not from a page of this search', undefined, 'invalid');

/** At least one, whatever its size. */
function fit(found: readonly RowPlace[], maxBytes: number): readonly RowPlace[] {
  let bytes = 0;
  return found.filter((row, i) => {
    bytes += row.bytes;
    return i === 0 || bytes <= maxBytes;
  });
}

async function readAll(
  finder: RowFinder,
  search: RowSearch,
  places: readonly RowPlace[],
  { brief }: SearchLimits,
): Promise<readonly RowValues[]> {
  if (places.length === 0) return [];
  const rows = await finder.read(
    search,
    places.map(({ id }) => id),
    brief,
  );
  return places.map(({ id }) => rows.get(id)).filter((row) => row !== undefined);
}
