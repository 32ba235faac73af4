import type { dial } from '../transport/dial.ts';
import type { Json } from '../wire/messages.ts';

/** A user, and the token it was given. */
export interface Login {
  readonly username: string;
  readonly token: string;
}

export interface ClientOptions {
  /** The first line: `OEHASHEQUIV 1.1` or `PRSERVICE 1.0`. */
  readonly protocol: string;
  /** To connect, in milliseconds; 3 s. */
  readonly connectTimeoutMs?: number;
  /**
   * A server that owes an answer and is silent for this long, or cannot be connected to for this long, is given up
   * with AnswerTimeout or AddressError, in milliseconds; 0, the default, waits forever for answers.
   */
  readonly answerTimeoutMs?: number;
  /** A PEM file of certificate authorities to trust for tls:// and wss://, in addition to those of the system. */
  readonly caFile?: string | null;
  /** PEM files of the certificate to show there, for a server that asks for one, and of its key. */
  readonly certFile?: string | null;
  readonly keyFile?: string | null;
  /** Commands that may be sent again when the connection was lost before their answer: doing them twice is harmless. */
  readonly resendable?: ReadonlySet<string>;
  /** How many times in a row a lost connection is opened again for requests that wait; 5. With 0 the first loss is final. */
  readonly reconnects?: number;
  /** Before the second attempt to reconnect, in milliseconds; doubled for each that follows; 200 ms. */
  readonly reconnectDelayMs?: number;
  /** Called for every new connection before anything else is sent on it: to log in. Rejecting gives the connection up. */
  readonly onConnect?: (ask: (command: string, args: Json) => Promise<Json>) => Promise<void>;
  /**
   * Closes the client when it aborts, while it connects or later: what is unanswered rejects with the signal's reason.
   * For single calls see CallOptions.
   */
  readonly signal?: AbortSignal | undefined;
  /** How a connection is made; for tests and for your own transports. */
  readonly dial?: typeof dial;
}
