/**
 * Entries hold the number of a row plus one below, and a few bits of the key's hash above: most strangers are told
 * apart without a look at the row.
 */
const ROW_BITS = 26;
const ROW_MASK = (1 << ROW_BITS) - 1;
/** In the table that is being left: the entry has moved, or is gone. */
const GONE = 0xffffffff;
/** Rows an index can number. */
export const MOST_ROWS = ROW_MASK - 2;

const FIRST_SLOTS = 1024;
/** Linear probing: fuller than this, misses grow long. */
const FULLEST = 0.85;
const GROWTH = 1.5;
const AVERAGE = 0.7;
/** Slots moved with each row added: all have moved before the next growth, at 2.4 already. */
const MOVED_AT_ONCE = 4;

/** What an index finds rows by. */
export interface Keys {
  /** Whether the row has this key: a number, and the eight words at `from`. */
  matches(row: number, tag: number, words: Int32Array, from: number): boolean;
  /** The hash of the row's key. */
  hashOf(row: number): number;
}

/**
 * Finds rows by key: open addressing over row numbers, in one array. The keys themselves are the rows'. It grows into a
 * second array a few slots at a time, so that no row added waits for all the others to move.
 */
export class HashIndex {
  private readonly keys: Keys;
  private table = new Uint32Array(FIRST_SLOTS);
  private used = 0;
  /** The table that is being left, and how far. */
  private leaving: Uint32Array | null = null;
  private left = 0;
  /** Of slots that were looked at before they are needed: what nobody keeps, V8 would not read. */
  touched = 0;

  constructor(keys: Keys) {
    this.keys = keys;
  }

  /** Makes room for so many rows while it is empty: each row that is moved later is looked at again, somewhere in memory. */
  reserve(rows: number): void {
    if (this.used === 0) this.table = new Uint32Array(slotsFor(rows));
  }

  /** Bytes held. */
  get bytes(): number {
    return (this.table.length + (this.leaving?.length ?? 0)) * 4;
  }

  /** The row with this key, or -1. */
  find(hash: number, tag: number, words: Int32Array, from: number): number {
    const row = this.findIn(this.table, hash, tag, words, from);
    return row < 0 && this.leaving ? this.findIn(this.leaving, hash, tag, words, from) : row;
  }

  /**
   * For each hash the row that a key with it is most likely in, or -1, for `confirm`. The processor waits for what is not
   * in its caches once for all of them, not once for each: in a table of a million rows most of a look-up is that.
   */
  guess(hashes: Int32Array, count: number, rows: Int32Array): void {
    const { table } = this;
    const { length } = table;
    // First where each begins, so that memory is waited for once: which row it is cannot be asked before that is there.
    let sum = 0;
    for (let i = 0; i < count; i++) sum ^= table[slotOf(hashes[i]!, length)]!;
    this.touched = sum;
    for (let i = 0; i < count; i++) {
      const hash = hashes[i]!;
      const mark = markOf(hash);
      let slot = slotOf(hash, length);
      let entry = table[slot]!;
      while (entry !== 0 && entry >>> ROW_BITS !== mark) {
        if (++slot === length) slot = 0;
        entry = table[slot]!;
      }
      rows[i] = (entry & ROW_MASK) - 1;
    }
  }

  /** Adds a row whose key is not there yet. */
  add(hash: number, row: number): void {
    if (this.leaving) this.move(MOVED_AT_ONCE);
    else if (this.used + 1 > this.table.length * FULLEST) {
      this.leaving = this.table;
      this.left = 0;
      this.table = new Uint32Array(Math.ceil(this.table.length * GROWTH));
    }
    this.used++;
    put(this.table, hash, row);
  }

  /** Takes a row out. */
  remove(hash: number, row: number): void {
    const slot = slotWith(this.table, hash, row);
    if (slot >= 0) {
      this.closeGap(slot);
      this.used--;
      return;
    }
    const before = this.leaving ? slotWith(this.leaving, hash, row) : -1;
    if (before < 0) return;
    this.leaving![before] = GONE;
    this.used--;
  }

  clear(): void {
    this.table = new Uint32Array(FIRST_SLOTS);
    this.leaving = null;
    this.used = 0;
  }

  /** The row with this key, or -1, given what was guessed for it. */
  confirm(guess: number, hash: number, tag: number, words: Int32Array, from: number): number {
    if (guess >= 0 ? this.keys.matches(guess, tag, words, from) : !this.leaving) return guess;
    return this.find(hash, tag, words, from);
  }

  private findIn(table: Uint32Array, hash: number, tag: number, words: Int32Array, from: number): number {
    const mark = markOf(hash);
    for (let slot = slotOf(hash, table.length); ; ) {
      const entry = table[slot]!;
      if (entry === 0) return -1;
      if (entry >>> ROW_BITS === mark && entry !== GONE) {
        const row = (entry & ROW_MASK) - 1;
        if (this.keys.matches(row, tag, words, from)) return row;
      }
      if (++slot === table.length) slot = 0;
    }
  }

  private move(slots: number): void {
    const from = this.leaving!;
    const end = Math.min(this.left + slots, from.length);
    for (; this.left < end; this.left++) {
      const entry = from[this.left]!;
      if (entry === 0 || entry === GONE) continue;
      const row = (entry & ROW_MASK) - 1;
      put(this.table, this.keys.hashOf(row), row);
      from[this.left] = GONE;
    }
    if (this.left === from.length) this.leaving = null;
  }

  /** Moves what follows a gap into it where a look-up would otherwise stop at the gap (Knuth, 6.4, algorithm R). */
  private closeGap(gap: number): void {
    const { table } = this;
    const { length } = table;
    table[gap] = 0;
    for (let slot = gap; ; ) {
      if (++slot === length) slot = 0;
      const entry = table[slot]!;
      if (entry === 0) return;
      const home = slotOf(this.keys.hashOf((entry & ROW_MASK) - 1), length);
      const stays = gap <= slot ? gap < home && home <= slot : gap < home || home <= slot;
      if (stays) continue;
      table[gap] = entry;
      table[slot] = 0;
      gap = slot;
    }
  }
}

/** What is reserved for so many rows: as full as an index is on the average while it grows. */
function slotsFor(rows: number): number {
  return Math.max(FIRST_SLOTS, Math.ceil(rows / AVERAGE));
}

/** Bytes that an index with room for so many rows takes. */
export function reservedBytes(rows: number): number {
  return 4 * slotsFor(rows);
}

function put(table: Uint32Array, hash: number, row: number): void {
  let slot = slotOf(hash, table.length);
  while (table[slot] !== 0) if (++slot === table.length) slot = 0;
  table[slot] = entryOf(hash, row);
}

function slotWith(table: Uint32Array, hash: number, row: number): number {
  const wanted = entryOf(hash, row);
  for (let slot = slotOf(hash, table.length); table[slot] !== 0; ) {
    if (table[slot] === wanted) return slot;
    if (++slot === table.length) slot = 0;
  }
  return -1;
}

function entryOf(hash: number, row: number): number {
  return ((markOf(hash) << ROW_BITS) | (row + 1)) >>> 0;
}

/** The lowest bits; the slot comes mostly from the highest. */
function markOf(hash: number): number {
  return hash & 0x3f;
}

/** A slot of any number of them, not only a power of two: so a table can grow by less than doubling. */
function slotOf(hash: number, slots: number): number {
  return Math.floor(((hash >>> 0) / 4294967296) * slots);
}
