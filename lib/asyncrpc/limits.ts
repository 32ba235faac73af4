/**
 * Every bound a connection is held to, with the defaults of reliability.md section 4. Sizes in bytes, times in
 * milliseconds. Each is an option of `bakeserv serve` under the kebab-case of its name.
 */
export interface Limits {
  /** The longest line a client may send. */
  readonly maxLineBytes: number;
  /** The longest message, chunks put together. */
  readonly maxMessageBytes: number;
  /** The longest message of a connection that has yet to make a login the server requires. */
  readonly maxMessageBeforeLoginBytes: number;
  /** Unfinished lines and messages of all connections together. */
  readonly maxPartialBytes: number;
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
  /** Connections in handshake at once; more wait their turn. */
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
  /** TCP keep-alive: idle time before the first probe. */
  readonly keepAliveMs: number;
  /** Time between two pings on a WebSocket; a peer that leaves two in a row unanswered is closed at the third. */
  readonly websocketPingMs: number;
  /** How long a stopping server lets connections finish what was read. */
  readonly drainTimeoutMs: number;
}

export const KIB = 1024;
export const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: Limits = Object.freeze({
  maxLineBytes: 64 * KIB,
  maxMessageBytes: 16 * MIB,
  maxMessageBeforeLoginBytes: 64 * KIB,
  maxPartialBytes: 64 * MIB,
  maxJsonDepth: 32,
  maxJsonKeys: 10_000,
  handshakeTimeoutMs: 10_000,
  maxHeaders: 32,
  maxHeaderBytes: 8 * KIB,
  messageTimeoutMs: 60_000,
  maxConnections: 4096,
  maxHandshakes: 256,
  maxHandshakesPerAddress: 64,
  maxInFlight: 1024,
  maxInFlightBytes: 256 * KIB,
  outputPauseBytes: 1 * MIB,
  outputLimitBytes: 8 * MIB,
  outputTimeoutMs: 30_000,
  keepAliveMs: 30_000,
  websocketPingMs: 30_000,
  drainTimeoutMs: 5_000,
});
