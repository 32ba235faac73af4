import { setTimeout as pause } from 'node:timers/promises';
import { AddressError } from '../../errors.ts';
import { BackOff } from '../back-off.ts';
import { TELL_ERRORS } from '../faults.ts';
import { type Address, formatAddress } from '../transport/address.ts';
import { dial } from '../transport/dial.ts';
import { encodeJson } from '../wire/messages.ts';
import { AnswerTimeout, type Channel, closedHere, createChannel } from './channel.ts';
import type { ClientOptions } from './options.ts';

/** The connection of a client: made when needed, one at a time. */
export interface Link {
  /** The open connection, or null. */
  readonly channel: Channel | null;
  /** The open connection or a new one: a single attempt for the first, later as in `again`. */
  connect(): Promise<Channel>;
  /**
   * A connection after one was lost: several attempts, with growing pauses. Those who call it at once share them.
   * @throws AddressError of the last attempt; whatever `onConnect` rejected with
   */
  again(lost: AddressError): Promise<Channel>;
  /** Ends the connection, and any attempt to get one; what is unanswered rejects with `why`. */
  close(why?: Error): void;
}

/** With the pauses between them about three seconds: enough to ride out a restart of the server. */
export const RECONNECTS = 5;
const CONNECT_TIMEOUT_MS = 3000;
const RECONNECT_DELAY_MS = 200;
const MAX_RECONNECT_DELAY_MS = 5000;

export function createLink(address: Address, options: ClientOptions): Link {
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS, reconnects = RECONNECTS, answerTimeoutMs = 0 } = options;
  const { reconnectDelayMs = RECONNECT_DELAY_MS } = options;
  const name = formatAddress(address);
  let channel: Channel | null = null;
  let connecting: Promise<Channel> | null = null;
  let reconnecting: Promise<Channel> | null = null;
  /** Attempts in a row since the server last answered, and the pauses between them. */
  let attempts = 0;
  const pauses = new BackOff(reconnectDelayMs, MAX_RECONNECT_DELAY_MS);
  let lost: AddressError | null = null;
  /** Why the client was closed by its own program. */
  let closed: Error | null = null;
  const ending = new AbortController();

  async function open(): Promise<Channel> {
    const { stream, chunked } = await (options.dial ?? dial)(address, {
      timeoutMs: answerTimeoutMs > 0 ? Math.min(connectTimeoutMs, answerTimeoutMs) : connectTimeoutMs,
      caFile: options.caFile,
      certFile: options.certFile,
      keyFile: options.keyFile,
      signal: ending.signal,
    });
    const onLost = () => {
      if (opened.answered) {
        attempts = 0;
        pauses.reset();
      }
      if (channel !== opened) return;
      channel = null;
      const why = opened.lost;
      lost = why instanceof AddressError ? why : new AddressError(`connection to ${name} was lost`, why);
    };
    const opened = createChannel(stream, { name, chunked, onLost, answerTimeoutMs });
    const giveUp = () => opened.close(closed ?? undefined);
    // A server that is silent during the login must not keep a closed client waiting.
    ending.signal.addEventListener('abort', giveUp, { once: true });
    try {
      if (closed) throw closed;
      stream.write(`${options.protocol}\nneeds-headers: false\n${TELL_ERRORS}\n`);
      await options.onConnect?.((command, args) => opened.message(encodeJson({ [command]: args })));
      if (opened.lost) throw opened.lost;
    } catch (error) {
      opened.close();
      throw error;
    } finally {
      ending.signal.removeEventListener('abort', giveUp);
    }
    channel = opened;
    return opened;
  }

  function connectOnce(): Promise<Channel> {
    if (closed) return Promise.reject(closed);
    if (channel) return Promise.resolve(channel);
    connecting ??= open()
      .catch((error) => {
        throw closed ?? error;
      })
      .finally(() => {
        connecting = null;
      });
    return connecting;
  }

  async function reconnect(lost: AddressError): Promise<Channel> {
    let error = lost;
    const until = answerTimeoutMs > 0 ? performance.now() + answerTimeoutMs : Number.POSITIVE_INFINITY;
    while (!closed && attempts < reconnects && performance.now() < until) {
      if (attempts > 0) await pause(pauses.next(), undefined, { signal: ending.signal }).catch(() => {});
      attempts++;
      try {
        return await connectOnce();
      } catch (failure) {
        if (!(failure instanceof AddressError) || failure instanceof AnswerTimeout) throw failure;
        error = failure;
      }
    }
    throw closed ?? error;
  }

  function again(error: AddressError): Promise<Channel> {
    if (channel) return Promise.resolve(channel);
    if (closed) return Promise.reject(closed);
    reconnecting ??= reconnect(error).finally(() => {
      reconnecting = null;
    });
    return reconnecting;
  }

  return {
    get channel() {
      return channel;
    },
    connect() {
      if (!lost) return connectOnce();
      // A new request gets a full set of attempts.
      if (!reconnecting) attempts = 0;
      return again(lost);
    },
    again,
    close(why = closedHere(name)) {
      closed ??= why;
      ending.abort();
      channel?.close(why);
    },
  };
}
