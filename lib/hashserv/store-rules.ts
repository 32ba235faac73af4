import { InvokeError } from '../errors.ts';
import type { GcTask } from './store.ts';
import type { Table, Where } from './where.ts';

/** What every engine does in the same way: names of BitBake's tables, refusals, and how a search is begun. */

export const TABLE_NAMES: Readonly<Record<Table, string>> = { unihashes: 'unihashes_v3', outhashes: 'outhashes_v2' };
/** The tables whose rows get-db-usage counts. */
export const USAGE_TABLES = ['unihashes_v3', 'outhashes_v2', 'users', 'config'] as const;

/** Whose values name a row: there is one row of them at most. The first columns of ROW_COLUMNS. */
export const UNIQUE_COLUMNS: Readonly<Record<Table, readonly string[]>> = {
  unihashes: ['method', 'taskhash'],
  outhashes: ['method', 'taskhash', 'outhash'],
};

/** Columns by which an index usually leads to few rows; the first entry whose columns a where names is used. */
const LOOKUPS: Readonly<Record<Table, readonly (readonly string[])[]>> = {
  unihashes: [['unihash'], ['method', 'taskhash']],
  outhashes: [
    ['method', 'outhash'],
    ['method', 'taskhash'],
  ],
};

/** The most rows that an index may lead to; for more the table is gone through. */
export const MAX_INDEXED_ROWS = 2000;

/** The columns of the index that leads to what a where matches, if there is one. */
export function lookupFor(table: Table, where: Where): readonly string[] | undefined {
  return LOOKUPS[table].find((columns) => columns.every((column) => where.some(([named]) => named === column)));
}

/** Columns of a key of `distinctKeys`, in their order. */
export const KEY_COLUMNS = ['unihash', 'method', 'taskhash', 'gc_mark'] as const;

/** How many rows a key matches. */
export interface KeyCount {
  /** The index of the key. */
  readonly i: number;
  readonly n: number;
}

/**
 * Wheres of count-stream and gc-mark-stream, each once however often it comes: a unihash may have very many tasks.
 * A column that a where does not name is null.
 */
export function distinctKeys(wheres: readonly Where[]) {
  const places = new Map<string, number>();
  const keys: (readonly (string | null)[])[] = [];
  const place = wheres.map((where) => {
    const key = KEY_COLUMNS.map((column) => where.find(([name]) => name === column)?.[1] ?? null);
    const joined = JSON.stringify(key);
    const known = places.get(joined) ?? keys.push(key) - 1;
    places.set(joined, known);
    return known;
  });
  return {
    keys,
    /** From the counts of keys, where they match any row, the count of each where, in their order. */
    countsOf(rows: readonly KeyCount[]): number[] {
      const counts: number[] = new Array(keys.length).fill(0);
      for (const { i, n } of rows) counts[i] = n;
      return place.map((at) => counts[at]!);
    },
  };
}

/** Whether a task is of a collection, which another may have ended. */
export function hasMark(task: GcTask): task is Extract<GcTask, { readonly mark: string }> {
  return task.kind === 'mark' || task.kind === 'sweep';
}

/** @throws InvokeError when the task's mark is not the current one */
export function requireCurrentMark(task: Extract<GcTask, { readonly mark: string }>, current: string | null): void {
  if (current === task.mark) return;
  throw new InvokeError(
    task.kind === 'sweep'
      ? `'${task.mark}' is not the current mark. Refusing to sweep`
      : `'${task.mark}' is no longer the current mark: another collection was begun, or this one was ended, meanwhile`,
  );
}

/** Why the last user who may manage users keeps that right. */
export function lastManager(username: string): InvokeError {
  return new InvokeError(`'${username}' is the last user who may manage users: make another one first`);
}
