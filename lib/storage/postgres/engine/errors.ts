import { InvokeError, StorageError, type StorageErrorCode } from '../../../errors.ts';

/** PostgreSQL's SQLSTATEs, by the codes they are here (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const CODES: Readonly<Record<string, readonly [StorageErrorCode, string]>> = {
  '25006': ['storage-read-only', 'the database takes no writes: it is a standby, or was made read-only'],
  '42501': ['storage-read-only', 'the database refuses its user this'],
  '42P01': ['storage-missing', 'the database has no such table'],
  '3D000': ['storage-missing', 'there is no such database'],
  '3F000': ['storage-missing', 'there is no such schema'],
  '53100': ['storage-full', 'the disk of the database is full'],
  '53200': ['storage-busy', 'the database is out of memory'],
  '53300': ['storage-busy', 'the database has no connection left'],
  '53400': ['storage-busy', 'a limit of the database is reached'],
  '55P03': ['storage-busy', 'the database is locked'],
  '55000': ['storage-away', 'the database takes no connections at the moment'],
  '57014': ['storage-timeout', 'a database statement took too long and was cancelled'],
  '40001': ['storage-busy', 'other servers kept changing the same rows'],
  '40P01': ['storage-busy', 'other servers kept locking the same rows'],
  '28000': ['storage-away', 'the database refuses the login'],
  '28P01': ['storage-away', 'the database refuses the password'],
  XX001: ['storage-corrupt', 'the database reports damaged data'],
  XX002: ['storage-corrupt', 'the database reports a damaged index'],
};

/** What a client sent cannot be stored, whichever batch it is in. */
const REFUSED: Readonly<Record<string, string>> = {
  '54000': 'a method, hash or name is too long for an index of the database',
  '22021': 'the text holds a character that the database cannot store',
  '22P05': 'the text holds a character that the database cannot store',
};

/** The connection is gone, or there was none: another one may do. */
const CLASSES_AWAY = ['08', '57P'];
/** It answers, and lets nobody in: no connection is left, or the database takes none at the moment. */
const STATES_AWAY = new Set(['53300', '55000']);
const SYSTEM_AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
]);
const TEXTS_AWAY =
  /^(Connection terminated|timeout (expired|exceeded)|Client has encountered a connection error|Query read timeout)/;

/** As the driver says it. */
const GIVEN_UP = 'Query read timeout';
export const NO_CONNECTION_IN_TIME = 'timeout exceeded when trying to connect';
const TOO_LATE = [GIVEN_UP, NO_CONNECTION_IN_TIME];

/** Serialization failure, deadlock, and what two servers that make the same table at once get. */
const CONFLICTS = new Set(['40001', '40P01', '23505', '42P07']);

/** Another server was in the way: the same transaction may succeed when it is run again. */
export function isConflict(error: unknown): boolean {
  return CONFLICTS.has(sqlState(error));
}

/** The connection broke, or nobody answers: nothing is known about what was under way. */
export function isAway(error: unknown): boolean {
  const code = sqlState(error);
  if (code === '57014') return false;
  if (CLASSES_AWAY.some((prefix) => code.startsWith(prefix))) return true;
  if (STATES_AWAY.has(code) || SYSTEM_AWAY.has(code)) return true;
  return error instanceof Error && TEXTS_AWAY.test(error.message);
}

/** The database takes no writes at the moment: after a failover the address may still lead to what is now a standby. */
export function isReadOnly(error: unknown): boolean {
  return sqlState(error) === '25006';
}

/** The server ends the connection with this error. */
export function isFatal(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && (error.severity === 'FATAL' || error.severity === 'PANIC');
}

/**
 * Of two errors, the one that says why there was no answer in time: an earlier attempt was told, say, that no connection is left, and the last one
 * had no time to hear it.
 */
export function tellingOf(earlier: unknown, last: unknown): unknown {
  const cause = last instanceof StorageError ? last.cause : last;
  const isLate = cause instanceof Error && TOO_LATE.includes(cause.message);
  return earlier !== null && isLate ? earlier : last;
}

/** A statement had no answer in its time. */
export function isGivenUp(error: unknown): boolean {
  return error instanceof Error && error.message === GIVEN_UP;
}

/** The engine has no such function, or not for this user. */
export function isMissing(error: unknown): boolean {
  const code = sqlState(error);
  return code.startsWith('42') || code.startsWith('0A');
}

/** A standby cancelled a statement that was in the way of what it had to replay, whatever state it gave it. */
export function isStandbyConflict(error: unknown): boolean {
  return error instanceof Error && error.message.includes('due to conflict with recovery');
}

/** A prepared statement is not there, or there twice: a pooler between us gives each transaction another connection. */
export function isPoolerError(error: unknown): boolean {
  const code = sqlState(error);
  return code === '26000' || code === '42P05';
}

/** What is wrong is the doing of one request, not of the batch it is in. */
export function isRefusal(error: unknown): boolean {
  return sqlState(error) in REFUSED || error instanceof InvokeError;
}

/** An error of the driver as one of ours, with the database named (never its password) and the original as cause. */
export function toStorageError(error: unknown, database: string): Error {
  if (error instanceof StorageError || error instanceof InvokeError) return error;
  const state = sqlState(error);
  const refused = REFUSED[state];
  if (refused !== undefined) return new InvokeError(refused, error);
  const said = error instanceof Error ? error.message : String(error);
  if (isAway(error) && !(state in CODES))
    return new StorageError('storage-away', `the database does not answer (${said}): ${database}`, error);
  const [code, text] = CODES[state] ?? ['storage-io', `the database failed (${said}, SQLSTATE ${state || 'none'})`];
  return new StorageError(code, `${text}: ${database}`, error);
}

/** The SQLSTATE, or the code of a system error; empty where there is none. */
export function sqlState(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
