import fs from 'node:fs';
import path from 'node:path';
import sqlite3 from 'sqlite3';
import { StorageError, type StorageErrorCode } from '../../errors.ts';

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
  /** Milliseconds the call being made has been running; 0 when there is none. */
  busyMs(now: number): number;
  /** Makes the running statement fail with storage-timeout. */
  interrupt(): void;
  close(): Promise<void>;
}

export type OpenMode = 'create' | 'write' | 'read' | 'immutable';

const FLAGS: Record<OpenMode, number> = {
  create: sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE,
  write: sqlite3.OPEN_READWRITE,
  read: sqlite3.OPEN_READONLY,
  immutable: sqlite3.OPEN_READONLY | sqlite3.OPEN_URI,
};

/** SQLite 3.51.3 mends a bug that could corrupt a WAL database with several writers (reliability.md section 5). */
export const LEAST_SQLITE_VERSION = '3.51.3';

/**
 * Opens a database file.
 * @param mode `immutable` reads a file that nobody can change meanwhile (a read-only mount)
 * @throws StorageError storage-missing or storage-io
 */
export function openBinding(file: string, mode: OpenMode): Promise<Binding> {
  const name =
    mode === 'immutable' ? `file:${encodeURI(file).replaceAll('?', '%3f').replaceAll('#', '%23')}?immutable=1` : file;
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(name, FLAGS[mode], (error) => {
      if (error) reject(toStorageError(error, file));
      else resolve(bind(database, file));
    });
  });
}

function bind(database: sqlite3.Database, file: string): Binding {
  const statements = new Map<string, sqlite3.Statement>();
  /** One call at a time: further ones would each block a thread of the pool on SQLite's own lock. */
  let last: Promise<unknown> = Promise.resolve();
  let pending = 0;
  let runningSince = 0;
  let failRunning: ((error: Error) => void) | null = null;

  const prepare = (sql: string): sqlite3.Statement => {
    let statement = statements.get(sql);
    if (!statement) {
      statement = database.prepare(sql, (error: Error | null) => {
        if (!error) return;
        // sqlite3 drops the calls on a statement that failed to compile, and their callbacks with them.
        statements.delete(sql);
        failRunning?.(error);
      });
      statements.set(sql, statement);
    }
    return statement;
  };

  function call<T>(start: (done: (error: Error | null, value: T) => void) => void): Promise<T> {
    const run = () =>
      new Promise<T>((resolve, reject) => {
        runningSince = performance.now();
        const end = () => {
          pending--;
          runningSince = 0;
          failRunning = null;
        };
        failRunning = (error) => {
          end();
          reject(toStorageError(error, file));
        };
        start((error, value) => {
          end();
          if (error) reject(toStorageError(error, file));
          else resolve(value);
        });
      });
    const result = pending++ === 0 ? run() : last.then(run, run);
    last = result;
    return result;
  }

  return {
    run: (sql, params = []) =>
      call((done) =>
        prepare(sql).run(params, function (this: sqlite3.RunResult, error: Error | null) {
          done(error, this?.changes ?? 0);
        }),
      ),
    all: <Row>(sql: string, params: readonly Param[] = []) =>
      call<Row[]>((done) => prepare(sql).all(params, (error: Error | null, rows: Row[]) => done(error, rows))),
    exec: (sql) => call<void>((done) => database.exec(sql, (error) => done(error, undefined))),
    busyMs: (now) => (runningSince > 0 ? now - runningSince : 0),
    interrupt: () => database.interrupt(),
    async close() {
      // Unfinalized statements would make close fail with BUSY.
      await Promise.all(
        [...statements.values()].map((s) => new Promise<void>((resolve) => s.finalize(() => resolve()))),
      );
      statements.clear();
      await call<void>((done) => database.close((error) => done(error, undefined)));
    },
  };
}

const CODES: Record<string, [StorageErrorCode, string]> = {
  SQLITE_BUSY: ['storage-busy', 'the database is locked by another program'],
  SQLITE_LOCKED: ['storage-busy', 'the database is locked'],
  SQLITE_FULL: ['storage-full', 'storage full: free some disk space; nothing of this request was stored'],
  SQLITE_CORRUPT: ['storage-corrupt', 'the database file is damaged'],
  SQLITE_NOTADB: ['storage-corrupt', 'the file is not a SQLite database, or is damaged'],
  SQLITE_READONLY: ['storage-read-only', 'the database cannot be written'],
  SQLITE_CANTOPEN: ['storage-missing', 'the database file cannot be opened'],
  SQLITE_INTERRUPT: ['storage-timeout', 'a database statement took too long and was interrupted'],
  SQLITE_MISUSE: ['storage-closed', 'the database is closed'],
};

/** SQLite's error as one of ours, with the file named and the original as cause. */
export function toStorageError(error: Error, file: string): StorageError {
  let code = 'code' in error ? String(error.code) : '';
  // Growing the -shm or -wal file on a full disk is reported as an I/O error, which would end the server.
  if (code === 'SQLITE_IOERR' && isDiskFull(file)) code = 'SQLITE_FULL';
  // Nor does it when the file was taken away: it may come back (see file-watch.ts).
  if (code === 'SQLITE_IOERR' && !fs.existsSync(file)) code = 'SQLITE_CANTOPEN';
  const [ours, text] = CODES[code] ?? ['storage-io', 'the database failed'];
  const detail = CODES[code] ? '' : ` (${error.message})`;
  return new StorageError(ours, `${text}${detail}: ${file}`, error);
}

function isDiskFull(file: string): boolean {
  try {
    const { bavail, bsize } = fs.statfsSync(path.dirname(file));
    return bavail * bsize < 128 * 1024;
  } catch {
    return false;
  }
}

/**
 * True when reading, writing or syncing the file itself failed: after that nothing may be answered as stored. Not
 * when it failed for want of space, which heals.
 */
export function isIoError(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'storage-io' && sqliteCode(error.cause) === 'SQLITE_IOERR';
}

/** True when the error says that a row broke a constraint: the batch is then replayed one by one. */
export function isConstraintError(error: unknown): boolean {
  return sqliteCode(error instanceof StorageError ? error.cause : error) === 'SQLITE_CONSTRAINT';
}

function sqliteCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null;
}
