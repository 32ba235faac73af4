import { randomFillSync } from 'node:crypto';
import { createHasher, type Hasher, HashIndex, MOST_ROWS, reservedBytes, SECRET_WORDS } from './hash-index.ts';
import { HASH_WORDS, writeHash } from './hex.ts';
import { COUNT_BYTES, UnihashIndex } from './unihash-index.ts';

/** Rows are kept in pages, so that growing copies nothing. A row is the words of its taskhash, then of its unihash. */
const PAGE_BITS = 14;
const PAGE_ROWS = 1 << PAGE_BITS;
const ROW_WORDS = 2 * HASH_WORDS;
/** A row with its method and its bit of recency. */
const ROW_BYTES = 4 * ROW_WORDS + 2 + 1;
/** What a further page takes, with what its rows will need in the indexes. */
const PAGE_BYTES = PAGE_ROWS * (ROW_BYTES + COUNT_BYTES + 12);
/** In less than this a table holds nothing: a page, and two empty indexes. */
export const LEAST_TABLE_BYTES = PAGE_BYTES + 16 * 1024;
/** No more methods than this are known by number; rows of further ones are not kept. */
const MOST_METHODS = 1000;

/**
 * (method, taskhash) → unihash in memory, for rows whose hashes are 64 lower-case hex digits: about 80 bytes a row, off
 * V8's heap. Keys are compared whole. Full, it makes room by second chance: a row that was found since the hand last
 * passed stays. Adding never takes longer than a part of the index takes to grow, well under a millisecond.
 *
 * With `byUnihash` it also says whether a unihash is known.
 */
export class UnihashTable {
  private readonly maxBytes: number;
  private pages: Int32Array[] = [];
  private methods: Uint16Array[] = [];
  private found: Uint8Array[] = [];
  private readonly methodNumbers = new Map<string, number>();
  private rows = 0;
  private freed: number[] = [];
  private hand = 0;
  private live = 0;
  private readonly hasher: Hasher;
  private readonly byTask: HashIndex;
  private readonly byUnihash: UnihashIndex;
  private readonly unihash = new Int32Array(HASH_WORDS);
  private evictions = 0;
  private clears = 0;

