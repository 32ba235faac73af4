import type { Duplex } from 'node:stream';
import type { Limits } from '../limits.ts';
import type { Turns } from '../shares/turns.ts';

/** Gathered answers are written once they are longer than this. */
const GATHERED_LENGTH = 64 * 1024;

/** How often a client that may have gone is looked for. */
const PROBE_MS = 1000;

/** What an output needs of its connection. */
export interface OutputOwner {
  /** Whether more answers may be held for it. */
  readonly maySend: boolean;
  /** The client has caught up. */
  onRelief(): void;
  /** The client is behind, by this limit. */
  onChoke(limit: keyof Limits): void;
  /** The client is too far behind, or has read nothing for too long: it must be closed. */
  onStuck(unsentBytes: number, limit: keyof Limits): void;
}

/** What a connection sends, no faster than its client reads. */
export class Output {
  /** The client is behind: nothing more is read from it until it has caught up. */
  choked = false;
  private readonly stream: Duplex;
  private readonly limits: Limits;
  private readonly turns: Turns;
  private readonly owner: OutputOwner;
  private readonly sent: { sentBytes: number };
  private gathering = false;
  private gathered = '';
  private lastUnsent = 0;
  private movedAt = performance.now();
  private probedAt = 0;

  /** @param sent counts what is written */
  constructor(stream: Duplex, limits: Limits, turns: Turns, owner: OutputOwner, sent = { sentBytes: 0 }) {
    this.stream = stream;
    this.limits = limits;
    this.turns = turns;
    this.owner = owner;
    this.sent = sent;
    stream.on('drain', () => {
      this.choked = false;
      owner.onRelief();
    });
  }

  /** Bytes not yet sent to the client. */
  get unsentBytes(): number {
    return this.stream.writableLength + this.gathered.length;
  }

  /** What is written until `flush` is sent together: a system call for each of a thousand answers would take most of the time. */
  gather(): void {
    this.gathering = true;
  }

  flush(): void {
    this.gathering = false;
    if (this.gathered === '') return;
    const text = this.gathered;
    this.gathered = '';
    this.write(text);
  }

  write(text: string): void {
    if (this.gathering) {
      this.gathered += text;
      if (this.gathered.length < GATHERED_LENGTH) return;
      text = this.gathered;
      this.gathered = '';
    }
    // One that was closed for being behind may have more answers on the way.
    if (this.stream.destroyed) return;
    // Everything we send is ASCII (JSON is escaped, unihashes are checked), and this is the cheapest way to write it.
    this.stream.write(text, 'latin1');
    this.sent.sentBytes += text.length;
    const unsent = this.stream.writableLength;
    if (unsent > this.limits.outputLimitBytes) this.owner.onStuck(unsent, 'outputLimitBytes');
    // Only a stream that returned false emits `drain` when it has caught up.
    else if (unsent > 0 && this.stream.writableNeedDrain && !this.choked) this.choke(unsent);
  }

  private choke(unsent: number): void {
    const isLong = unsent > this.limits.outputPauseBytes;
    if (!isLong && this.owner.maySend) return;
    this.choked = true;
    this.owner.onChoke(isLong ? 'outputPauseBytes' : 'maxHeldBytes');
  }

  /**
   * Writes a long text no faster than the client reads it, with turns for others in between. Ends early, without an
   * error, when the client is gone.
   */
  async writeAll(pieces: AsyncIterable<string> | Iterable<string>): Promise<void> {
    let began = performance.now();
    for await (const piece of pieces) {
      if (this.stream.destroyed) return;
      this.write(piece);
      if (!this.choked && !this.turns.isSpent(began)) continue;
      this.turns.spend(began);
      if (this.choked) await this.relief();
      // Many clients may catch up at once.
      await this.turns.next();
      began = performance.now();
    }
    this.turns.spend(began);
  }

  /** Enforces the output time limit. */
  checkTime(now: number): void {
    const unsent = this.stream.writableLength;
    if (unsent === 0 || unsent !== this.lastUnsent) this.movedAt = now;
    this.lastUnsent = unsent;
    if (now - this.movedAt > this.limits.outputTimeoutMs) this.owner.onStuck(unsent, 'outputTimeoutMs');
  }

  /**
   * Called again and again while a client that has ended its input is owed an answer. One that has closed its connection
   * and one that only says nothing more (`printf … | nc`) look the same, until something is written: the system of the one
   * refuses it, and 'close' follows. To the other it is white space before JSON.
   */
  probe(now: number): void {
    if (this.probedAt === 0) this.probedAt = now;
    if (now - this.probedAt < PROBE_MS || this.unsentBytes > 0) return;
    this.probedAt = now;
    this.write(' ');
  }

  private relief(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.stream.off('drain', done);
        this.stream.off('close', done);
        resolve();
      };
      this.stream.on('drain', done);
      this.stream.on('close', done);
    });
  }
}

const SLICE_LENGTH = 64 * 1024;

/** A long text in pieces to write one after the other. */
export function* slices(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += SLICE_LENGTH) yield text.slice(at, at + SLICE_LENGTH);
}
