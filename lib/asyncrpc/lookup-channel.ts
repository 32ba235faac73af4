import type { Duplex } from 'node:stream';
import { ProtocolError } from '../errors.ts';
import { LineSplitter } from './lines.ts';

/** How a channel talks to its server. */
export interface LookupChannelOptions<Answer> {
  readonly dial: () => Promise<Duplex>;
  /** Sent at once after connecting: handshake, login, stream command. */
  readonly preface: () => string;
  /** Takes the lines the server answers the preface with; true when the last has come. Throws when refused. Null: none come. */
  readonly readPreface: () => ((line: string) => boolean) | null;
  /** Takes the lines of answers; undefined until one is complete. Throws ProtocolError on what is none. */
  readonly readAnswer: () => (line: string) => Answer | undefined;
  readonly maxLineBytes: number;
  /** A look-up is given up after this long. */
  readonly timeoutMs: number;
  /** An answer came in time. */
  readonly onSuccess: () => void;
  readonly onFailure: (why: Error) => void;
}

/**
 * One connection to a server, shared by everybody who asks: look-ups are sent without waiting for each other, identical
 * ones are asked once, and those of one moment go out in one write. It connects when first needed, reconnects with
 * back-off, and sends again what was unanswered: look-ups change nothing, so that is safe.
 * A look-up without an answer in time is answered `null`.
 */
export interface LookupChannel<Answer> {
  /**
   * The answers to request texts (whole lines), in order. Never rejects.
   * @param onAnswer told of each as it comes, before the promise of them all resolves
   */
  ask(requests: readonly string[], onAnswer?: OnAnswer<Answer>): Promise<readonly (Answer | null)[]>;
  /** Answers everything that waits with null. */
  giveUp(): void;
  /** The server is known to be back: the next look-up connects at once. */
  retryNow(): void;
  /** Changes to a new connection once what is in flight is answered: to say who it is anew, or to be in step again. */
  reconnect(): void;
  close(): void;
}

export type OnAnswer<Answer> = (answer: Answer | null, index: number) => void;

/** Those who wait for one answer of several. */
interface Batch<Answer> {
  readonly answers: (Answer | null)[];
  left: number;
  readonly onAnswer: OnAnswer<Answer> | undefined;
  readonly resolve: (answers: (Answer | null)[]) => void;
}

interface Entry<Answer> {
  readonly request: string;
  readonly since: number;
  waiters: { readonly batch: Batch<Answer>; readonly index: number }[];
  settled: boolean;
}

