import { ProtocolError } from '../errors.ts';

/**
 * Every limit on a connection, with the defaults of docs/options.md. Sizes in bytes, times in
 * milliseconds. Each is an option of `bakeserv serve` under the kebab-case of its name.
 */
export interface Limits {
  /** The longest line a client may send. */
  readonly maxLineBytes: number;
  /** The longest message, chunks put together. */
  readonly maxMessageBytes: number;
  /** The longest message of a connection that has yet to make a login the server requires. */
  readonly maxMessageBeforeLoginBytes: number;
  /** Incomplete long messages of all connections together; room for a few of the longest. */
  readonly maxPartialBytes: number;
  /** What is held for all connections together, above the 128 KiB that each may always hold. */
  readonly maxHeldBytes: number;
  /** Nesting of a JSON message. */
  readonly maxJsonDepth: number;
  /** Object keys in a JSON message. */
  readonly maxJsonKeys: number;
  readonly handshakeTimeoutMs: number;
  readonly maxHeaders: number;
  readonly maxHeaderBytes: number;
  /** From the first byte of a message to its last. */
  readonly messageTimeoutMs: number;
  readonly maxConnections: number;
  /** Of those, from one network address. */
  readonly maxConnectionsPerAddress: number;
  /** Connections in handshake for a second or more; past this the oldest are closed. */
  readonly maxHandshakes: number;
  /** Of those, from one network address (Unix sockets are not counted here). */
  readonly maxHandshakesPerAddress: number;
  /** Stream lines, or requests of one batching command, in flight on a connection. */
  readonly maxInFlight: number;
  /** Bytes of requests in flight or waiting on a connection before it is no longer read. */
  readonly maxInFlightBytes: number;
  /** Unsent output at which a connection is no longer read. */
  readonly outputPauseBytes: number;
  /** Unsent output at which a connection is closed. */
  readonly outputLimitBytes: number;
  /** A connection whose output has not moved for this long is closed. */
  readonly outputTimeoutMs: number;
  /** HTTP connections at once; those that become WebSockets are counted no longer. */
  readonly maxHttpConnections: number;
  /** The headers of an HTTP request. */
  readonly maxHttpHeaderBytes: number;
  /** The body of an HTTP request. */
  readonly maxHttpBodyBytes: number;
  /** An HTTP connection on which nothing is asked is closed after this long. */
  readonly httpIdleTimeoutMs: number;
  /** TCP keep-alive: idle time before the first probe. */
  readonly keepAliveMs: number;
  /** Time between pings on a WebSocket; a peer that leaves two in a row unanswered is closed when the third is due. */
  readonly websocketPingMs: number;
  /** A failed login is answered after this long. */
  readonly loginFailureDelayMs: number;
  /** After this many failures within a minute, of one user from one address, … */
  readonly maxLoginFailures: number;
  /** … logins of that user from there are checked one at a time for this long, … */
  readonly loginCautionMs: number;
  /** … at most this many a second. */
  readonly maxCautiousLogins: number;
  /** How long a stopping server waits for connections to finish what it has read from them. */
  readonly drainTimeoutMs: number;
}

export const KIB = 1024;
export const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: Limits = Object.freeze({
  maxLineBytes: 64 * KIB,
  maxMessageBytes: 16 * MIB,
  maxMessageBeforeLoginBytes: 64 * KIB,
  maxPartialBytes: 64 * MIB,
  maxHeldBytes: 128 * MIB,
  maxJsonDepth: 32,
  maxJsonKeys: 10_000,
  handshakeTimeoutMs: 10_000,
  maxHeaders: 32,
  maxHeaderBytes: 8 * KIB,
  messageTimeoutMs: 60_000,
  maxConnections: 4096,
  maxConnectionsPerAddress: 2048,
  maxHandshakes: 256,
  maxHandshakesPerAddress: 64,
  maxInFlight: 1024,
  maxInFlightBytes: 256 * KIB,
  outputPauseBytes: 1 * MIB,
  outputLimitBytes: 8 * MIB,
  outputTimeoutMs: 30_000,
  maxHttpConnections: 256,
  maxHttpHeaderBytes: 16 * KIB,
  maxHttpBodyBytes: 1 * MIB,
  httpIdleTimeoutMs: 30_000,
  keepAliveMs: 30_000,
  websocketPingMs: 30_000,
  loginFailureDelayMs: 1_000,
  maxLoginFailures: 10,
  loginCautionMs: 30_000,
  maxCautiousLogins: 50,
  drainTimeoutMs: 5_000,
});

/** How often each limit was met. */
export type LimitHits = { -readonly [name in keyof Limits]: number };

export function noHits(): LimitHits {
  return Object.fromEntries(Object.keys(DEFAULT_LIMITS).map((name) => [name, 0])) as unknown as LimitHits;
}

/** A client went past a limit, and nothing after that can be read from it. */
export class LimitError extends ProtocolError {
  readonly limit: keyof Limits;

  constructor(limit: keyof Limits, message: string) {
    super(message);
    this.limit = limit;
  }
}

/** The error for a message of more than `maxBytes`, which is one of the limits. */
export function tooLong(limits: Limits, maxBytes: number): LimitError {
  const isWhole = maxBytes === limits.maxMessageBytes;
  const ofLogin = maxBytes === limits.maxMessageBeforeLoginBytes ? 'maxMessageBeforeLoginBytes' : 'maxLineBytes';
  return new LimitError(isWhole ? 'maxMessageBytes' : ofLogin, `a message is longer than ${maxBytes} bytes`);
}

/** What must hold between limits, so that every client that keeps to them can be served. */
const RULES: readonly (readonly [holds: (limits: Limits) => boolean, otherwise: string])[] = [
  [
    (l) => l.maxLineBytes >= 32 * KIB,
    '--max-line must be at least 32KiB: clients send long messages in lines of that length',
  ],
  [
    (l) => l.maxLineBytes <= l.maxInFlightBytes,
    '--max-line must not be above --max-in-flight-bytes: such a line could not be read to its end',
  ],
  [
    (l) => l.maxMessageBytes <= l.maxPartialBytes,
    '--max-message must not be above --max-partial: there would be no room for such a message',
  ],
  [(l) => l.maxPartialBytes <= l.maxHeldBytes, '--max-partial must not be above --max-held: it is a part of it'],
  [
    (l) => l.outputPauseBytes >= 64 * KIB,
    '--output-pause must be at least 64KiB: that much waits in a socket before a client counts as slow',
  ],
  [
    (l) => 2 * l.outputPauseBytes <= l.outputLimitBytes,
    '--output-limit must be at least twice --output-pause: one more answer may come on top of what is unsent',
  ],
  [(l) => l.maxJsonDepth >= 4, '--max-json-depth must be at least 4: requests of ordinary clients are as deep'],
  [(l) => l.maxJsonKeys >= 16, '--max-json-keys must be at least 16: a report has as many'],
];

/** What is wrong with limits that contradict each other, naming both options; null when they do not. */
export function faultOfLimits(limits: Limits): string | null {
  return RULES.find(([holds]) => !holds(limits))?.[1] ?? null;
}
