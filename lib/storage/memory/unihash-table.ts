import { randomFillSync } from 'node:crypto';
import { HashIndex, type Keys, MOST_ROWS, reservedBytes } from './hash-index.ts';
import { createHasher, type Hasher, SECRET_WORDS } from './hasher.ts';
import { HASH_WORDS } from './hex.ts';
import { MOST_METHODS, PAGE_ROWS, ROW_BYTES, RowPages } from './row-pages.ts';
import { COUNT_BYTES, UnihashIndex, type UnihashRows } from './unihash-index.ts';

/** What a further page takes, with what its rows will need in the indexes. */
const PAGE_BYTES = PAGE_ROWS * (ROW_BYTES + COUNT_BYTES + 12);
/** In less than this a table holds nothing: a page, and two empty indexes. */
export const LEAST_TABLE_BYTES = PAGE_BYTES + 16 * 1024;
/** Goes into the hash of a unihash, where that of a taskhash has its method. */
const NO_METHOD = -1;
/** Keys that may be looked up together. */
export const MOST_AHEAD = 32;

/** Rows by what they are asked for. In classes, not in closures: V8 then puts both into the loop that calls them, which takes half the time. */
class TaskKeys implements Keys {
  private readonly pages: RowPages;
  private readonly hasher: Hasher;

  constructor(pages: RowPages, hasher: Hasher) {
    this.pages = pages;
    this.hasher = hasher;
  }

  matches(row: number, method: number, taskhash: Int32Array, from: number): boolean {
    return this.pages.isTask(row, method, taskhash, from);
  }

  hashOf(row: number): number {
    return this.hasher(this.pages.wordsOf(row), this.pages.taskhashAt(row), this.pages.methodOf(row));
  }
}

class UnihashKeys implements UnihashRows {
  private readonly pages: RowPages;
  private readonly hasher: Hasher;

  constructor(pages: RowPages, hasher: Hasher) {
    this.pages = pages;
    this.hasher = hasher;
  }

  matches(row: number, _tag: number, unihash: Int32Array, from: number): boolean {
    return this.pages.hasUnihash(row, unihash, from);
  }

  hashOf(row: number): number {
    return this.hash(this.pages.wordsOf(row), this.pages.unihashAt(row));
  }

  hash(unihash: Int32Array, from: number): number {
    return this.hasher(unihash, from, NO_METHOD);
  }
}

/**
 * (method, taskhash) → unihash in memory, for rows whose hashes are 64 lower-case hex digits: about 80 bytes a row, off
 * V8's heap. Keys are compared whole. Full, it makes room by second chance: a row that was found since the hand last
 * passed stays. Adding never takes longer than a part of the index takes to grow, well under a millisecond.
 *
 * With `byUnihash` it also says whether a unihash is known.
 */
export class UnihashTable {
  private readonly maxBytes: number;
  private readonly pages = new RowPages();
  private readonly methodNumbers = new Map<string, number>();
  private rows = 0;
  private freed: number[] = [];
  private hand = 0;
  private live = 0;
  private readonly hasher: Hasher;
  private readonly byTask: HashIndex;
  private readonly byUnihash: UnihashIndex;
  /** Keys that are looked up together: eight words each, their hashes, and the rows that they may be in. */
  readonly ahead = {
    words: new Int32Array(MOST_AHEAD * HASH_WORDS),
    hashes: new Int32Array(MOST_AHEAD),
    rows: new Int32Array(MOST_AHEAD),
  };
  private readonly unihash = new Int32Array(HASH_WORDS);
  private evictions = 0;
  private clears = 0;

