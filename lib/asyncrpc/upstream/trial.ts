import type { Duplex } from 'node:stream';
import { ProtocolError } from '../../errors.ts';
import { KIB, type Limits } from '../limits.ts';
import { LineSplitter } from '../wire/lines.ts';
import type { Json } from '../wire/messages.ts';
import { createReplyReader } from '../wire/reply-reader.ts';
import type { Greeting } from './greeting.ts';

const MAX_REPLY_BYTES = 64 * KIB;

export interface TrialOptions {
  readonly dial: () => Promise<Duplex>;
  readonly greeting: Greeting;
  /** Shown in place of a nonce of our own. */
  readonly via?: string | undefined;
  readonly timeoutMs: number;
  readonly limits: Limits;
  /** Ends the trial: it then rejects. */
  readonly signal: AbortSignal;
}

/**
 * Requests on a connection of their own, each sent once the one before it was answered: the result says
 * something about this moment, and costs nobody else an answer.
 * @param requests whole lines
 * @returns the replies; fewer than requests when the server closed the connection without a word
 * @throws AddressError, ProtocolError when nobody answers there, or not in time
 */
export async function tryRequests(options: TrialOptions, requests: readonly string[]): Promise<readonly Json[]> {
  const { dial, greeting, via, timeoutMs, limits, signal } = options;
  const stream = await unlessAborted(dial(), signal, (late) => late.destroy());
  const splitter = new LineSplitter(MAX_REPLY_BYTES);
  const read = createReplyReader(MAX_REPLY_BYTES, limits);
  const replies: Json[] = [];
  let readGreeting: ReturnType<Greeting['reader']> = null;

  /** Whether that was the last of the replies. */
  function take(line: string): boolean {
    if (readGreeting) {
      if (readGreeting(line)) readGreeting = null;
      return false;
    }
    const reply = read(line);
    if (reply === undefined) return false;
    replies.push(reply);
    if (replies.length === requests.length) return true;
    stream.write(requests[replies.length]!);
    return false;
  }

  const answered = new Promise<void>((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      try {
        for (const line of splitter.push(chunk)) if (take(line)) return resolve();
        if (splitter.failure) throw splitter.failure;
      } catch (error) {
        reject(error);
      }
    });
    // A server that hangs up on a request may well reset the connection.
    stream.on('error', () => {});
    const late = () => reject(new ProtocolError(`no answer within ${timeoutMs / 1000} s`));
    const timer = setTimeout(late, timeoutMs);
    stream.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
    readGreeting = greeting.reader();
    stream.write(greeting.text(undefined, via) + requests[0]!);
  });
  try {
    await unlessAborted(answered, signal);
  } finally {
    stream.destroy();
  }
  return replies;
}

/**
 * The same promise, but it rejects when the signal is aborted.
 * @param onLate called with a value that comes after that
 */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal, onLate?: (value: T) => void): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    const stop = () => reject(new ProtocolError('the server is stopping'));
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop);
    const done = () => signal.removeEventListener('abort', stop);
    promise.then(done, done);
  });
  if (onLate) promise.then((value) => signal.aborted && onLate(value)).catch(() => {});
  return Promise.race([promise, aborted]);
}
