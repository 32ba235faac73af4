import { ProtocolError } from '../../errors.ts';
import { Fifo } from '../fifo.ts';

/** Gets an answer (`null` if there is none) and the request's index among those asked with it. */
export type OnAnswer<Answer> = (answer: Answer | null, index: number) => void;

/** A caller that waits for several answers. */
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

/** How many may wait in all: past this a look-up is a miss at once, so that a hanging upstream costs bounded memory. */
const MAX_WAITING = 65_536;
/** Of all waiting look-ups together. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

/**
 * Look-ups that wait for their answers, in the order in which they were asked, sent and
 * answered. The only thing that separates sent look-ups from unsent ones is how many have been sent.
 * When the connection is lost that is 0 again: all are sent again, but the oldest is a suspect, as the server may have hung
 * up because of it. A suspect is sent alone, and if the server hangs up again it is a miss. If the server hung up
 * because of a later one before sending its answers, the others still get theirs, in few steps.
 */
export class PendingLookups<Answer> {
  /** The same look-up is asked once, however many wait for it. */
  private readonly entries = new Map<string, Entry<Answer>>();
  private readonly queue = new Fifo<Entry<Answer>>();
  /** How many of the queue have been sent and not answered. */
  private sent = 0;
  private bytes = 0;
  private suspect: Entry<Answer> | null = null;
  /** How many may be in flight after a connection was lost: one at first, more with every answer, until it is lost again. */
  private window = Number.POSITIVE_INFINITY;

  /** Look-ups that somebody waits for. */
  get size(): number {
    return this.entries.size;
  }

  get inFlight(): number {
    return this.sent;
  }

  get hasUnsent(): boolean {
    return this.queue.length > this.sent;
  }

  /** The request that is answered next; empty if there is none. */
  get oldest(): string {
    return this.queue.at(0)?.request ?? '';
  }

  /** The answers to the requests, in order; null for those there is no room for. */
  ask(requests: readonly string[], onAnswer?: OnAnswer<Answer>): Promise<readonly (Answer | null)[]> {
    return new Promise((resolve) => {
      const answers = new Array<Answer | null>(requests.length).fill(null);
      const batch: Batch<Answer> = { answers, left: requests.length, onAnswer, resolve };
      const since = performance.now();
      let dropped = 0;
      requests.forEach((request, index) => {
        const entry = this.entries.get(request) ?? this.add(request, since);
        if (entry) entry.waiters.push({ batch, index });
        else dropped++;
      });
      batch.left -= dropped;
      if (batch.left === 0) resolve(answers);
    });
  }

  /** The text of what may be sent now, so that no more than `maxInFlight` are; it counts as sent. */
  send(maxInFlight: number): string {
    const end = Math.min(this.queue.length, maxInFlight, this.window);
    let text = '';
    for (; this.sent < end; this.sent++) text += this.queue.at(this.sent)!.request;
    return text;
  }

  /**
   * Gives the answer to the oldest that was sent.
   * @returns whether somebody still waited for it
   * @throws ProtocolError when nothing was sent
   */
  answer(answer: Answer | null): boolean {
    if (this.sent === 0) throw new ProtocolError('an answer without a request');
    const entry = this.queue.take()!;
    this.sent--;
    this.window++;
    const inTime = !entry.settled;
    this.settle(entry, answer);
    return inTime;
  }

  /** Gives up those asked before this time, in ms; false when there is none. */
  giveUpBefore(time: number): boolean {
    let late = false;
    for (const entry of this.entries.values()) {
      if (entry.since > time) break;
      late = true;
      this.settle(entry, null);
    }
    if (late) this.forgetSettled();
    return late;
  }

  giveUpAll(): void {
    for (const entry of [...this.entries.values()]) this.settle(entry, null);
    this.forgetSettled();
  }

  /**
   * The connection is gone: what was sent on it must be sent again. The oldest is given up if it was a suspect
   * already, or `isGuilty`; otherwise it becomes one.
   * @returns whether there is one: somebody waits for the oldest that was sent
   */
  rewind(isGuilty: boolean): boolean {
    const oldest = this.sent > 0 ? this.queue.at(0)! : null;
    const isAwaited = oldest !== null && !oldest.settled;
    if (isAwaited) this.window = 1;
    if (isAwaited && (isGuilty || oldest === this.suspect)) this.settle(oldest, null);
    else if (isAwaited) this.suspect = oldest;
    this.sent = 0;
    this.forgetSettled();
    return isAwaited;
  }

  private add(request: string, since: number): Entry<Answer> | null {
    if (this.entries.size >= MAX_WAITING || this.bytes + request.length > MAX_WAITING_BYTES) return null;
    const entry: Entry<Answer> = { request, since, waiters: [], settled: false };
    this.entries.set(request, entry);
    this.queue.push(entry);
    this.bytes += request.length;
    return entry;
  }

  private settle(entry: Entry<Answer>, answer: Answer | null): void {
    if (entry.settled) return;
    entry.settled = true;
    this.entries.delete(entry.request);
    this.bytes -= entry.request.length;
    for (const { batch, index } of entry.waiters) {
      batch.answers[index] = answer;
      batch.onAnswer?.(answer, index);
      if (--batch.left === 0) batch.resolve(batch.answers);
    }
    entry.waiters = [];
  }

  /** Answers to sent look-ups still come, even if nobody waits for them any more: those keep their places. */
  private forgetSettled(): void {
    this.queue.keep((entry) => !entry.settled, this.sent);
  }
}