  /** @param maxBytes rows and indexes together stay below this; 0 keeps nothing */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
    this.hasher = createHasher(randomFillSync(new Int32Array(SECRET_WORDS)));
    this.byTask = new HashIndex(new TaskKeys(this.pages, this.hasher));
    this.byUnihash = new UnihashIndex(new UnihashKeys(this.pages, this.hasher));
  }

  /** Rows held. */
  get size(): number {
    return this.live;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.pages.bytes + this.byTask.bytes + this.byUnihash.bytes;
  }

  /** Whether another row can be added without giving one up. */
  get hasRoom(): boolean {
    return this.freed.length > 0 || this.rows < this.pages.rows || this.mayGrow;
  }

  /** Rows given up for want of room, since the table was made or cleared: with none, a row that is not found was never added. */
  get evicted(): number {
    return this.evictions;
  }

  /** Changes when the numbers of methods do. */
  get generation(): number {
    return this.clears;
  }

  /** About so many rows will be added: while the table is empty it makes room for them, as far as its bytes go. */
  expect(rows: number): void {
    const bytesOfRow = ROW_BYTES + COUNT_BYTES + (2 * reservedBytes(MOST_ROWS)) / MOST_ROWS;
    const most = Math.min(rows, MOST_ROWS, Math.floor(this.maxBytes / bytesOfRow));
    if (this.live > 0 || this.maxBytes === 0) return;
    this.byTask.reserve(most);
    this.byUnihash.reserve(most);
  }

  /** The number a method has here, or -1. */
  methodNumber(method: string): number {
    return this.methodNumbers.get(method) ?? -1;
  }

  /** The row of a task, or -1. */
  findTask(method: number, taskhash: Int32Array): number {
    const row = this.byTask.find(this.hasher(taskhash, 0, method), method, taskhash, 0);
    if (row >= 0) this.pages.note(row);
    return row;
  }

  /** Whether a row has this unihash. False does not yet say that none has. */
  hasUnihash(unihash: Int32Array): boolean {
    return this.byUnihash.has(unihash);
  }

  /** Of the unihash in the eight words at `from`, for which hasUnihash is false: whether no row has it. */
  lacksUnihash(unihash: Int32Array, from = 0): boolean {
    return this.byUnihash.lacks(unihash, from);
  }

  /** Hashes so many taskhashes that are ahead, and guesses where they are. */
  guessTasks(method: number, count: number): void {
    const { words, hashes, rows } = this.ahead;
    for (let i = 0; i < count; i++) hashes[i] = this.hasher(words, i * HASH_WORDS, method);
    this.byTask.guess(hashes, count, rows);
    this.pages.touch(rows, count);
  }

  /** The row of a task that is ahead, or -1. */
  taskAhead(method: number, i: number): number {
    const { words, hashes, rows } = this.ahead;
    const row = this.byTask.confirm(rows[i]!, hashes[i]!, method, words, i * HASH_WORDS);
    if (row >= 0) this.pages.note(row);
    return row;
  }

  /** The same for unihashes. */
  guessUnihashes(count: number): void {
    const { words, hashes, rows } = this.ahead;
    for (let i = 0; i < count; i++) hashes[i] = this.hasher(words, i * HASH_WORDS, NO_METHOD);
    this.byUnihash.guess(hashes, count, rows);
    this.pages.touch(rows, count);
  }

  hasUnihashAhead(i: number): boolean {
    const { words, hashes, rows } = this.ahead;
    return this.byUnihash.confirms(rows[i]!, hashes[i]!, words, i * HASH_WORDS);
  }

  /** Writes the 64 digits of a row's unihash. */
  writeUnihash(row: number, view: DataView, to: number): void {
    this.pages.writeUnihash(row, view, to);
  }

  /**
   * Adds a task's unihash, or puts it in the place of another.
   * @returns false when it cannot be kept
   */
  set(method: string, taskhash: Int32Array, unihash: Int32Array): boolean {
    const number = this.numberOf(method);
    if (number < 0) return false;
    const hash = this.hasher(taskhash, 0, number);
    const known = this.byTask.find(hash, number, taskhash, 0);
    if (known >= 0) {
      if (this.pages.hasUnihash(known, unihash, 0)) return true;
      this.remove(known);
    }
    const row = this.room();
    if (row < 0) return false;
    this.pages.set(row, number, taskhash, unihash);
    this.byTask.add(hash, row);
    this.byUnihash.add(unihash, row);
    this.live++;
    return true;
  }

  /** Forgets a task. */
  delete(method: string, taskhash: Int32Array): void {
    const number = this.methodNumber(method);
    const row = number < 0 ? -1 : this.byTask.find(this.hasher(taskhash, 0, number), number, taskhash, 0);
    if (row >= 0) this.remove(row);
  }

  /** Forgets everything, and gives the memory back. */
  clear(): void {
    this.pages.clear();
    this.freed = [];
    this.methodNumbers.clear();
    this.clears++;
    this.rows = 0;
    this.live = 0;
    this.hand = 0;
    this.evictions = 0;
    this.byTask.clear();
    this.byUnihash.clear();
  }

  private get mayGrow(): boolean {
    return this.bytes + PAGE_BYTES <= this.maxBytes && this.rows < MOST_ROWS;
  }

  private numberOf(method: string): number {
    const known = this.methodNumbers.get(method);
    if (known !== undefined) return known;
    if (this.methodNumbers.size >= MOST_METHODS) return -1;
    this.methodNumbers.set(method, this.methodNumbers.size);
    return this.methodNumbers.size - 1;
  }

  /** A row to write to, or -1. */
  private room(): number {
    const freed = this.freed.pop();
    if (freed !== undefined) return freed;
    if (this.rows < this.pages.rows) return this.rows++;
    if (!this.mayGrow) return this.evict();
    this.pages.grow();
    return this.rows++;
  }

  /** Gives up the first row that was not found since the hand last passed it. */
  private evict(): number {
    if (this.rows === 0) return -1;
    this.byUnihash.loseOrphans();
    for (;;) {
      const row = this.hand;
      this.hand = (this.hand + 1) % this.rows;
      if (this.pages.forget(row)) continue;
      this.remove(row);
      this.evictions++;
      return this.freed.pop()!;
    }
  }

  private remove(row: number): void {
    const words = this.pages.wordsOf(row);
    const from = this.pages.unihashAt(row);
    this.byTask.remove(this.hasher(words, this.pages.taskhashAt(row), this.pages.methodOf(row)), row);
    for (let i = 0; i < HASH_WORDS; i++) this.unihash[i] = words[from + i]!;
    this.byUnihash.remove(this.unihash, row);
    this.freed.push(row);
    this.live--;
  }
}
