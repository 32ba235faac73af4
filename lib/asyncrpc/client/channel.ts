import type { Duplex } from 'node:stream';
import { AddressError, InvokeError, reasonOf } from '../../errors.ts';
import { Fifo } from '../fifo.ts';
import { LineSplitter } from '../wire/lines.ts';
import { frameMessage, type Json } from '../wire/messages.ts';
import { createReplyReader, refusalIn, refusalOf } from '../wire/reply-reader.ts';

/** The connection ended before an answer came: the request may or may not have been carried out. */
export class ConnectionLost extends AddressError {}

/** The server closed the connection without a word, as BitBake's does at a command that it does not know. */
export class ClosedWithoutWord extends ConnectionLost {}

/** Whether a server refused a command as unknown: bakeserv names it, other servers close the connection without a word. */
export function isUnknownCommand(error: unknown): boolean {
  return error instanceof InvokeError ? /^unknown command/i.test(error.message) : error instanceof ClosedWithoutWord;
}

/** The server was silent for longer than the client waits: the request is given up, and not sent again. */
export class AnswerTimeout extends AddressError {}

/** The client was closed by its own program. */
export function closedHere(name: string): ConnectionLost {
  return new ConnectionLost(`connection to ${name} was closed here`);
}

/**
 * One connection to a server, for as long as it lasts. Messages are sent at once and answered in order; when the
 * connection is lost, everything unanswered rejects with ConnectionLost, or with AnswerTimeout where that is why.
 */
export interface Channel {
  /** Null while the connection stands. */
  readonly lost: Error | null;
  /** True once the server has answered anything: it speaks our protocol. */
  readonly answered: boolean;
  /**
   * Sends a message. Resolves to the reply.
   * @throws InvokeError when the server refuses it
   */
  message(text: string): Promise<Json>;
  /**
   * In stream mode: sends lines (`text`, each ended by a newline) and resolves to `count` lines of answer.
   * @throws InvokeError when the server ends the stream at a bad line
   */
  lines(count: number, text: string): Promise<string[]>;
  /** Ends the connection; what is unanswered rejects with `why`. */
  close(why?: Error): void;
}

/** A server's line may be a reply of any length: on some transports the server decides whether to chunk. */
const MAX_LINE_BYTES = 256 * 1024 * 1024;

/** The longest reply: what fits into a V8 string, with room to spare. */
const MAX_REPLY_BYTES = 500 * 1024 * 1024;

/** Takes the server's next lines; returns true once it has all that it waits for. */
interface Waiter {
  take(line: string): boolean;
  reject(error: Error): void;
}

export interface ChannelOptions {
  /** The server's name, for messages. */
  readonly name: string;
  /** Whether long messages are sent in chunks on this transport. */
  readonly chunked: boolean;
  /** A server that owes an answer and is silent for this long is given up; 0 waits forever. */
  readonly answerTimeoutMs?: number;
  /** Called once, when the connection is gone. */
  readonly onLost?: () => void;
}

/** A channel over a stream on which the handshake was sent, or is about to be. */
export function createChannel(stream: Duplex, options: ChannelOptions): Channel {
  const { name, chunked, answerTimeoutMs = 0, onLost } = options;
  const splitter = new LineSplitter(MAX_LINE_BYTES);
  const readReply = createReplyReader(MAX_REPLY_BYTES);
  /** In the order of their requests, which is that of the answers. */
  const waiters = new Fifo<Waiter>();
  let lost: Error | null = null;
  let answered = false;
  /** What the server said unasked: why it is about to close. */
  let farewell = '';
  /** Whether it said anything to what is still unanswered, or unasked. */
  let said = false;

  const lose = (error: Error) => {
    if (lost) return;
    lost = error;
    stream.destroy();
    clearInterval(watch);
    for (let waiter = waiters.take(); waiter; waiter = waiters.take()) waiter.reject(error);
    onLost?.();
  };
  const take = (line: string) => {
    const waiter = waiters.at(0);
    if (!waiter) {
      const why = refusalOf(line);
      farewell = why instanceof InvokeError ? why.message.slice(0, 200) : '';
      said = true;
      return;
    }
    answered = true;
    try {
      said = true;
      if (!waiter.take(line)) return;
      said = false;
    } catch (error) {
      // After a reply that cannot be read, nobody knows where the next one starts.
      lose(error as Error);
      return;
    }
    waiters.take();
  };
  /** Checked now and then: cheaper than a timer for every request. */
  let heard = performance.now();
  const watch = answerTimeoutMs > 0 ? setInterval(checkSilence, Math.max(10, answerTimeoutMs / 4)) : undefined;
  function checkSilence(): void {
    if (waiters.isEmpty) heard = performance.now();
    else if (performance.now() - heard > answerTimeoutMs) {
      lose(new AnswerTimeout(`${name} has not answered for ${answerTimeoutMs / 1000} s`));
    }
  }
  stream.on('data', (chunk: Buffer) => {
    heard = performance.now();
    for (const line of splitter.push(chunk)) take(line);
    if (splitter.failure) lose(new ConnectionLost(`connection to ${name} lost: ${splitter.failure.message}`));
  });
  stream.on('error', (error) => lose(new ConnectionLost(`connection to ${name} lost: ${reasonOf(error)}`, error)));
  const closed = () => {
    const why = farewell || (answered ? '' : 'it did not answer; does it speak this protocol?');
    const text = `connection to ${name} was closed by the server${why && `: ${why}`}`;
    lose(said || splitter.partialBytes > 0 ? new ConnectionLost(text) : new ClosedWithoutWord(text));
  };
  // No more answers come after the end, even if the stream is still open for writing.
  stream.on('end', closed);
  stream.on('close', closed);

  return {
    get lost() {
      return lost;
    },
    get answered() {
      return answered;
    },
    message(text) {
      return new Promise((resolve, reject) => {
        if (lost) return reject(lost);
        const take = (line: string) => {
          const reply = readReply(line);
          if (reply === undefined) return false;
          const refusal = refusalIn(reply);
          if (refusal) reject(refusal);
          else resolve(reply);
          return true;
        };
        waiters.push({ take, reject });
        stream.write(frameMessage(text, chunked));
      });
    },
    lines(count, text) {
      return new Promise((resolve, reject) => {
        // The stream's command was taken: whatever became of the connection, it was known.
        const lose = (error: Error) =>
          reject(error instanceof ClosedWithoutWord ? new ConnectionLost(error.message, error) : error);
        if (lost) return lose(lost);
        waiters.push({ take: lineReader(count, resolve, reject), reject: lose });
        stream.write(text);
      });
    },
    close: (why) => lose(why ?? closedHere(name)),
  };
}

function lineReader(count: number, resolve: (lines: string[]) => void, reject: (error: Error) => void): Waiter['take'] {
  const lines: string[] = [];
  return (line) => {
    if (line.startsWith('{"invoke-error"')) {
      reject(refusalOf(line));
      return true;
    }
    lines.push(line);
    if (lines.length < count) return false;
    resolve(lines);
    return true;
  };
}
