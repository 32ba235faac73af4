import fs from 'node:fs';
import path from 'node:path';
import { StorageError, type StorageErrorCode } from '../../../errors.ts';

/** SQLite's primary result codes: the low byte of an extended one. */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const INTERRUPT = 9;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const CONSTRAINT = 19;
const MISUSE = 21;
const NOTADB = 26;

/** Extended result codes of I/O errors: which operation failed. */
const ioError = (operation: number) => IOERR | (operation << 8);
const READ_FAILURES: ReadonlySet<number> = new Set([1, 2, 33].map(ioError)); // READ, SHORT_READ, CORRUPTFS
const SYNC_FAILURES: ReadonlySet<number> = new Set([4, 5].map(ioError)); // FSYNC, DIR_FSYNC
/** Growing the -shm file: SQLite does not tell a full disk from a failing one there, as it does where it writes. */
const SHM_FAILURES: ReadonlySet<number> = new Set([18, 19, 21].map(ioError)); // SHMOPEN, SHMSIZE, SHMMAP

const CODES: ReadonlyMap<number, readonly [StorageErrorCode, string]> = new Map([
  [BUSY, ['storage-busy', 'the database is locked by another program']],
  [LOCKED, ['storage-busy', 'the database is locked']],
  [FULL, ['storage-full', 'storage full: free some disk space; nothing of this request was stored']],
  [CORRUPT, ['storage-corrupt', 'the database file is damaged']],
  [NOTADB, ['storage-corrupt', 'the file is not a SQLite database, or is damaged']],
  [READONLY, ['storage-read-only', 'the database cannot be written']],
  [
    CANTOPEN,
    ['storage-missing', 'the database file cannot be opened (is it there, and may this user read it and its folder?)'],
  ],
  [INTERRUPT, ['storage-timeout', 'a database statement took too long and was interrupted']],
  [MISUSE, ['storage-closed', 'the database is closed']],
]);

/** SQLite's error as one of ours, with the file named and the original as cause. */
export function toStorageError(error: Error, file: string): StorageError {
  const [code, text] = CODES.get(primaryMeant(error, file)) ?? ['storage-io', failedOperation(error)];
  return new StorageError(code, `${text}: ${file}`, error);
}

/**
 * The primary code, or the cause of an I/O error that need not stop the server: a full disk, or a file that was
 * removed, which may come back (see watch.ts). A failed sync is neither, however full the disk is: what was
 * written before it may be lost, and a second sync would not report that.
 */
function primaryMeant(error: Error, file: string): number {
  const code = sqliteCode(error);
  const primary = code & 0xff;
  if (primary !== IOERR || SYNC_FAILURES.has(code)) return primary;
  if (!fs.existsSync(file)) return CANTOPEN;
  return SHM_FAILURES.has(code) && isDiskFull(file) ? FULL : primary;
}

function failedOperation(error: Error): string {
  const code = sqliteCode(error);
  // The package names primary codes only.
  const said = `${error.message.replace(/^UNKNOWN: /, '')}, SQLite's error ${code}`;
  if (SYNC_FAILURES.has(code)) return `syncing the database failed (${said})`;
  return READ_FAILURES.has(code) ? `reading the database failed (${said})` : `the database failed (${said})`;
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
 * True when reading failed or found something impossible. SQLite reports the same for one bad sector, one dropped request of a
 * network disk and a corrupt file, so nothing is decided by it alone (see doubt.ts).
 */
export function isReadFailure(error: unknown): error is StorageError {
  return (
    error instanceof StorageError && (error.code === 'storage-corrupt' || READ_FAILURES.has(sqliteCode(error.cause)))
  );
}

/**
 * True when writing or syncing the file itself failed: after that nothing may be reported as stored. Not when it
 * failed because the disk is full: that passes.
 */
export function isWriteFailure(error: unknown): error is StorageError {
  return (
    error instanceof StorageError &&
    error.code === 'storage-io' &&
    isIoErrorCode(sqliteCode(error.cause)) &&
    !isReadFailure(error)
  );
}

export function isIoErrorCode(code: number): boolean {
  return (code & 0xff) === IOERR;
}

/** True when a row violated a constraint: the batch's submissions are then applied one by one. */
export function isConstraintError(error: unknown): boolean {
  return (sqliteCode(error instanceof StorageError ? error.cause : error) & 0xff) === CONSTRAINT;
}

/** The extended result code; 0 where the error is not SQLite's. */
function sqliteCode(error: unknown): number {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
}
