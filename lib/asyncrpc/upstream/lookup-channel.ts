import type { Duplex } from 'node:stream';
import { ProtocolError } from '../../errors.ts';
import { BackOff, jittered } from '../back-off.ts';
import { LineSplitter } from '../wire/lines.ts';
import { LastingRefusal, LateAnswer } from './breaker.ts';
import { type OnAnswer, PendingLookups } from './pending-lookups.ts';

/** How a channel talks to its server. */
export interface LookupChannelOptions<Answer> {
  readonly dial: () => Promise<Duplex>;
  /** Sent at once after connecting: handshake, login, stream command. */
  readonly preface: () => string;
  /** Takes the server's answer to the preface, line by line; true when the last has come. Throws when refused. Null: none will come. */
  readonly readPreface: () => ((line: string) => boolean) | null;
  /**
   * Takes the lines of answers; undefined until one is complete, null for one that must not be believed. Throws
   * ProtocolError on what is none.
   */
  readonly readAnswer: () => (line: string) => Answer | null | undefined;
  readonly maxLineBytes: number;
  /** A look-up is given up after this long. */
  readonly timeoutMs: number;
  /** An answer came in time. */
  readonly onSuccess: () => void;
  readonly onFailure: (why: Error) => void;
}

/**
 * One connection to a server, shared by everybody who asks: look-ups are sent without waiting for each other, identical
 * ones are asked once, and those of one moment are sent in one write. It connects when first needed, reconnects with
 * back-off, and sends again what was unanswered: look-ups change nothing, so that is safe.
 * A look-up without an answer in time is answered `null`; so is one on which the server hangs up twice.
 */
export interface LookupChannel<Answer> {
  /**
   * The answers to request texts (whole lines), in order. Never rejects.
   * @param onAnswer called for each as it comes, before the promise of them all resolves
   */
  ask(requests: readonly string[], onAnswer?: OnAnswer<Answer>): Promise<readonly (Answer | null)[]>;
  /** Answers everything that waits with null. */
  giveUp(): void;
  /** The server is known to be back: the next look-up connects at once. */
  retryNow(): void;
  /** Switches to a new connection once what is in flight is answered: to introduce itself again, or to get back in step. */
  reconnect(): void;
  close(): void;
}

/** Sent and not yet answered: more would only wait in the server's buffers. */
const MAX_IN_FLIGHT = 8192;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 3000;
const LOOK_EVERY_MS = 50;
/** The longest request that is kept as a control. */
const MAX_CONTROL_LENGTH = 4096;

export function createLookupChannel<Answer>(options: LookupChannelOptions<Answer>): LookupChannel<Answer> {
  const pending = new PendingLookups<Answer>();
  let stream: Duplex | null = null;
  let connecting = false;
  let notConnected: Error | null = null;
  let flushing = false;
  let closed = false;
  let renewing = false;
  const pauses = new BackOff(FIRST_RETRY_MS, LONGEST_RETRY_MS);
  let retryAt = 0;
  let lastLineAt = 0;
  let timer: NodeJS.Timeout | null = null;
  /**
   * A request that was answered. When the server hangs up on another one, this tells whose fault it is: it is asked
   * first on the next connection, and a server that answers it is sound.
   */
  let control: string | null = null;
  /** Nothing is sent until the control has been answered. */
  let inDoubt = false;

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
    if (closed || !pending.hasUnsent) return;
    if (renewing) renew();
    if (!stream) return connect();
    if (renewing || inDoubt) return;
    const text = pending.send(MAX_IN_FLIGHT);
    if (text !== '') stream.write(text);
  }

  /** Watches the time: gives up what waits too long, and a connection that has gone silent. */
  function look(): void {
    const limit = performance.now() - options.timeoutMs;
    if (pending.giveUpBefore(limit)) {
      const within = `within ${options.timeoutMs / 1000} s`;
      if (stream && lastLineAt < limit) drop(new LateAnswer(`no answer ${within}`), { isFailure: true });
      else if (stream) options.onFailure(new LateAnswer(`some answers do not come ${within}`));
      else options.onFailure(notConnected ?? new ProtocolError(`no connection ${within}`));
    }
    flush();
    if (pending.size === 0 && timer) {
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
    retryAt = performance.now() + jittered(pauses.next());
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
        // Asked again, this look-up would get the same answer: it must not block all others.
        drop(error as Error, { isFailure: true, isGuilty: !readPreface });
      }
    });
    opened.on('error', (error) => stream === opened && drop(error));
    opened.on('close', () => stream === opened && drop(new ProtocolError('the connection was closed')));
    opened.write(inDoubt ? options.preface() + control : options.preface());
    flush();
  }

  function takeAnswer(answer: Answer | null | undefined): void {
    if (answer === undefined) return;
    pauses.reset();
    if (inDoubt) {
      inDoubt = false;
      options.onSuccess();
    } else {
      const request = pending.oldest;
      // Too late is no better than never.
      if (pending.answer(answer)) options.onSuccess();
      if (request.length <= MAX_CONTROL_LENGTH) control = request;
    }
    if (renewing) renew();
    if (pending.hasUnsent) wake();
  }

  /**
   * Ends the connection; what was asked on it is asked again.
   * @param isFailure counts as a failure even if nobody waits; otherwise an idle connection may end
   * @param isGuilty the look-up to be answered next is known to be the reason
   */
  function drop(why: Error, { isFailure = false, isGuilty = false } = {}): void {
    stream?.destroy();
    stream = null;
    backOff();
    if (isServersFault(isFailure, isGuilty) || why instanceof LastingRefusal) options.onFailure(why);
    if (pending.hasUnsent) wake();
  }

  /** Whether to count the end of the connection against the server: one bad look-up must not open the breaker for all others. */
  function isServersFault(isFailure: boolean, isGuilty: boolean): boolean {
    if (inDoubt) {
      // It does not even answer what it answered before. Next time this request may be to blame, so it is not used again.
      inDoubt = false;
      control = null;
      return true;
    }
    if (!pending.rewind(isGuilty)) return isFailure || pending.size > 0;
    inDoubt = control !== null;
    return !inDoubt;
  }

  function renew(): void {
    if (!stream || pending.inFlight > 0) return;
    stream.destroy();
    stream = null;
    renewing = false;
  }

  return {
    ask(requests, onAnswer) {
      if (closed) return Promise.resolve(requests.map(() => null));
      const answers = pending.ask(requests, onAnswer);
      if (pending.hasUnsent) wake();
      return answers;
    },
    giveUp: () => pending.giveUpAll(),
    retryNow() {
      retryAt = 0;
      pauses.reset();
    },
    reconnect() {
      renewing = stream !== null;
      renew();
    },
    close() {
      closed = true;
      if (timer) clearInterval(timer);
      pending.giveUpAll();
      stream?.destroy();
      stream = null;
    },
  };
}
