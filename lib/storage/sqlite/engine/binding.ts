import sqlite3 from 'sqlite3';
import { StorageError } from '../../../errors.ts';
import { toStorageError } from './errors.ts';

/** What can be bound to a `?`: checked strings and numbers only (an array would become a parameter list, undefined NULL). */
export type Param = string | number | null;

/** One SQLite connection. Calls run in the order they are made, each on a thread of the pool; errors are StorageErrors. */
export interface Binding {
  /** Runs a statement that writes; resolves to the number of rows it changed. */
  run(sql: string, params?: readonly Param[]): Promise<number>;
  /** All rows of a query. The statement is reset afterwards, so that no snapshot stays pinned. */
  all<Row>(sql: string, params?: readonly Param[]): Promise<Row[]>;
  /** Runs several statements without parameters. */
  exec(sql: string): Promise<void>;
  /** Is told of each call that begins; replaces whoever was told before. */
  onCall(listener: () => void): void;
  /** How many milliseconds the current call has been running; 0 if there is none. */
  busyMs(now: number): number;
  /** Makes the running statement fail with storage-timeout. */
  interrupt(): void;
  /** Done once what was asked before is done; what is asked after is refused with storage-closed. */
  close(): Promise<void>;
}

export type OpenMode = 'create' | 'write' | 'read' | 'immutable';

/** SQLITE_OPEN_EXRESCODE, for which the package has no name: errors say which operation failed. */
const EXTENDED_CODES = 0x02000000;

const FLAGS: Record<OpenMode, number> = {
  create: sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE,
  write: sqlite3.OPEN_READWRITE,
  read: sqlite3.OPEN_READONLY,
  immutable: sqlite3.OPEN_READONLY | sqlite3.OPEN_URI,
};

/** SQLite 3.51.3 fixes a bug that could corrupt a WAL database with several writers. */
export const LEAST_SQLITE_VERSION = '3.51.3';

/**
 * Prepared statements that a connection keeps: several times what look-ups and reports use, at about 5 KB each. There are
 * thousands of others: a where may name any of the columns.
 */
export const MAX_STATEMENTS = 64;

/**
 * Opens a database file.
 * @param mode `immutable` reads a file that nobody can change meanwhile (a read-only mount)
 * @throws StorageError storage-missing or storage-io
 */
export function openBinding(file: string, mode: OpenMode): Promise<Binding> {
  const name =
    mode === 'immutable' ? `file:${encodeURI(file).replaceAll('?', '%3f').replaceAll('#', '%23')}?immutable=1` : file;
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(name, FLAGS[mode] | EXTENDED_CODES, (error) => {
      if (error) reject(toStorageError(error, file));
      else resolve(bind(database, file));
    });
  });
}

/** Completes a call. */
type Done<T> = { (error: Error): void; (error: null, value: T): void };

/**
 * Completes a call that failed. SQLite keeps a statement that was refused for a lock active, to be stepped again: left so, the
 * next read pins this connection's snapshot, and after another's next commit every write here is refused for good.
 */
function refuse(statement: sqlite3.Statement, error: Error, done: (error: Error) => void): void {
  statement.reset(() => done(error));
}

function bind(database: sqlite3.Database, file: string): Binding {
  /** The one that was used last is at the end. */
  const statements = new Map<string, sqlite3.Statement>();
  /** One call at a time: each further call would block a thread of the pool on SQLite's own lock. */
  let last: Promise<unknown> = Promise.resolve();
  let pending = 0;
  let runningSince = 0;
  let failRunning: ((error: Error) => void) | null = null;
  let onCall: (() => void) | null = null;
  let closed = false;

  const prepare = (sql: string): sqlite3.Statement => {
    let statement = statements.get(sql);
    if (statement) statements.delete(sql);
    else {
      makeRoom();
      statement = database.prepare(sql, (error: Error | null) => {
        if (!error) return;
        // sqlite3 drops the calls on a statement that failed to compile, and their callbacks with them.
        statements.delete(sql);
        failRunning?.(error);
      });
    }
    statements.set(sql, statement);
    return statement;
  };

  /** Called before a call begins: nothing runs on this connection, and the thread does not wait for its lock. */
  function makeRoom(): void {
    if (statements.size < MAX_STATEMENTS) return;
    for (const [sql, oldest] of statements) {
      statements.delete(sql);
      oldest.finalize();
      return;
    }
  }

  function call<T>(start: (done: Done<T>) => void): Promise<T> {
    if (closed) return Promise.reject(new StorageError('storage-closed', `the database is closed: ${file}`));
    const run = () =>
      new Promise<T>((resolve, reject) => {
        runningSince = performance.now();
        onCall?.();
        const end = () => {
          pending--;
          runningSince = 0;
          failRunning = null;
        };
        failRunning = (error) => {
          end();
          reject(toStorageError(error, file));
        };
        start((error, value?: T) => {
          end();
          if (error) reject(toStorageError(error, file));
          else resolve(value as T);
        });
      });
    const result = pending++ === 0 ? run() : last.then(run, run);
    last = result;
    return result;
  }

  return {
    run: (sql, params = []) =>
      call((done) => {
        const statement = prepare(sql);
        statement.run(params, function (this: sqlite3.RunResult, error: Error | null) {
          if (error) refuse(statement, error, done);
          else done(null, this.changes);
        });
      }),
    all: <Row>(sql: string, params: readonly Param[] = []) =>
      call<Row[]>((done) => {
        const statement = prepare(sql);
        statement.all(params, (error: Error | null, rows: Row[]) => {
          if (error) refuse(statement, error, done);
          else done(null, rows);
        });
      }),
    exec: (sql) => call<void>((done) => database.exec(sql, (error) => (error ? done(error) : done(null, undefined)))),
    onCall(listener) {
      onCall = listener;
    },
    busyMs: (now) => (runningSince > 0 ? now - runningSince : 0),
    interrupt: () => database.interrupt(),
    async close() {
      closed = true;
      // SQLite refuses to close, as if another program had locked the file, while one statement is left: none may come now.
      await last.catch(() => {});
      await Promise.all(
        [...statements.values()].map((s) => new Promise<void>((resolve) => s.finalize(() => resolve()))),
      );
      statements.clear();
      await new Promise<void>((resolve, reject) => {
        database.close((error) => (error ? reject(toStorageError(error, file)) : resolve()));
      });
    },
  };
}
