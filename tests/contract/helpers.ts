import sqlite3 from 'sqlite3';
import { createClock } from '../../lib/hashserv/clock.ts';
import type { HashStore, Report } from '../../lib/hashserv/store.ts';
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

export interface PrEngine {
  open(name: string, options?: { readOnly?: boolean }): Promise<{ store: PrStore; close(): Promise<void> }>;
}

export { hash, METHOD, temporaryFolder } from '../helpers.ts';

const clock = createClock();

/** A report of a task with the given hashes, made now. */
export function reportOf(taskhash: string, outhash: string, unihash: string, more: Partial<Report> = {}): Report {
  const fields = { owner: null, PN: null, PV: null, PR: null, task: null, outhash_siginfo: null };
  return { method: METHOD, taskhash, outhash, unihash, created: clock(), ...fields, ...more };
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