/** Sent and not yet answered: more would only wait in the server's buffers. */
const MAX_IN_FLIGHT = 8192;
/** Waiting altogether: past this a look-up is a miss at once, so that a hanging upstream costs bounded memory. */
const MAX_WAITING = 65_536;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 3000;
const LOOK_EVERY_MS = 50;
/** Of look-ups waiting altogether. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

export function createLookupChannel<Answer>(options: LookupChannelOptions<Answer>): LookupChannel<Answer> {
  const entries = new Map<string, Entry<Answer>>();
  let queue: Entry<Answer>[] = [];
  let flight: Entry<Answer>[] = [];
  let flightHead = 0;
  let stream: Duplex | null = null;
  let connecting = false;
  let notConnected: Error | null = null;
  let flushing = false;
  let closed = false;
  let renewing = false;
  let waitingBytes = 0;
  let retryMs = FIRST_RETRY_MS;
  let retryAt = 0;
  let lastLineAt = 0;
  let timer: NodeJS.Timeout | null = null;

  function settle(entry: Entry<Answer>, answer: Answer | null): void {
    if (entry.settled) return;
    entry.settled = true;
    entries.delete(entry.request);
    waitingBytes -= entry.request.length;
    for (const { batch, index } of entry.waiters) {
      batch.answers[index] = answer;
      batch.onAnswer?.(answer, index);
      if (--batch.left === 0) batch.resolve(batch.answers);
    }
    entry.waiters = [];
  }

  function wake(): void {
    timer ??= setInterval(look, LOOK_EVERY_MS);
    if (flushing) return;
    flushing = true;
    setImmediate(() => {
      flushing = false;
      flush();
    });
  }

  function flush(): void {
    if (closed || queue.length === 0) return;
    if (renewing) renew();
    if (!stream) return connect();
    if (renewing) return;
    const room = MAX_IN_FLIGHT - (flight.length - flightHead);
    if (room <= 0) return;
    const sent = queue.splice(0, room).filter((entry) => !entry.settled);
    if (sent.length === 0) return;
    for (const entry of sent) flight.push(entry);
    stream.write(sent.map((entry) => entry.request).join(''));
  }

  /** Looks after time: gives up what waits too long, and a connection that has gone silent. */
  function look(): void {
    const now = performance.now();
    const limit = now - options.timeoutMs;
    let late = false;
    for (const entry of entries.values()) {
      if (entry.since > limit) break;
      late = true;
      settle(entry, null);
    }
    if (late) {
      queue = queue.filter((entry) => !entry.settled);
      const within = `within ${options.timeoutMs / 1000} s`;
      if (stream && lastLineAt < limit) drop(new ProtocolError(`no answer ${within}`));
      else if (stream) options.onFailure(new ProtocolError(`some answers do not come ${within}`));
      else options.onFailure(notConnected ?? new ProtocolError(`no connection ${within}`));
    }
    if (queue.length > 0) flush();
    if (entries.size === 0 && timer) {
      clearInterval(timer);
      timer = null;
    }
  }

  function connect(): void {
    if (connecting || performance.now() < retryAt) return;
    connecting = true;
    options.dial().then(connected, (error) => {
      connecting = false;
      notConnected = error;
      backOff();
      options.onFailure(error);
    });
  }

  function backOff(): void {
    retryAt = performance.now() + retryMs * (0.5 + Math.random() / 2);
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
  }

  function connected(opened: Duplex): void {
    connecting = false;
    if (closed) return void opened.destroy();
    stream = opened;
    notConnected = null;
    renewing = false;
    lastLineAt = performance.now();
    const splitter = new LineSplitter(options.maxLineBytes);
    let readPreface = options.readPreface();
    const readAnswer = options.readAnswer();
    opened.on('data', (chunk: Buffer) => {
      if (stream !== opened) return;
      try {
        for (const line of splitter.push(chunk)) {
          lastLineAt = performance.now();
          if (!readPreface) takeAnswer(readAnswer(line));
          else if (readPreface(line)) readPreface = null;
          if (stream !== opened) return;
        }
        if (splitter.failure) throw splitter.failure;
      } catch (error) {
        // Asked again, the same look-up would be answered the same: it must not stand in the way of all others.
        const head = flight[flightHead];
        if (!readPreface && head) settle(head, null);
        drop(error as Error, true);
      }
    });
    opened.on('error', (error) => stream === opened && drop(error));
    opened.on('close', () => stream === opened && drop(new ProtocolError('the connection was closed')));
    opened.write(options.preface());
    flush();
  }

  function takeAnswer(answer: Answer | undefined): void {
    if (answer === undefined) return;
    const entry = flight[flightHead];
    if (!entry) throw new ProtocolError('an answer to nothing that was asked');
    flightHead++;
    if (flightHead === flight.length) {
      flight = [];
      flightHead = 0;
    } else if (flightHead > 4096) {
      flight = flight.slice(flightHead);
      flightHead = 0;
    }
    retryMs = FIRST_RETRY_MS;
    // Too late is no better than never.
    const inTime = !entry.settled;
    settle(entry, answer);
    if (inTime) options.onSuccess();
    if (renewing) renew();
    if (queue.length > 0) wake();
  }

  /**
   * Ends the connection; what was asked on it goes to the front of the queue.
   * @param isFailure it is one whether or not somebody waits; else an idle connection may well end
   */
  function drop(why: Error, isFailure = false): void {
    const gone = stream;
    stream = null;
    gone?.destroy();
    const unanswered = flight.slice(flightHead).filter((entry) => !entry.settled);
    flight = [];
    flightHead = 0;
    queue = [...unanswered, ...queue];
    backOff();
    if (isFailure || queue.length > 0) options.onFailure(why);
    if (queue.length > 0) wake();
  }

  function renew(): void {
    if (!stream || flightHead < flight.length) return;
    stream.destroy();
    stream = null;
    renewing = false;
  }

  return {
    ask(requests, onAnswer) {
      return new Promise((resolve) => {
        const batch: Batch<Answer> = {
          answers: new Array(requests.length).fill(null),
          left: requests.length,
          onAnswer,
          resolve,
        };
        const since = performance.now();
        let dropped = 0;
        requests.forEach((request, index) => {
          let entry = entries.get(request);
          if (!entry) {
            if (closed || entries.size >= MAX_WAITING || waitingBytes + request.length > MAX_WAITING_BYTES) {
              dropped++;
              return;
            }
            entry = { request, since, waiters: [], settled: false };
            entries.set(request, entry);
            queue.push(entry);
            waitingBytes += request.length;
          }
          entry.waiters.push({ batch, index });
        });
        batch.left -= dropped;
        if (batch.left === 0) resolve(batch.answers);
        else wake();
      });
    },
    giveUp() {
      for (const entry of [...entries.values()]) settle(entry, null);
      queue = [];
    },
    retryNow() {
      retryAt = 0;
      retryMs = FIRST_RETRY_MS;
    },
    reconnect() {
      renewing = stream !== null;
      renew();
    },
    close() {
      closed = true;
      if (timer) clearInterval(timer);
      this.giveUp();
      stream?.destroy();
      stream = null;
    },
  };
}
