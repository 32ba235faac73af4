import { type Address, parseAddress } from '../transport/address.ts';
import { encodeJson, type Json } from '../wire/messages.ts';
import { abortable, type CallOptions, onAbort } from './abort.ts';
import { ConnectionLost } from './channel.ts';
import { createLink, RECONNECTS } from './link.ts';
import type { ClientOptions } from './options.ts';
import { type AnsweredBatch, type BatchSource, inBatches, type LineSource, runStream } from './stream.ts';

export type { AnsweredBatch, BatchSource, LineSource };

/**
 * A lasting connection to a server. Requests may be made without waiting for earlier ones: they are sent at once and
 * answered in order. A lost connection is opened again for what waits or when something is asked next; what was sent and
 * not answered is sent again if it is resendable, otherwise it rejects with ConnectionLost.
 */
export interface Client extends AsyncDisposable {
  /**
   * Sends one request. Resolves to the reply.
   * @throws InvokeError when the server refuses it, ConnectionLost or AddressError when there is no connection
   */
  invoke(command: string, args: Json, options?: CallOptions): Promise<Json>;
  /** Sends lines through a stream command and resolves to as many lines, in order. */
  stream(command: string, lines: readonly string[], options?: CallOptions): Promise<string[]>;
  /**
   * Sends any number of lines through a stream command, in groups and in bounded memory: no more is taken from the
   * source than a few groups ahead of what was read from the result. Requests made meanwhile wait for its end.
   * @throws InvokeError when the server refuses the command or a line
   */
  streamBatches(
    command: string,
    batches: BatchSource,
    options?: CallOptions,
  ): AsyncGenerator<AnsweredBatch, void, undefined>;
  /** The same line by line. */
  streamLines(command: string, lines: LineSource, options?: CallOptions): AsyncGenerator<string, void, undefined>;
  /** Closes the connection; unanswered requests reject. */
  close(): void;
  /** Closes the client at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>;
}

const NONE: ReadonlySet<string> = new Set();

/**
 * Connects and shakes hands.
 * @param address parsed, or as a text that `parseAddress` reads
 * @throws AddressError when it is not an address, or nobody answers there
 */
export async function connectClient(address: Address | string, options: ClientOptions): Promise<Client> {
  const client = createClient(address, options);
  try {
    await client.ready();
  } catch (error) {
    client.close();
    throw error;
  }
  return client;
}

/** A client that need not be connected yet. */
export interface IdleClient extends Client {
  /** Connects and shakes hands, as the first request would. */
  ready(): Promise<void>;
}

/**
 * A client that is not connected yet: `ready`, or the first request, connects.
 * @throws AddressError when the text is not an address
 */
export function createClient(address: Address | string, options: ClientOptions): IdleClient {
  const link = createLink(typeof address === 'string' ? parseAddress(address) : address, options);
  const { signal: lifetime } = options;
  const { resendable = NONE, reconnects = RECONNECTS } = options;
  /** Stream mode is entered and left in turn: what comes after it waits. */
  let streaming: Promise<void> = Promise.resolve();
  let streams = 0;

  /** Limited for each request by itself: one that makes a server hang up must not be sent forever. */
  async function resend(command: string, text: string, lost: unknown, signal?: AbortSignal): Promise<Json> {
    let error = lost;
    for (let attempt = 0; attempt < reconnects; attempt++) {
      if (!(error instanceof ConnectionLost) || !resendable.has(command)) break;
      const channel = await link.again(error);
      signal?.throwIfAborted();
      try {
        return await channel.message(text);
      } catch (again) {
        error = again;
      }
    }
    throw error;
  }

  async function send(command: string, text: string, signal?: AbortSignal): Promise<Json> {
    signal?.throwIfAborted();
    // On an open connection the request is written before this returns.
    const channel = link.channel ?? (await link.connect());
    signal?.throwIfAborted();
    try {
      return await channel.message(text);
    } catch (error) {
      return resend(command, text, error, signal);
    }
  }

  async function* streamBatches(command: string, batches: BatchSource, { signal }: CallOptions = {}) {
    streams++;
    const before = streaming;
    let end = () => {};
    streaming = new Promise((resolve) => {
      end = resolve;
    });
    try {
      await (signal ? abortable(before, signal) : before);
      yield* runStream(link, command, batches, resendable.has(command) ? reconnects : 0, signal);
    } finally {
      streams--;
      // One that was given up before its turn leaves those behind it waiting for those before it.
      void before.then(end);
    }
  }

  const forget =
    lifetime &&
    onAbort(lifetime, () => {
      const { reason } = lifetime;
      link.close(reason instanceof Error ? reason : new Error('the client was aborted', { cause: reason }));
    });
  const close = () => {
    forget?.();
    link.close();
  };

  return {
    ready: async () => void (await link.connect()),
    invoke(command, args, options) {
      const signal = options?.signal;
      const text = encodeJson({ [command]: args });
      const answer = streams > 0 ? streaming.then(() => send(command, text, signal)) : send(command, text, signal);
      return signal ? abortable(answer, signal) : answer;
    },
    async stream(command, lines, options) {
      const answers: string[] = [];
      for await (const batch of streamBatches(command, [lines], options)) {
        for (const answer of batch.answers) answers.push(answer);
      }
      return answers;
    },
    streamBatches,
    async *streamLines(command, lines, options) {
      for await (const { answers } of streamBatches(command, inBatches(lines), options)) yield* answers;
    },
    close,
    [Symbol.asyncDispose]: async () => close(),
  };
}