  /** @param maxBytes rows and indexes together stay below this; 0 keeps nothing */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
    this.hasher = createHasher(randomFillSync(new Int32Array(SECRET_WORDS)));
    this.byTask = new HashIndex({
      matches: (row, method, words) => this.methodOf(row) === method && this.equals(row, 0, words),
      hashOf: (row) => this.hasher(this.pageOf(row), at(row), this.methodOf(row)),
    });
    this.byUnihash = new UnihashIndex({
      matches: (row, unihash) => this.equals(row, HASH_WORDS, unihash),
      hashOf: (row) => this.hasher(this.pageOf(row), at(row) + HASH_WORDS, -1),
      hash: (unihash) => this.hasher(unihash, 0, -1),
    });
  }

  /** Rows held. */
  get size(): number {
    return this.live;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.pages.length * PAGE_ROWS * ROW_BYTES + this.byTask.bytes + this.byUnihash.bytes;
  }

  /** Whether another row can be added without giving one up. */
  get hasRoom(): boolean {
    return this.freed.length > 0 || this.rows < this.pages.length * PAGE_ROWS || this.mayGrow;
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
    const row = this.byTask.find(this.hasher(taskhash, 0, method), method, taskhash);
    if (row >= 0) this.found[row >>> PAGE_BITS]![row & (PAGE_ROWS - 1)] = 1;
    return row;
  }

  /** Whether a row has this unihash. False does not yet say that none has. */
  hasUnihash(unihash: Int32Array): boolean {
    return this.byUnihash.has(unihash);
  }

  /** Of a unihash for which hasUnihash is false: whether no row has it. */
  lacksUnihash(unihash: Int32Array): boolean {
    return this.byUnihash.lacks(unihash);
  }

  /** Writes the 64 digits of a row's unihash. */
  writeUnihash(row: number, bytes: Uint8Array, to: number): void {
    writeHash(this.pageOf(row), at(row) + HASH_WORDS, bytes, to);
  }

  /**
   * Adds a task's unihash, or puts it in the place of another.
   * @returns false when it cannot be kept
   */
  set(method: string, taskhash: Int32Array, unihash: Int32Array): boolean {
    const number = this.numberOf(method);
    if (number < 0) return false;
    const hash = this.hasher(taskhash, 0, number);
    const known = this.byTask.find(hash, number, taskhash);
    if (known >= 0) {
      if (this.equals(known, HASH_WORDS, unihash)) return true;
      this.remove(known);
    }
    const row = this.room();
    if (row < 0) return false;
    const page = this.pageOf(row);
    page.set(taskhash, at(row));
    page.set(unihash, at(row) + HASH_WORDS);
    this.methods[row >>> PAGE_BITS]![row & (PAGE_ROWS - 1)] = number;
    this.found[row >>> PAGE_BITS]![row & (PAGE_ROWS - 1)] = 0;
    this.byTask.add(hash, row);
    this.byUnihash.add(unihash, row);
    this.live++;
    return true;
  }

  /** Forgets a task. */
  delete(method: string, taskhash: Int32Array): void {
    const number = this.methodNumber(method);
    const row = number < 0 ? -1 : this.byTask.find(this.hasher(taskhash, 0, number), number, taskhash);
    if (row >= 0) this.remove(row);
  }

  /** Forgets everything, and gives the memory back. */
  clear(): void {
    this.pages = [];
    this.methods = [];
    this.found = [];
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

  private pageOf(row: number): Int32Array {
    return this.pages[row >>> PAGE_BITS]!;
  }

  private methodOf(row: number): number {
    return this.methods[row >>> PAGE_BITS]![row & (PAGE_ROWS - 1)]!;
  }

  private equals(row: number, offset: number, words: Int32Array): boolean {
    const page = this.pages[row >>> PAGE_BITS]!;
    const from = at(row) + offset;
    for (let i = 0; i < HASH_WORDS; i++) if (page[from + i] !== words[i]) return false;
    return true;
  }

  /** A row to write to, or -1. */
  private room(): number {
    const freed = this.freed.pop();
    if (freed !== undefined) return freed;
    if (this.rows < this.pages.length * PAGE_ROWS) return this.rows++;
    if (!this.mayGrow) return this.evict();
    this.pages.push(new Int32Array(PAGE_ROWS * ROW_WORDS));
    this.methods.push(new Uint16Array(PAGE_ROWS));
    this.found.push(new Uint8Array(PAGE_ROWS));
    return this.rows++;
  }

  /** Gives up the first row that was not found since the hand last passed it. */
  private evict(): number {
    if (this.rows === 0) return -1;
    this.byUnihash.loseOrphans();
    for (;;) {
      const row = this.hand;
      this.hand = (this.hand + 1) % this.rows;
      const found = this.found[row >>> PAGE_BITS]!;
      const inPage = row & (PAGE_ROWS - 1);
      if (found[inPage] === 0) {
        this.remove(row);
        this.evictions++;
        return this.freed.pop()!;
      }
      found[inPage] = 0;
    }
  }

  private remove(row: number): void {
    const page = this.pageOf(row);
    this.byTask.remove(this.hasher(page, at(row), this.methodOf(row)), row);
    for (let i = 0; i < HASH_WORDS; i++) this.unihash[i] = page[at(row) + HASH_WORDS + i]!;
    this.byUnihash.remove(this.unihash, row);
    this.freed.push(row);
    this.live--;
  }
}

/** Where a row begins in its page. */
function at(row: number): number {
  return (row & (PAGE_ROWS - 1)) * ROW_WORDS;
}
