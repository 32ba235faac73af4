import { slateOf } from '../../asyncrpc/wire/slate.ts';
import { HashIndex, type Keys } from './hash-index.ts';
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

/** The rows of a table, by their unihash: the number that goes with it says nothing. */
export interface UnihashRows extends Keys {
  hash(unihash: Int32Array, from: number): number;
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
  private readonly digits = slateOf(Buffer.alloc(HASH_DIGITS));

  constructor(rows: UnihashRows) {
    this.rows = rows;
    this.index = new HashIndex(rows);
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

  /** The same for the eight words at `from`, given their hash and what was guessed for it. */
  confirms(guess: number, hash: number, unihash: Int32Array, from: number): boolean {
    return this.index.confirm(guess, hash, 0, unihash, from) >= 0;
  }

  /** Of a unihash that no row stands for: whether no row has it at all. */
  lacks(unihash: Int32Array, from: number): boolean {
    return !this.hasLostOrphans && (this.orphans.size === 0 || !this.orphans.has(this.textOf(unihash, from)));
  }

  /** For each hash of a unihash the row that most likely stands for it, or -1, for `confirms`. */
  guess(hashes: Int32Array, count: number, rows: Int32Array): void {
    this.index.guess(hashes, count, rows);
  }

  add(unihash: Int32Array, row: number): void {
    const stands = this.standsFor(unihash);
    if (stands >= 0) return this.count(stands, 1);
    this.index.add(this.rows.hash(unihash, 0), row);
    const others = this.orphans.size === 0 ? 0 : this.takeOrphan(unihash);
    while (row >>> PAGE_BITS >= this.others.length) this.others.push(new Uint16Array(PAGE_ROWS));
    this.others[row >>> PAGE_BITS]![row & (PAGE_ROWS - 1)] = others;
  }

  /** Takes out a row that was added. */
  remove(unihash: Int32Array, row: number): void {
    const stands = this.standsFor(unihash);
    if (stands === row) {
      this.index.remove(this.rows.hash(unihash, 0), row);
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
    return this.index.find(this.rows.hash(unihash, 0), 0, unihash, 0);
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

  private textOf(unihash: Int32Array, from = 0): string {
    writeHash(unihash, from, this.digits.view, 0);
    return this.digits.bytes.toString('latin1');
  }
}
