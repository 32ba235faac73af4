import { isAscii } from 'node:buffer';
import { beginsWith, type Slate, slateOf } from '../../asyncrpc/wire/slate.ts';
import type { LineScanner } from '../../hashserv/store.ts';
import { HASH_DIGITS, HASH_WORDS, readHash } from './hex.ts';
import { MOST_AHEAD, type UnihashTable } from './unihash-table.ts';

const NEWLINE = 0x0a;
const BLANK = 0x20;
const NOTHING = slateOf(Buffer.alloc(0));
/** As 32-bit words, the first character in the lowest byte. */
const TRUE = 0x65757274;
const FALSE = 0x736c6166;

/** What both scanners do: lines are read some at a time, then looked up together, then answered. */
abstract class Scan implements LineScanner {
  protected readonly table: UnihashTable;
  protected written = 0;
  protected misses = 0;
  private readonly missesAreKnown: () => boolean;

  constructor(table: UnihashTable, missesAreKnown: () => boolean) {
    this.table = table;
    this.missesAreKnown = missesAreKnown;
  }

  scan(input: Slate, from: number, to: number, output: Slate, most: number) {
    const unknown = this.missesAreKnown();
    this.written = 0;
    this.misses = 0;
    let end = from;
    let lines = 0;
    while (lines < most && end < to) {
      const length = this.lineLength(input, end, to);
      const read = length < 0 ? 0 : this.read(input, end, to, Math.min(most - lines, MOST_AHEAD));
      if (read === 0) break;
      const answered = this.answer(read, unknown, output);
      lines += answered;
      end += answered * length;
      if (answered < read) break;
    }
    return { end, written: this.written, lines, misses: this.misses };
  }

  /** How long the line at `at` is with its newline, and with it those that follow and are read together; below 0 when it is none. */
  protected abstract lineLength(input: Slate, at: number, to: number): number;

  /** Reads lines into what the table has ahead; returns how many. */
  protected abstract read(input: Slate, at: number, to: number, most: number): number;

  /** Answers what was read, up to the first line that is not settled; returns how many were. */
  protected abstract answer(count: number, unknown: boolean, output: Slate): number;
}

/** Lines `method taskhash` of get-stream. */
class TaskScan extends Scan {
  /** Most streams ask for one method: its bytes with the blank after it, and its number. */
  private method = NOTHING;
  private number = -1;
  private generation = -1;

  protected lineLength(input: Slate, at: number, to: number): number {
    const isKnown = this.generation === this.table.generation && beginsWith(input, at, to, this.method);
    return isKnown || this.changeMethod(input.bytes, at, to) ? this.method.bytes.length + HASH_DIGITS + 1 : -1;
  }

  protected read(input: Slate, at: number, to: number, most: number): number {
    const { words } = this.table.ahead;
    const { bytes, view } = input;
    const toDigits = this.method.bytes.length;
    let count = 0;
    for (; count < most; count++) {
      const digits = at + toDigits;
      const end = digits + HASH_DIGITS;
      if (end >= to || bytes[end] !== NEWLINE || !readHash(view, digits, words, count * HASH_WORDS)) break;
      if (count > 0 && !beginsWith(input, at, to, this.method)) break;
      at = end + 1;
    }
    this.table.guessTasks(this.number, count);
    return count;
  }

  protected answer(count: number, unknown: boolean, output: Slate): number {
    const { table, number } = this;
    const { bytes, view } = output;
    let to = this.written;
    let answered = 0;
    for (; answered < count; answered++) {
      const row = table.taskAhead(number, answered);
      if (row >= 0) {
        table.writeUnihash(row, view, to);
        to += HASH_DIGITS;
      } else if (unknown) this.misses++;
      else break;
      bytes[to++] = NEWLINE;
    }
    this.written = to;
    return answered;
  }

  /** Takes up the method of the line at `at`; false when it is no line of a known one. */
  private changeMethod(bytes: Buffer, at: number, to: number): boolean {
    const end = bytes.indexOf(NEWLINE, at);
    const length = end - HASH_DIGITS - at;
    if (end < 0 || end >= to || length < 2 || bytes[at + length - 1] !== BLANK) return false;
    const name = bytes.subarray(at, at + length - 1);
    const number = isAscii(name) ? this.table.methodNumber(name.toString('latin1')) : -1;
    if (number < 0) return false;
    this.generation = this.table.generation;
    this.number = number;
    this.method = slateOf(Buffer.from(bytes.subarray(at, at + length)));
    return true;
  }
}

/** Lines `unihash` of exists-stream. */
class UnihashScan extends Scan {
  protected lineLength(): number {
    return HASH_DIGITS + 1;
  }

  protected read({ bytes, view }: Slate, at: number, to: number, most: number): number {
    const { words } = this.table.ahead;
    let count = 0;
    for (; count < most; count++) {
      const end = at + HASH_DIGITS;
      if (end >= to || bytes[end] !== NEWLINE || !readHash(view, at, words, count * HASH_WORDS)) break;
      at = end + 1;
    }
    this.table.guessUnihashes(count);
    return count;
  }

  protected answer(count: number, unknown: boolean, { bytes, view }: Slate): number {
    const { table } = this;
    let to = this.written;
    let answered = 0;
    for (; answered < count; answered++) {
      const known = table.hasUnihashAhead(answered);
      if (!known && !(unknown && table.lacksUnihash(table.ahead.words, answered * HASH_WORDS))) break;
      view.setInt32(to, known ? TRUE : FALSE, true);
      to += 4;
      if (!known) {
        this.misses++;
        bytes[to++] = 0x65;
      }
      bytes[to++] = NEWLINE;
    }
    this.written = to;
    return answered;
  }
}

/**
 * Scans get-stream.
 * @param missesAreKnown whether a task that the table does not have is known not to exist
 */
export function createTaskScanner(table: UnihashTable, missesAreKnown: () => boolean): LineScanner {
  return new TaskScan(table, missesAreKnown);
}

/**
 * Scans exists-stream.
 * @param absencesAreKnown whether a unihash that no row of the table has is known not to exist
 */
export function createUnihashScanner(table: UnihashTable, absencesAreKnown: () => boolean): LineScanner {
  return new UnihashScan(table, absencesAreKnown);
}
