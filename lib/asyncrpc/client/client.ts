import type { Address } from '../transport/address.ts';
import { encodeJson, type Json } from '../wire/messages.ts';
import { ConnectionLost } from './channel.ts';
import { createLink, RECONNECTS } from './link.ts';
import type { ClientOptions } from './options.ts';
import { type AnsweredBatch, type BatchSource, inBatches, type LineSource, runStream } from './stream.ts';

export type { AnsweredBatch, BatchSource, LineSource };

/**
 * A lasting connection to a server. Requests may be made without waiting for earlier ones: they are sent at once and
 * answered in order. A lost connection is made anew for what waits or when something is asked next; what was sent and
 * not answered is sent again if it is resendable, else it rejects with ConnectionLost.
 */
export interface Client {
  /**
   * Sends one request. Resolves to the reply.
   * @throws InvokeError when the server refuses it, ConnectionLost or AddressError when the connection cannot be had
   */
  invoke(command: string, args: Json): Promise<Json>;
  /** Sends lines through a stream command and resolves to as many lines, in order. */
  stream(command: string, lines: readonly string[]): Promise<string[]>;
  /**
   * Sends any number of lines through a stream command, group by group, in bounded memory: no more is taken from the
   * source than a few groups ahead of what was read of the result. Requests made meanwhile wait for its end.
   * @throws InvokeError when the server refuses the command or a line
   */
  streamBatches(command: string, batches: BatchSource): AsyncGenerator<AnsweredBatch, void, undefined>;
  /** The same line by line. */
  streamLines(command: string, lines: LineSource): AsyncGenerator<string, void, undefined>;
  /** Ends the connection; what is unanswered rejects. */
  close(): void;
}

const NONE: ReadonlySet<string> = new Set();

/**
 * Connects and shakes hands.
 * @throws AddressError when nobody answers there
 */
export async function connectClient(address: Address, options: ClientOptions): Promise<Client> {
  const client = createClient(address, options);
  try {
    await client.ready();
  } catch (error) {
    client.close();
    throw error;
  }
  return client;
}

/** A client that is not connected yet: `ready`, or the first request, connects. */
export function createClient(address: Address, options: ClientOptions): Client & { ready(): Promise<void> } {
  const link = createLink(address, options);
  const { resendable = NONE, reconnects = RECONNECTS } = options;
  /** Stream mode is entered and left in turn: what comes after waits for its end. */
  let streaming: Promise<void> = Promise.resolve();
  let streams = 0;

  /** Bounded for every request by itself: one that makes a server hang up must not be sent for ever. */
  async function resend(command: string, text: string, lost: unknown): Promise<Json> {
    let error = lost;
    for (let attempt = 0; attempt < reconnects; attempt++) {
      if (!(error instanceof ConnectionLost) || !resendable.has(command)) break;
      const channel = await link.again(error);
      try {
        return await channel.message(text);
      } catch (again) {
        error = again;
      }
    }
    throw error;
  }

  async function send(command: string, text: string): Promise<Json> {
    // On a standing connection the request is written before this returns.
    const channel = link.channel ?? (await link.connect());
    try {
      return await channel.message(text);
    } catch (error) {
      return resend(command, text, error);
    }
  }

  async function* streamBatches(command: string, batches: BatchSource) {
    streams++;
    const before = streaming;
    let end = () => {};
    streaming = new Promise((resolve) => {
      end = resolve;
    });
    try {
      await before;
      yield* runStream(link, command, batches, resendable.has(command) ? reconnects : 0);
    } finally {
      streams--;
      end();
    }
  }

  return {
    ready: async () => void (await link.connect()),
    invoke(command, args) {
      const text = encodeJson({ [command]: args });
      return streams > 0 ? streaming.then(() => send(command, text)) : send(command, text);
    },
    async stream(command, lines) {
      const answers: string[] = [];
      for await (const batch of streamBatches(command, [lines])) {
        for (const answer of batch.answers) answers.push(answer);
      }
      return answers;
    },
    streamBatches,
    async *streamLines(command, lines) {
      for await (const { answers } of streamBatches(command, inBatches(lines))) yield* answers;
    },
    close: () => link.close(),
  };
}
