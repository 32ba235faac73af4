import { isAscii, isUtf8 } from 'node:buffer';
import { ProtocolError } from '../../errors.ts';
import { LimitError } from '../limits.ts';

const NEWLINE = 0x0a;
const NOTHING = Buffer.alloc(0);

/**
 * White space at the end of a line does not count. The recording hash-chunk-stream shows it (a chunk that ends in a
 * blank loses it), and it lets people type with tools that end lines in CR LF.
 */
function dropTrailingSpace(lines: string[]): void {
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (line.charCodeAt(line.length - 1) <= 0x20) lines[i] = line.trimEnd();
  }
}

/**
 * Cuts a byte stream into lines. It knows bytes and newlines only, so any split of the input gives the same lines:
 * a newline byte never occurs inside a multi-byte UTF-8 character, and characters are decoded from whole lines.
 */
export class LineSplitter {
  /** Set once no more input can be read; the lines returned before are good. */
  failure: ProtocolError | null = null;
  private held: Buffer = NOTHING;
  private heldLength = 0;
  private readonly maxLineBytes: number;
  private readonly limit: 'maxLineBytes' | 'maxMessageBytes';

  /**
   * @param maxLineBytes the longest line accepted, without its newline
   * @param limit which limit of a client's input that is
   */
  constructor(maxLineBytes: number, limit: 'maxLineBytes' | 'maxMessageBytes' = 'maxLineBytes') {
    this.maxLineBytes = maxLineBytes;
    this.limit = limit;
  }

  /** Bytes of the unfinished line at the end of the input. */
  get partialBytes(): number {
    return this.heldLength;
  }

  /** What `chunk` completes, as it came: whole lines, each with its newline, for `cut`. */
  pushWhole(chunk: Buffer): Buffer {
    if (this.failure) return NOTHING;
    // Nearly always: what a client sends in one go ends with a line.
    if (this.heldLength === 0 && chunk[chunk.length - 1] === NEWLINE) return chunk;
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      this.hold(chunk);
      return NOTHING;
    }
    const whole = this.release(chunk.subarray(0, end));
    this.hold(chunk.subarray(end));
    return whole;
  }

  /**
   * Cuts whole lines that came before the unfinished one.
   * @returns those before the first that cannot be read; what came after it is then to be dropped
   */
  cut(whole: Buffer): { readonly lines: string[]; readonly isGood: boolean } {
    // What came later may have failed already; these lines are good all the same.
    const later = this.failure;
    this.failure = null;
    const lines = this.decode(whole.subarray(0, -1));
    const isGood = this.failure === null;
    this.failure ??= later;
    return { lines, isGood };
  }

  /** The lines that `chunk` completes, in order and without their newlines, in a new array. */
  push(chunk: Buffer): string[] {
    if (this.failure) return [];
    const end = chunk.lastIndexOf(NEWLINE);
    if (end < 0) {
      this.hold(chunk);
      return [];
    }
    const lines = this.decode(this.release(chunk.subarray(0, end)));
    if (!this.failure) this.hold(chunk.subarray(end + 1));
    return lines;
  }

  /** Stops reading and drops the unfinished line. */
  stop(why: ProtocolError): void {
    this.failure ??= why;
    this.held = NOTHING;
    this.heldLength = 0;
  }

  private hold(bytes: Buffer): void {
    const length = this.heldLength + bytes.length;
    if (length > this.maxLineBytes) {
      this.failLong();
      return;
    }
    if (length === 0) return;
    if (length > this.held.length) {
      // Grown by doubling: a client that sends one byte at a time must not cost a copy of the line for each byte.
      const grown = Buffer.allocUnsafeSlow(Math.max(256, length, this.held.length * 2));
      this.held.copy(grown, 0, 0, this.heldLength);
      this.held = grown;
    }
    bytes.copy(this.held, this.heldLength);
    this.heldLength = length;
  }

  private release(rest: Buffer): Buffer {
    if (this.heldLength === 0) return rest;
    const whole = Buffer.concat([this.held.subarray(0, this.heldLength), rest]);
    this.heldLength = 0;
    if (this.held.length > 4096) this.held = NOTHING;
    return whole;
  }

  private decode(block: Buffer): string[] {
    const ascii = isAscii(block);
    if (!ascii && !isUtf8(block)) return this.decodeUntilInvalid(block);
    const text = block.toString(ascii ? 'latin1' : 'utf8');
    const lines = text.split('\n');
    if (block.length > this.maxLineBytes) {
      // Measured before white space is dropped, as for an unfinished line: the result must not depend on how the input is split.
      const long = lines.findIndex((line) => (ascii ? line.length : Buffer.byteLength(line)) > this.maxLineBytes);
      if (long >= 0) {
        this.failLong();
        lines.length = long;
      }
    }
    dropTrailingSpace(lines);
    return lines;
  }

  private decodeUntilInvalid(block: Buffer): string[] {
    const lines: string[] = [];
    for (let start = 0; start <= block.length; ) {
      const found = block.indexOf(NEWLINE, start);
      const end = found < 0 ? block.length : found;
      const line = block.subarray(start, end);
      if (line.length > this.maxLineBytes) {
        this.failLong();
        break;
      }
      if (!isUtf8(line)) {
        this.stop(new ProtocolError('a line is not valid UTF-8'));
        break;
      }
      lines.push(line.toString('utf8'));
      start = end + 1;
    }
    dropTrailingSpace(lines);
    return lines;
  }

  private failLong(): void {
    this.stop(new LimitError(this.limit, `a line is longer than ${this.maxLineBytes} bytes`));
  }
}
