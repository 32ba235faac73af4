import { ProtocolError } from '../../errors.ts';
import { Fifo } from '../fifo.ts';
import { encodeJson } from '../wire/messages.ts';
import { isStreamLine } from '../wire/stream-line.ts';
import { abortable } from './abort.ts';
import { type Channel, ConnectionLost } from './channel.ts';
import type { Link } from './link.ts';

/** Lines, or groups of them that are sent together. */
export type LineSource = Iterable<string> | AsyncIterable<string>;
export type BatchSource = Iterable<readonly string[]> | AsyncIterable<readonly string[]>;

/** Lines of a stream with their answers: as many, in the same order. */
export interface AnsweredBatch {
  readonly asked: readonly string[];
  readonly answers: readonly string[];
}

/** Lines that are sent in one write: as many as a server takes in flight on a connection. */
const BATCH_LINES = 1024;
/** Groups that are under way, or answered and not yet taken. */
const MAX_BATCHES = 8;

interface Batch {
  readonly asked: readonly string[];
  answers: Promise<string[]>;
}

/**
 * Runs a stream command: enters stream mode, sends groups of lines, yields their answers, leaves stream mode.
 * @param reconnects how often in a row a lost connection is opened again and the unanswered lines are sent again
 * @param signal ends the stream, and its connection, when it aborts
 */
export async function* runStream(
  link: Link,
  command: string,
  batches: BatchSource,
  reconnects: number,
  signal?: AbortSignal,
): AsyncGenerator<AnsweredBatch, void, undefined> {
  const source = split(batches);
  const open = new Fifo<Batch>();
  let channel = await enter(link, command, reconnects, signal);
  let next: Promise<IteratorResult<readonly string[]>> | null = null;
  let exhausted = false;
  let attempts = 0;
  let left = false;
  try {
    for (;;) {
      if (!exhausted && open.length < MAX_BATCHES) next ??= source.next();
      const event = await orAborted(firstOf(next, open.at(0)), signal);
      if (event === null) break;
      if ('source' in event) {
        next = null;
        if (event.source.done) exhausted = true;
        else open.push({ asked: event.source.value, answers: send(channel, event.source.value) });
      } else if ('answers' in event) {
        attempts = 0;
        yield { asked: open.take()!.asked, answers: event.answers };
      } else {
        if (attempts++ >= reconnects || !(event.error instanceof ConnectionLost)) throw event.error;
        await orAborted(link.again(event.error), signal);
        channel = await enter(link, command, reconnects, signal);
        for (const batch of open.oldest(MAX_BATCHES)) batch.answers = send(channel, batch.asked);
      }
    }
    left = true;
    // Every answer is here: a connection that is lost now is opened again when it is needed.
    await orAborted(channel.lines(1, 'END\n'), signal).catch(() => channel.close());
  } finally {
    // Answers that nobody waits for may still come: the connection cannot be used any more.
    if (!left) channel.close();
    next?.catch(() => {});
    if (!exhausted) void source.return(undefined).catch(() => {});
  }
}

async function enter(link: Link, command: string, reconnects: number, signal?: AbortSignal): Promise<Channel> {
  for (let attempt = 0; ; attempt++) {
    const channel = await orAborted(link.connect(), signal);
    signal?.throwIfAborted();
    try {
      await orAborted(channel.message(encodeJson({ [command]: null })), signal);
      return channel;
    } catch (error) {
      // The server is about to enter stream mode: nothing else can be asked on this connection.
      if (signal?.aborted) channel.close();
      if (!(error instanceof ConnectionLost) || attempt >= reconnects) throw error;
      await orAborted(link.again(error), signal);
    }
  }
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return signal ? abortable(promise, signal) : promise;
}

function send(channel: Channel, lines: readonly string[]): Promise<string[]> {
  const answers = channel.lines(lines.length, `${lines.join('\n')}\n`);
  // Handled in its turn; until then a rejection must not count as unhandled.
  answers.catch(() => {});
  return answers;
}

type Event = { source: IteratorResult<readonly string[]> } | { answers: string[] } | { error: unknown };

/** Whichever comes first: more to send, or the answer to the oldest group. Null when there is neither. */
function firstOf(
  next: Promise<IteratorResult<readonly string[]>> | null,
  batch: Batch | undefined,
): Promise<Event | null> {
  const source = next?.then((result) => ({ source: result }));
  const answers = batch?.answers.then(
    (lines) => ({ answers: lines }),
    (error) => ({ error }),
  );
  if (source && answers) return Promise.race([answers, source]);
  return source ?? answers ?? Promise.resolve(null);
}

/** Groups of at most BATCH_LINES, none empty, every line checked. */
async function* split(batches: BatchSource): AsyncGenerator<readonly string[], undefined, undefined> {
  for await (const batch of batches) {
    for (let at = 0; at < batch.length; at += BATCH_LINES) {
      const lines = batch.length <= BATCH_LINES ? batch : batch.slice(at, at + BATCH_LINES);
      for (const line of lines) {
        if (!isStreamLine(line)) {
          throw new ProtocolError(`${JSON.stringify(line.slice(0, 80))} cannot be a line of a stream`);
        }
      }
      yield lines;
    }
  }
}

/** Groups lines; if they come slowly, a group is sent as soon as there is nothing more to read at once. */
export async function* inBatches(lines: LineSource): AsyncGenerator<readonly string[]> {
  if (!(Symbol.asyncIterator in lines)) return yield* inFullBatches(lines);
  const iterator = lines[Symbol.asyncIterator]();
  let next: Promise<IteratorResult<string>> | null = null;
  try {
    for (;;) {
      const batch: string[] = [];
      next ??= iterator.next();
      let result: IteratorResult<string> | null = await next;
      const pause = new Promise<null>((resolve) => setImmediate(resolve, null));
      while (result && !result.done) {
        batch.push(result.value);
        next = iterator.next();
        result = batch.length < BATCH_LINES ? await Promise.race([next, pause]) : null;
      }
      if (batch.length > 0) yield batch;
      if (result?.done) return;
    }
  } finally {
    next?.catch(() => {});
    void iterator.return?.();
  }
}

function* inFullBatches(lines: Iterable<string>): Generator<readonly string[]> {
  let batch: string[] = [];
  for (const line of lines) {
    if (batch.push(line) < BATCH_LINES) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
