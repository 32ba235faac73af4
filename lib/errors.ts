import util from 'node:util';

/** Every error code of bakeserv and its meaning. docs/errors.md lists exactly these (a test compares). */
export const ERROR_CODES = {
  'invoke-error': 'A request was refused; the connection stays usable.',
  'protocol-error': 'The bytes of a client broke the protocol; it is told why and the connection is closed.',
  'config-error': 'A flag, environment variable or setting is wrong; nothing was started.',
  'address-error': 'An address cannot be read, listened on or connected to.',
  'worker-error': 'Worker processes end again and again, or one does not answer; the server ends with status 1.',
  'storage-away':
    'The database server does not answer, or refuses the login; it is tried again, and look-ups that are in memory go on.',
  'storage-busy': 'Another program held the database lock for longer than the lock wait.',
  'storage-full':
    'The disk (or the database size limit) is full; reads go on and writes work again once there is room.',
  'storage-corrupt': 'The database file is damaged; the server stops writing and ends with status 3.',
  'storage-missing': 'The database file is absent, empty, or was removed or replaced while the server ran.',
  'storage-read-only': 'The database cannot be written here.',
  'storage-timeout': 'A statement ran longer than the statement limit and was interrupted.',
  'storage-io': 'Reading, writing or syncing the database failed; after a failed sync the server ends with status 3.',
  'storage-closed': 'The store is closed or closing.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** The base of every error that bakeserv throws on purpose. `message` is fit for a user; `cause` keeps the underlying error. */
export class BakeservError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
  }
}

/**
 * Why a request is refused, for a client that is told in more than words: a right that is lacking, a wrong login, a
 * server or listener that does not write or does not serve the command, an argument that is wrong, a thing that is not there or
 * is there already, an upstream that would have to answer; or another rule of the command.
 */
export type RefusalKind =
  | 'denied'
  | 'login'
  | 'read-only'
  | 'closed'
  | 'invalid'
  | 'missing'
  | 'exists'
  | 'unavailable'
  | 'rule';

/** A request is refused: answered with `{"invoke-error": {"message"}}`, and the connection goes on. */
export class InvokeError extends BakeservError {
  readonly kind: RefusalKind;

  constructor(message: string, cause?: unknown, kind: RefusalKind = 'rule') {
    super('invoke-error', message, cause);
    this.kind = kind;
  }
}

/** Nothing after this can be read from a client: answered with an invoke-error, then the connection is closed. */
export class ProtocolError extends BakeservError {
  constructor(message: string, cause?: unknown) {
    super('protocol-error', message, cause);
  }
}

/** A setting is wrong. The message names the setting and what was expected. */
export class ConfigError extends BakeservError {
  constructor(message: string, cause?: unknown) {
    super('config-error', message, cause);
  }
}

/** An address cannot be parsed, bound or reached. The message names the address. */
export class AddressError extends BakeservError {
  constructor(message: string, cause?: unknown) {
    super('address-error', message, cause);
  }
}

export type StorageErrorCode = Extract<ErrorCode, `storage-${string}`>;

/**
 * What a client is told about a failed database. Where the files are and what SQLite said is for the operator, who
 * finds it in the log. docs/errors.md lists exactly these (a test compares).
 */
export const STORAGE_TEXTS: Readonly<Record<StorageErrorCode, string>> = {
  'storage-away': 'the database does not answer',
  'storage-busy': 'the database is locked by another program',
  'storage-full': 'storage full',
  'storage-corrupt': 'the database file is damaged',
  'storage-missing': 'the database file is missing',
  'storage-read-only': 'the database cannot be written',
  'storage-timeout': 'the database took too long',
  'storage-io': 'the database failed',
  'storage-closed': 'the server is stopping',
};

/** The database failed. Never used for a miss: a miss is `null`. */
export class StorageError extends BakeservError {
  declare readonly code: StorageErrorCode;
  /** What a client is told instead of the message, which names files. */
  readonly clientText: string;

  constructor(code: StorageErrorCode, message: string, cause?: unknown, clientText = STORAGE_TEXTS[code]) {
    super(code, message, cause);
    this.clientText = clientText;
  }
}

/** The text of anything thrown, for a log line or a message. System errors are put into words, with the file. */
export function errorText(error: unknown): string {
  if (!isSystemError(error)) return error instanceof Error ? error.message : String(error);
  const { syscall, path, hostname, address, port } = error;
  const what = path ?? hostname ?? (address === undefined ? '' : [address, port].filter(Boolean).join(':'));
  return `cannot ${[VERBS[syscall] ?? syscall, what].filter(Boolean).join(' ')}: ${reasonOf(error)}`;
}

/** A text of somebody else's as it may be shown on one line: a control character could forge a line, or reach a terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the point is to replace control characters
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, '?');
}

/** Control characters, and those that turn the direction of the text around them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the point is to replace control characters
const UNSEEN = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** A text of somebody else's on one line, where nothing of it may be lost: what does not show is written as `\u202e`. */
export function escaped(text: string): string {
  return text.replace(UNSEEN, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Why something failed, for a message that names the file itself: `no such file or directory`. */
export function reasonOf(error: unknown): string {
  const tls = tlsReason(error);
  if (tls !== null) return tls;
  if (!isSystemError(error)) return errorText(error);
  return util.getSystemErrorMap().get(error.errno)?.[1] ?? error.code;
}

/** What OpenSSL says of a failed connection is written for its own developers: `…:SSL routines:FUNCTION:REASON:FILE:LINE:`. */
function tlsReason(error: unknown): string | null {
  const reason = error instanceof Error ? /:SSL routines:[^:]*:([^:]+):/.exec(error.message)?.[1] : undefined;
  if (reason === undefined) return null;
  if (reason.endsWith('alert certificate required'))
    return 'the server wants a certificate; name it with --tls-cert and --tls-key';
  return `TLS: ${reason}`;
}

interface SystemError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly path?: string;
  readonly hostname?: string;
  readonly address?: string;
  readonly port?: number;
}

function isSystemError(error: unknown): error is SystemError {
  return (
    error instanceof Error && 'syscall' in error && 'code' in error && typeof Reflect.get(error, 'errno') === 'number'
  );
}

/** What a system call does, if its name is not clear to everybody. */
const VERBS: Readonly<Record<string, string>> = {
  access: 'read',
  connect: 'connect to',
  fsync: 'write',
  ftruncate: 'write',
  getaddrinfo: 'look up the host',
  listen: 'listen on',
  lstat: 'read',
  mkdir: 'make the folder',
  mkdtemp: 'make the folder',
  opendir: 'read',
  realpath: 'read',
  scandir: 'read',
  stat: 'read',
  unlink: 'remove',
};

/** A connection that proves a loop of upstreams. The guard has logged it. */
export class LoopError extends ProtocolError {}
