import { invokeError, isFault } from '../faults.ts';
import type { LimitHits, Limits } from '../limits.ts';
import { type Command, type Session, StreamFailure } from '../service.ts';
import type { Inbox } from './inbox.ts';
import { OrderedAnswers } from './ordered-answers.ts';

/** What stream mode needs of the connection it is on. */
export interface StreamHost {
  readonly limits: Limits;
  /** How often each was met. */
  readonly hits: LimitHits;
  readonly inbox: Inbox;
  write(text: string): void;
  /** Goes on with what can be done now. */
  pump(): void;
  /** Whether too much is being written for lines of the command to be handed over; the host goes on when it can. */
  mustWait(command: Command): boolean;
  /** The client is told of our own faults; otherwise they close its connection. */
  readonly told: boolean;
  logFailure(what: string, error: Error): void;
  /** Tells the client what was wrong, if it is told of that, and closes. */
  fail(error: Error): void;
}

/** Lines answered from their bytes in one step: so many take a part of a millisecond. */
const SCANNED_AT_ONCE = 256;

/** From a stream command to its END: lines overlap up to the in-flight limit, except for a command that writes. */
export class StreamMode {
  private readonly command: Command;
  private readonly session: Session;
  private readonly host: StreamHost;
  private readonly onEnd: () => void;
  private readonly answers: OrderedAnswers;
  /** Bytes of the lines that wait for their answer. */
  bytes = 0;
  private linesInFlight = 0;
  private ending = false;

  /** @param onEnd called once, when END was read and everything before it is answered */
  constructor(command: Command, session: Session, host: StreamHost, onEnd: () => void) {
    this.command = command;
    this.session = session;
    this.host = host;
    this.onEnd = onEnd;
    this.answers = new OrderedAnswers(
      () => host.pump(),
      (error) => this.fail(error),
    );
    host.inbox.scanWith(session.scanner?.(command) ?? null);
  }

  /** True when every line that was taken is answered. */
  get isIdle(): boolean {
    return this.answers.isEmpty;
  }

  /** Takes the next lines; false when there is nothing to do until something happens. */
  step(): boolean {
    // Lines after END are messages: they wait until the stream's answers are out.
    if (this.ending) return false;
    // A line sees the effect of those before it; and nothing is done after a bad one, which ends the stream.
    if (this.command.serial && !this.answers.isEmpty) return false;
    const { limits, inbox } = this.host;
    const room = limits.maxInFlight - this.linesInFlight;
    if (room <= 0 || inbox.isEmpty || this.host.mustWait(this.command)) return false;
    const scanned = inbox.scan(Math.min(room, SCANNED_AT_ONCE));
    if (scanned) {
      this.answer(scanned.text, scanned.lines, scanned.bytes);
      return true;
    }
    const held = inbox.heldBytes;
    const lines = inbox.takeLines(room);
    if (lines === null) this.end();
    // The next one cannot be read: the connection ends once those before it are answered.
    else if (lines.length === 0) return false;
    else this.answerLines(lines, Math.max(0, held - inbox.heldBytes));
    return true;
  }

  private end(): void {
    this.ending = true;
    this.host.inbox.scanWith(null);
    this.answers.add(() => {
      this.onEnd();
      this.host.write('ok\n');
    });
  }

  private answerLines(lines: readonly string[], bytes: number): void {
    this.answer(this.session.stream(this.command, lines), lines.length, bytes);
  }

  private answer(text: string | Promise<string>, lines: number, bytes: number): void {
    if (typeof text === 'string' && this.answers.isEmpty) return this.host.write(text);
    // Even a finished answer is held in memory until those before it are sent.
    this.linesInFlight += lines;
    if (this.linesInFlight >= this.host.limits.maxInFlight) this.host.hits.maxInFlight++;
    this.bytes += bytes;
    // Awaited in its turn, which may be after it has failed.
    const told = this.host.told && text instanceof Promise;
    const answer = told ? text.catch((error) => this.tell(error, lines)) : text;
    if (answer instanceof Promise) answer.catch(() => {});
    this.answers.add(async () => {
      this.host.write(await answer);
      this.linesInFlight -= lines;
      this.bytes -= bytes;
    });
  }

  /** A client that is told of faults gets an answer to each of its lines, and the stream goes on. */
  private tell(error: unknown, count: number): string {
    const fault = error instanceof StreamFailure ? (error.cause as Error) : null;
    if (!fault || !isFault(fault)) throw error;
    this.host.logFailure('stream lines failed', fault);
    return `${invokeError(fault)}\n`.repeat(count);
  }

  private fail(error: unknown): void {
    if (!(error instanceof StreamFailure)) return this.host.fail(error as Error);
    this.host.write(error.answered);
    this.host.fail(error.cause as Error);
  }
}
