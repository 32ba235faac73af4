import sqlite3 from 'sqlite3';
import { createClock } from '../../lib/hashserv/clock.ts';
import type { GcTask, HashStore, Report } from '../../lib/hashserv/store.ts';
import type { PrStore } from '../../lib/prserv/store.ts';
import { METHOD } from '../helpers.ts';

export interface Running {
  after(fn: () => void | Promise<void>): void;
}

/** What an engine brings to the contract: how to open a store on a database of that name, new where there is none. */
export interface HashEngine {
  /** Two opens of one name are two servers on one database. */
  open(name: string, options?: { readOnly?: boolean }): Promise<{ store: HashStore; close(): Promise<void> }>;
}

/** Databases of an engine, each new, for the parts of the contract. */
export interface HashDatabases {
  readonly engine: HashEngine;
  newName(): string;
  /** Opens a store, closed after the test, on a database of that name: a new one where none is given. */
  openNew(t: Running, on?: string): Promise<HashStore>;
}

export interface PrEngine {
  open(name: string, options?: { readOnly?: boolean }): Promise<{ store: PrStore; close(): Promise<void> }>;
}

export { hash, METHOD, temporaryFolder } from '../helpers.ts';

/** A part of a test that ends what it opens, so that not all parts keep theirs to the end of the test. */
export async function within(part: (running: Running) => Promise<void>): Promise<void> {
  const ends: (() => void | Promise<void>)[] = [];
  try {
    await part({ after: (end) => void ends.push(end) });
  } finally {
    for (const end of ends) await end();
  }
}

const clock = createClock();

/** A report of a task with the given hashes, made now. */
export function reportOf(taskhash: string, outhash: string, unihash: string, more: Partial<Report> = {}): Report {
  const fields = { owner: null, PN: null, PV: null, PR: null, task: null, outhash_siginfo: null };
  return { method: METHOD, taskhash, outhash, unihash, created: clock(), ...fields, ...more };
}

/** Removes a task's unihash. */
export const remove = (taskhash: string): GcTask => ({
  kind: 'remove',
  table: 'unihashes',
  where: [['taskhash', taskhash]],
});

export const mark = (by: string, taskhash: string): GcTask => ({
  kind: 'mark',
  mark: by,
  where: [['taskhash', taskhash]],
});

/** Does a task to its end; rows changed. */
export async function doAll(store: HashStore, task: GcTask): Promise<number> {
  let count = 0;
  for (let after: number | null = 0; after !== null; ) {
    const { ids, next } = await store.gcFind(task, after, 10);
    count += await store.gcApply(task, ids);
    after = next;
  }
  return count;
}

/** Runs SQL on a file as another program would, on a connection of its own. */
export async function withSqlite<T>(file: string, use: (run: SqlRunner) => Promise<T>): Promise<T> {
  const database = await new Promise<sqlite3.Database>((resolve, reject) => {
    const opened: sqlite3.Database = new sqlite3.Database(file, (error) => (error ? reject(error) : resolve(opened)));
  });
  const run: SqlRunner = (sql, params = []) =>
    new Promise((resolve, reject) => {
      database.all(sql, params, (error: Error | null, rows: Record<string, string | number | null>[]) =>
        error ? reject(error) : resolve(rows),
      );
    });
  try {
    return await use(run);
  } finally {
    await new Promise((resolve) => database.close(resolve));
  }
}

export type SqlRunner = (
  sql: string,
  params?: readonly (string | number | null)[],
) => Promise<Record<string, string | number | null>[]>;

/** Until it is so, turn after turn: what others have written is noticed by the clock. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 2));
}
