import { HashIndex } from './hash-index.ts';
import { HASH_DIGITS, writeHash } from './hex.ts';

/** Rows whose counts are kept together. */
const PAGE_BITS = 14;
const PAGE_ROWS = 1 << PAGE_BITS;
/** What a row takes, beside its place in the index. */
export const COUNT_BYTES = 2;
/** So many rows beside the one that stands for them are no longer counted. */
const UNCOUNTED = 0xffff;
/** Unihashes that are kept in mind without a row that stands for them. */
const MOST_ORPHANS = 10_000;

/** The rows of a table, by their unihash. */
export interface UnihashRows {
  matches(row: number, unihash: Int32Array): boolean;
  hashOf(row: number): number;
  hash(unihash: Int32Array): number;
}

/**
 * Whether any row has a unihash. One row stands for all that have the same: if each were in the index, many of them would
 * make one long chain. It counts the others, so that it is known whether one is left when it goes; such a unihash is an
 * orphan until another of its rows is added.
 */
export class UnihashIndex {
  private readonly rows: UnihashRows;
  private readonly index: HashIndex;
  /** Of a row that stands for its unihash: how many others have it. */
  private others: Uint16Array[] = [];
  /** Unihashes of which there are rows, and none stands for them: so many. */
  private readonly orphans = new Map<string, number>();
  private hasLostOrphans = false;
  private readonly digits = Buffer.alloc(HASH_DIGITS);

  constructor(rows: UnihashRows) {
    this.rows = rows;
    this.index = new HashIndex({
      matches: (row, _tag, unihash) => rows.matches(row, unihash),
      hashOf: (row) => rows.hashOf(row),
    });
  }

  /** Makes room for so many rows while it is empty. */
  reserve(rows: number): void {
    this.index.reserve(rows);
  }

  /** Bytes held. */
  get bytes(): number {
    return this.index.bytes + this.others.length * PAGE_ROWS * COUNT_BYTES;
  }

  /** Whether a row has it. False only says that no row stands for it. */
  has(unihash: Int32Array): boolean {
    return this.standsFor(unihash) >= 0;
  }

  /** Of a unihash that no row stands for: whether no row has it at all. */
  lacks(unihash: Int32Array): boolean {
    return !this.hasLostOrphans && (this.orphans.size === 0 || !this.orphans.has(this.textOf(unihash)));
  }

  add(unihash: Int32Array, row: number): void {
    const stands = this.standsFor(unihash);
    if (stands >= 0) return this.count(stands, 1);
    this.index.add(this.rows.hash(unihash), row);
    const others = this.orphans.size === 0 ? 0 : this.takeOrphan(unihash);
    while (row >>> PAGE_BITS >= this.others.length) this.others.push(new Uint16Array(PAGE_ROWS));
    this.others[row >>> PAGE_BITS]![row & (PAGE_ROWS - 1)] = others;
  }

  /** Takes out a row that was added. */
  remove(unihash: Int32Array, row: number): void {
    const stands = this.standsFor(unihash);
    if (stands === row) {
      this.index.remove(this.rows.hash(unihash), row);
      this.keepOrphan(unihash, this.others[row >>> PAGE_BITS]![row & (PAGE_ROWS - 1)]!);
    } else if (stands >= 0) this.count(stands, -1);
    else {
      const rows = this.takeOrphan(unihash);
      this.keepOrphan(unihash, rows === UNCOUNTED ? rows : rows - 1);
    }
  }

  /** From now on, until it is cleared, of no unihash it is known that no row has it. */
  loseOrphans(): void {
    this.hasLostOrphans = true;
    this.orphans.clear();
  }

  clear(): void {
    this.index.clear();
    this.others = [];
    this.orphans.clear();
    this.hasLostOrphans = false;
  }

  /** The row that stands for a unihash, or -1. */
  private standsFor(unihash: Int32Array): number {
    return this.index.find(this.rows.hash(unihash), -1, unihash);
  }

  private count(row: number, change: number): void {
    const page = this.others[row >>> PAGE_BITS]!;
    const inPage = row & (PAGE_ROWS - 1);
    if (page[inPage] !== UNCOUNTED) page[inPage]! += change;
  }

  private takeOrphan(unihash: Int32Array): number {
    const text = this.textOf(unihash);
    const rows = this.orphans.get(text) ?? 0;
    this.orphans.delete(text);
    return rows;
  }

  private keepOrphan(unihash: Int32Array, rows: number): void {
    if (rows <= 0 || this.hasLostOrphans) return;
    if (this.orphans.size >= MOST_ORPHANS) this.loseOrphans();
    else this.orphans.set(this.textOf(unihash), rows);
  }

  private textOf(unihash: Int32Array): string {
    writeHash(unihash, 0, this.digits, 0);
    return this.digits.toString('latin1');
  }
}
