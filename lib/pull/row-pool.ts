import type { RowValues, Table } from '../hashserv/store.ts';
import { followOnward } from './places.ts';
import type { PullSlice, PullSource } from './source.ts';

/** A slice of which all rows have been taken from the pool. */
export interface Passed<Mark> {
  readonly mark: Mark;
  /** Rows of it that cannot be given as texts. */
  readonly odd: number;
}

/** Rows to store next, together. */
export interface Taken<Mark> {
  readonly rows: readonly RowValues[];
  /** With these rows the next slices of the source are complete, in its order. */
  readonly passed: readonly Passed<Mark>[];
}

export interface RowPoolOptions<Mark> {
  readonly source: PullSource;
  readonly table: Table;
  /** Where in the source to begin. */
  readonly after: string | null;
  /** Told of each slice as it is read. What it says is given back once all of the slice has been taken. */
  readonly onSlice: (after: string | null, slice: PullSlice) => Mark;
  /** Only a test has less. */
  readonly poolRows?: number;
}

/**
 * Rows in memory. Whoever stores them goes round through all taskhashes, again and again, while new rows come in behind it: so
 * about twice as many rows as there are here meet on a page of the index of taskhashes. Into a file that grew to 1,000,000
 * unihashes, 4,000 at a time, a row wrote 1.21 pages and took 37 µs of SQLite in windows of 65,536 rows, of which a second
 * one was being read, and 1.07 pages and 28 µs in the order of 262,144.
 */
const POOL_ROWS = 131_072;
const POOL_CHARACTERS = 24 * 1024 * 1024;
/** What is stored together has no more characters than this. */
const TAKEN_CHARACTERS = 4 * 1024 * 1024;
/** Slices some of whose rows are here, or that had none: a source that gives empty ones without end must not fill the memory. */
const MOST_SLICES = 4096;
/** Storing begins when a part of the pool is there: at first there are few pages to meet on. */
const BEGIN_SHARE = 1 / 8;
/** Large enough that a round trip is nothing. */
const SLICE = { rows: 1000, bytes: 2 * 1024 * 1024 };

/** Rows by the first three digits of their taskhashes. */
const BUCKETS = 4096;

/** A slice some of whose rows are in the pool. */
interface Part<Mark> extends Passed<Mark> {
  left: number;
}

/** The rows of a table from a place on, read while others are stored. They come once each, those of one taskhash in their order. */
export class RowPool<Mark> {
  private readonly options: RowPoolOptions<Mark>;
  private readonly mostRows: number;
  private readonly buckets: RowValues[][] = Array.from({ length: BUCKETS }, () => []);
  /** Of each row its slice. */
  private readonly parts: Part<Mark>[][] = Array.from({ length: BUCKETS }, () => []);
  /** The slices that have not passed, in the order of the source. */
  private under: Part<Mark>[] = [];
  /** The bucket that rows are taken from. */
  private turn = 0;
  private rows = 0;
  private characters = 0;
  /** Where the next slice begins; undefined behind the last. */
  private next: string | null | undefined;
  private readonly onward: (next: string) => void;
  private reading: Promise<void> | null = null;
  private failure: { readonly error: unknown } | null = null;
  private closed = false;

  constructor(options: RowPoolOptions<Mark>) {
    this.options = options;
    this.mostRows = options.poolRows ?? POOL_ROWS;
    this.next = options.after;
    this.onward = followOnward(options.source.name);
  }

  /** Up to so many rows, those with neighbouring taskhashes together; null where there are no more, maybe as the source failed. */
  async take(most: number): Promise<Taken<Mark> | null> {
    this.readOn();
    while (this.reading && this.rows < Math.max(1, this.mostRows * BEGIN_SHARE)) await this.reading;
    const rows: RowValues[] = [];
    let characters = 0;
    while (this.rows > 0 && rows.length < most && characters < TAKEN_CHARACTERS)
      characters += this.takeOfBucket(rows, most - rows.length, TAKEN_CHARACTERS - characters);
    this.characters -= characters;
    this.readOn();
    const passed = this.passed();
    return rows.length > 0 || passed.length > 0 ? { rows, passed } : null;
  }

  /** @throws what the source failed with: by then all that it gave before can be stored */
  requireWhole(): void {
    if (this.failure) throw this.failure.error;
  }

  /** Nothing more is read; what is being read is not waited for. */
  close(): void {
    this.closed = true;
  }

  /** @returns their characters */
  private takeOfBucket(rows: RowValues[], most: number, mostCharacters: number): number {
    const bucket = this.buckets[this.turn]!;
    let count = 0;
    let characters = 0;
    while (count < bucket.length && count < most && characters < mostCharacters)
      characters += charactersOf(bucket[count++]!);
    for (const row of bucket.splice(0, count)) rows.push(row);
    for (const part of this.parts[this.turn]!.splice(0, count)) part.left--;
    this.rows -= count;
    if (bucket.length === 0) this.turn = (this.turn + 1) % BUCKETS;
    return characters;
  }

  private passed(): readonly Passed<Mark>[] {
    const first = this.under.findIndex(({ left }) => left > 0);
    return this.under.splice(0, first < 0 ? this.under.length : first);
  }

  /** Reads the next slice, unless the pool is full, and so on. */
  private readOn(): void {
    if (this.reading || this.closed || this.failure || this.next === undefined) return;
    if (this.rows >= this.mostRows || this.characters >= POOL_CHARACTERS || this.under.length >= MOST_SLICES) return;
    this.reading = this.readSlice(this.next)
      .catch((error: unknown) => {
        this.failure = { error };
      })
      .then(() => {
        this.reading = null;
        this.readOn();
      });
  }

  private async readSlice(after: string | null): Promise<void> {
    const { source, table, onSlice } = this.options;
    const slice = await source.slice(table, after, SLICE);
    const part = { mark: onSlice(after, slice), odd: slice.odd.length, left: slice.rows.length };
    this.under.push(part);
    for (const row of slice.rows) {
      const at = bucketOf(row[1] ?? '');
      this.buckets[at]!.push(row);
      this.parts[at]!.push(part);
      this.characters += charactersOf(row);
    }
    this.rows += slice.rows.length;
    this.next = slice.next ?? undefined;
    if (this.next !== undefined) this.onward(this.next);
  }
}

function charactersOf(row: RowValues): number {
  let sum = 0;
  for (const value of row) sum += value === null ? 0 : value.length;
  return sum;
}

/** The first three digits of a taskhash; what is no hash is spread as it comes. */
function bucketOf(taskhash: string): number {
  const first = (digit(taskhash.charCodeAt(0)) << 8) | (digit(taskhash.charCodeAt(1)) << 4);
  return (first | digit(taskhash.charCodeAt(2))) & (BUCKETS - 1);
}

const [NINE, A] = [57, 97];
const digit = (code: number) => (code <= NINE ? code & 15 : code - A + 10);
