import { Fifo } from '../fifo.ts';
import type { LineScanner } from '../service.ts';
import { type Slate, slateOf } from '../wire/slate.ts';

const NEWLINE = 0x0a;
/** Bytes looked at in one step. A line that is longer is none for a scanner. */
const STEP_BYTES = 16 * 1024;
/** Shorter blocks are put together: each costs more beside its bytes than a line does. */
const SHORT_BYTES = 4 * 1024;
/** Lines that are cut off at once where a scanner stops again and again. */
const MOST_CUT = 256;

/** Where lines are scanned and answered: one for all connections, as none does that while another does. */
export interface Desk {
  readonly input: Slate;
  readonly output: Slate;
}

export function createDesk(): Desk {
  return { input: slateOf(Buffer.alloc(STEP_BYTES)), output: slateOf(Buffer.alloc(STEP_BYTES)) };
}

/** Answers to lines of one block. */
export interface BlockAnswers {
  readonly text: string;
  readonly lines: number;
  /** Of the lines. */
  readonly bytes: number;
}

/** What was received of a stream as whole lines, before it is cut into them: a scanner answers it as it is. */
export class Blocks {
  /** Bytes that wait. */
  bytes = 0;
  private readonly desk: Desk;
  private readonly waiting = new Fifo<Buffer>();
  /** The one that came last, which may grow. */
  private newest: Buffer | null = null;
  private block: Buffer | null = null;
  private at = 0;
  private cutAtOnce = 1;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  /** @param lines whole, each with its newline */
  push(lines: Buffer): void {
    this.bytes += lines.length;
    if (this.newest && this.newest.length + lines.length <= SHORT_BYTES) {
      this.newest = Buffer.concat([this.newest, lines]);
      return;
    }
    if (this.newest) this.waiting.push(this.newest);
    this.newest = lines;
  }

  /** Answers lines, up to `most` and to the first that the scanner does not settle; null when that is the next. */
  scan(scanner: LineScanner, most: number): BlockAnswers | null {
    const block = this.current();
    const { input, output } = this.desk;
    const length = Math.min(block.length - this.at, STEP_BYTES);
    block.copy(input.bytes, 0, this.at, this.at + length);
    const { end, written, lines } = scanner.scan(input, 0, length, output, most);
    if (lines === 0) return null;
    this.advance(this.at + end);
    if (lines >= this.cutAtOnce || !this.block) this.cutAtOnce = 1;
    return { text: output.bytes.toString('latin1', 0, written), lines, bytes: end };
  }

  /** Takes the lines that a scanner stopped at: one, and more where it stops again and again. */
  cut(): Buffer {
    const block = this.current();
    let end = this.at;
    for (let lines = 0; lines < this.cutAtOnce && end < block.length; lines++) end = block.indexOf(NEWLINE, end) + 1;
    this.cutAtOnce = Math.min(2 * this.cutAtOnce, MOST_CUT);
    const lines = block.subarray(this.at, end);
    this.advance(end);
    return lines;
  }

  /** Takes the rest of a block. */
  takeBlock(): Buffer {
    const block = this.current();
    const lines = block.subarray(this.at);
    this.advance(block.length);
    return lines;
  }

  clear(): void {
    this.waiting.clear();
    this.newest = null;
    this.block = null;
    this.at = 0;
    this.bytes = 0;
  }

  private current(): Buffer {
    if (this.block) return this.block;
    const next = this.waiting.take();
    this.block = next ?? this.newest!;
    if (!next) this.newest = null;
    return this.block;
  }

  private advance(to: number): void {
    this.bytes -= to - this.at;
    this.at = to;
    if (to < this.block!.length) return;
    this.block = null;
    this.at = 0;
  }
}
