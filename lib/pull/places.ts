import { createHash } from 'node:crypto';
import { InvokeError } from '../errors.ts';
import type { PullPart, PullSlice, PullSource } from './source.ts';

/**
 * How far a source has been read, so that the next pull goes on from there: a slice that is recognised by its rows. A
 * source in which they are no longer, because it was restored or cleaned, is read from its beginning.
 */
export interface Place {
  /** Where the slice begins. */
  readonly after: string | null;
  /** How many rows it has. */
  readonly rows: number;
  /** Over its rows. */
  readonly digest: string;
  /** Rows of the source up to its end. */
  readonly seen: number;
}

/**
 * So many rows before the end are read again. Ids of a PostgreSQL database are given before their transactions end: a row may turn
 * up behind one that has been read, though never far.
 */
export const OVERLAP_ROWS = 10_000;

/** Over the columns by which both tables tell rows apart, whatever else the source gives. */
export function digestOf(rows: PullSlice['rows']): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify(rows.map(([method, taskhash, third]) => [method, taskhash, third])));
  return hash.digest('base64url');
}

const sizeOf = ({ rows, odd }: PullSlice) => rows.length + odd.length;

/** What is remembered of a slice that has been read, until all that is wanted of it is stored. */
export interface SliceMark {
  /** Rows of the source up to its end. */
  readonly seen: number;
  /** Where it may be recognised by its rows; null for most slices. */
  readonly place: Place | null;
}

/** Follows the reading of a part. */
export interface Places {
  /** A slice has been read: the next one of the source. */
  read(after: string | null, slice: PullSlice): SliceMark;
  /** What is wanted of a slice is stored, and of all slices before it. */
  passed(mark: SliceMark): void;
  /** The last place with enough rows behind it; null when there is none yet. */
  readonly place: Place | null;
}

/** @param from where the reading began */
export function followPlaces(from: Place | null, overlapRows = OVERLAP_ROWS): Places {
  let seen = from?.seen ?? 0;
  let place = from;
  /** Places without enough rows behind them, the oldest first. */
  let coming: Place[] = [];
  let marked = seen;
  return {
    read(after, slice) {
      const rows = sizeOf(slice);
      seen += rows;
      if (rows === 0 || seen - marked < overlapRows / 4) return { seen, place: null };
      marked = seen;
      return { seen, place: { after, rows, digest: digestOf(slice.rows), seen } };
    },
    passed(mark) {
      if (mark.place) coming.push(mark.place);
      const ready = coming.filter((one) => mark.seen - one.seen >= overlapRows).at(-1);
      if (!ready) return;
      place = ready;
      coming = coming.slice(coming.indexOf(ready) + 1);
    },
    get place() {
      return place;
    },
  };
}

/** Where to go on reading a part. */
export interface Start {
  readonly after: string | null;
  readonly from: Place | null;
  /** There is a place, but the source no longer has its rows. */
  readonly isLost: boolean;
}

/** Finds a place in the source. */
export async function findPlace(source: PullSource, part: PullPart, place: Place | null): Promise<Start> {
  const whole = { after: null, from: null, isLost: place !== null };
  if (!place) return whole;
  let after = place.after;
  const rows: PullSlice['rows'][number][] = [];
  let missing = place.rows;
  const onward = followOnward(source.name);
  while (missing > 0) {
    const slice = await source.slice(part, after, { rows: missing, bytes: Number.MAX_SAFE_INTEGER });
    rows.push(...slice.rows);
    missing -= sizeOf(slice);
    // At least the rows behind the place were there too.
    if (slice.next === null) return whole;
    after = slice.next;
    onward(after);
  }
  const same = digestOf(rows) === place.digest;
  return same ? { after, from: place, isLost: false } : whole;
}

/**
 * Follows the places of a source that is read from one to the next. A source that is a server may answer anything: one that leads
 * back to a place would be read for ever, and hold up the jobs behind it.
 * @returns called with each place; throws InvokeError where one comes again, after three times round at most
 */
export function followOnward(name: string): (next: string) => void {
  // One place is remembered at a time, and each for twice as long as the one before (Brent): so it takes no memory.
  let marked: string | null = null;
  let lap = 1;
  let left = lap;
  return (next) => {
    if (next === marked)
      throw new InvokeError(`${name} leads back to rows that were read already: it would never come to an end`);
    if (--left > 0) return;
    marked = next;
    lap *= 2;
    left = lap;
  };
}
