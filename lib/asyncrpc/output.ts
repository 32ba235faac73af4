import type { Duplex } from 'node:stream';
import type { Limits } from './limits.ts';

/** What a connection sends, held to how fast its client reads. */
export class Output {
  /** The client is behind: nothing more is read from it until it has caught up. */
  choked = false;
  private readonly stream: Duplex;
  private readonly limits: Limits;
  private readonly onStuck: (unsentBytes: number) => void;
  private lastUnsent = 0;
  private movedAt = performance.now();

  /**
   * @param onRelief called when the client has caught up
   * @param onStuck called when the client is too far behind, or has read nothing for too long: it is to be closed
   */
  constructor(stream: Duplex, limits: Limits, onRelief: () => void, onStuck: (unsentBytes: number) => void) {
    this.stream = stream;
    this.limits = limits;
    this.onStuck = onStuck;
    stream.on('drain', () => {
      this.choked = false;
      onRelief();
    });
  }

  get isEmpty(): boolean {
    return this.stream.writableLength === 0;
  }

  write(text: string): void {
    // Everything we send is ASCII (JSON is escaped, unihashes are checked), and this is the cheapest way to write it.
    this.stream.write(text, 'latin1');
    const unsent = this.stream.writableLength;
    if (unsent > this.limits.outputLimitBytes) this.onStuck(unsent);
    else if (unsent > this.limits.outputPauseBytes) this.choked = true;
  }

  /** Writes a long text no faster than the client reads it. Ends early, without an error, when the client is gone. */
  async writeAll(pieces: AsyncIterable<string> | Iterable<string>): Promise<void> {
    for await (const piece of pieces) {
      if (this.stream.destroyed) return;
      this.write(piece);
      if (this.choked) await this.relief();
    }
  }

  /** Holds the client to the output time limit. */
  checkTime(now: number): void {
    const unsent = this.stream.writableLength;
    if (unsent === 0 || unsent !== this.lastUnsent) this.movedAt = now;
    this.lastUnsent = unsent;
    if (now - this.movedAt > this.limits.outputTimeoutMs) this.onStuck(unsent);
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
