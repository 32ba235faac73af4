import type { RowValues, Table } from '../hashserv/store.ts';
import type { PullSlice, PullSource } from './source.ts';

/** Rows that are stored together, in an order that costs little. */
export interface Window {
  /** As they were read, each with where it begins. */
  readonly slices: readonly { readonly slice: PullSlice; readonly at: string | null }[];
  /** All rows of the slices, those with neighbouring taskhashes together. */
  readonly rows: readonly RowValues[];
  /** Rows that cannot be given as texts. */
  readonly odd: number;
}

/**
 * Rows of a window: the more there are, the more of them meet on a page of the index of taskhashes. On a file with 1,000,000
 * unihashes a row wrote 3.0 pages in the order of the source, and 1.9 in windows of this size; 1.8 in those of 100,000 rows.
 */
const WINDOW_ROWS = 65_536;
/** Characters of a window. Two are in memory: one is read while one is stored. */
const WINDOW_CHARACTERS = 12 * 1024 * 1024;
/** Large enough that a round trip is nothing. */
const SLICE = { rows: 1000, bytes: 2 * 1024 * 1024 };

/** The rows of a table from a place on, in windows; the next one is read while one is stored. */
export function windowsFrom(
  source: PullSource,
  table: Table,
  after: string | null,
  windowRows = WINDOW_ROWS,
): AsyncGenerator<Window> {
  return ahead(readWindows(source, table, after, windowRows));
}

async function* readWindows(
  source: PullSource,
  table: Table,
  after: string | null,
  windowRows: number,
): AsyncGenerator<Window> {
  for (let at: string | null | undefined = after; at !== undefined; ) {
    const slices: { slice: PullSlice; at: string | null }[] = [];
    let [rows, characters] = [0, 0];
    while (at !== undefined && rows < windowRows && characters < WINDOW_CHARACTERS) {
      const slice: PullSlice = await source.slice(table, at, SLICE);
      slices.push({ slice, at });
      rows += slice.rows.length;
      characters += charactersOf(slice.rows);
      at = slice.next ?? undefined;
    }
    const odd = slices.reduce((sum, { slice }) => sum + slice.odd.length, 0);
    yield { slices, odd, rows: neighboursTogether(slices.map(({ slice }) => slice.rows)) };
  }
}

/** One step ahead of whoever asks. */
async function* ahead<T>(steps: AsyncGenerator<T>): AsyncGenerator<T> {
  const begin = () => {
    const step = steps.next();
    // It may fail before it is asked for.
    step.catch(() => {});
    return step;
  };
  try {
    for (let coming = begin(); ; ) {
      const { done, value } = await coming;
      if (done) return;
      coming = begin();
      yield value;
    }
  } finally {
    // What is being read is not waited for.
    steps.return(undefined).catch(() => {});
  }
}

function charactersOf(rows: readonly RowValues[]): number {
  let sum = 0;
  for (const row of rows) for (const value of row) sum += value === null ? 0 : value.length;
  return sum;
}

/** The first two digits of a taskhash; what is no hash is spread as it comes. */
function bucketOf(taskhash: string): number {
  return ((digit(taskhash.charCodeAt(0)) << 4) | digit(taskhash.charCodeAt(1))) & 0xff;
}

const [NINE, A] = [57, 97];
const digit = (code: number) => (code <= NINE ? code & 15 : code - A + 10);

/** By the beginning of their taskhashes, otherwise in their order: to sort them would hold up clients. */
function neighboursTogether(slices: readonly (readonly RowValues[])[]): readonly RowValues[] {
  const buckets: RowValues[][] = Array.from({ length: 256 }, () => []);
  for (const rows of slices) for (const row of rows) buckets[bucketOf(row[1] ?? '')]!.push(row);
  return buckets.flat();
}
