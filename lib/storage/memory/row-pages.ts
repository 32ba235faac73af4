import { HASH_WORDS, writeHash } from './hex.ts';

/** So many rows grow together, so that growing copies nothing. */
const PAGE_BITS = 14;
export const PAGE_ROWS = 1 << PAGE_BITS;
/** A row is the words of its taskhash, then of its unihash. */
const ROW_WORDS = 2 * HASH_WORDS;
const UNIHASH = HASH_WORDS;
/** Beside it, the number of its method, and in the highest bit whether it was found lately: one look into memory gets both. */
const FOUND = 0x8000;
/** Methods have lower numbers than this. */
export const MOST_METHODS = 1000;
/** A row with those. */
export const ROW_BYTES = 4 * ROW_WORDS + 2;

/** Rows as they stand in memory, by number. */
export class RowPages {
  private pages: Int32Array[] = [];
  private marks: Uint16Array[] = [];
  /** What was touched last: read by nobody, but what nobody keeps need not be read from memory either. */
  touched = 0;

  /** Rows there is room for. */
  get rows(): number {
    return this.pages.length * PAGE_ROWS;
  }

  get bytes(): number {
    return this.rows * ROW_BYTES;
  }

  /** Makes room for a page of rows more. */
  grow(): void {
    this.pages.push(new Int32Array(PAGE_ROWS * ROW_WORDS));
    this.marks.push(new Uint16Array(PAGE_ROWS));
  }

  set(row: number, method: number, taskhash: Int32Array, unihash: Int32Array): void {
    const page = this.wordsOf(row);
    page.set(taskhash, at(row));
    page.set(unihash, at(row) + UNIHASH);
    this.marks[row >>> PAGE_BITS]![row & (PAGE_ROWS - 1)] = method;
  }

  clear(): void {
    this.pages = [];
    this.marks = [];
  }

  methodOf(row: number): number {
    return this.markOf(row) & ~FOUND;
  }

  isTask(row: number, method: number, taskhash: Int32Array, from: number): boolean {
    return this.equals(row, 0, taskhash, from) && this.methodOf(row) === method;
  }

  hasUnihash(row: number, unihash: Int32Array, from: number): boolean {
    return this.equals(row, UNIHASH, unihash, from);
  }

  /** The page of a row, and where in it its taskhash and its unihash begin. */
  wordsOf(row: number): Int32Array {
    return this.pages[row >>> PAGE_BITS]!;
  }

  taskhashAt(row: number): number {
    return at(row);
  }

  unihashAt(row: number): number {
    return at(row) + UNIHASH;
  }

  writeUnihash(row: number, view: DataView, to: number): void {
    writeHash(this.wordsOf(row), at(row) + UNIHASH, view, to);
  }

  /** Notes that a row was found. */
  note(row: number): void {
    const mark = this.markOf(row);
    // Written only where it changes: a line of memory that is only read need not be written back.
    if (mark < FOUND) this.marks[row >>> PAGE_BITS]![row & (PAGE_ROWS - 1)] = mark | FOUND;
  }

  /** Whether a row was found since this was last asked. */
  forget(row: number): boolean {
    const mark = this.markOf(row);
    if (mark < FOUND) return false;
    this.marks[row >>> PAGE_BITS]![row & (PAGE_ROWS - 1)] = mark & ~FOUND;
    return true;
  }

  /** Looks at rows, of which some may not be there, so that the processor has them when they are read. */
  touch(rows: Int32Array, count: number): void {
    const { length } = this.pages;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const row = rows[i]!;
      const page = row >>> PAGE_BITS;
      if (page >= length) continue;
      const words = this.pages[page]!;
      // Its first word and its last: where a page begins is malloc's choice, so that a row may be in two lines of memory.
      sum ^= words[at(row)]! ^ words[at(row) + ROW_WORDS - 1]! ^ this.marks[page]![row & (PAGE_ROWS - 1)]!;
    }
    this.touched = sum;
  }

  private markOf(row: number): number {
    return this.marks[row >>> PAGE_BITS]![row & (PAGE_ROWS - 1)]!;
  }

  private equals(row: number, offset: number, words: Int32Array, from: number): boolean {
    const page = this.wordsOf(row);
    const first = at(row) + offset;
    for (let i = 0; i < HASH_WORDS; i++) if (page[first + i] !== words[from + i]) return false;
    return true;
  }
}

/** Where a row begins in its page. */
function at(row: number): number {
  return (row & (PAGE_ROWS - 1)) * ROW_WORDS;
}
