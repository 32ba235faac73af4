import { InvokeError } from '../errors.ts';
import { OTHER_METHODS } from '../meter/task-lookups.ts';
import type { MissCount } from '../meter/top-misses.ts';
import { LOOKUPS, METHOD_PLACES, methodColumns, SHOWN } from './columns.ts';
import type { Ring } from './ring.ts';
import { columnOf, type Tracks } from './tracks.ts';

/** How far back figures are shown. */
export type Span = 'hour' | 'day' | 'month';
export const SPANS: readonly Span[] = ['hour', 'day', 'month'];

/** @throws InvokeError for anything else */
export function spanOf(text: unknown): Span {
  const span = SPANS.find((each) => each === text);
  if (span) return span;
  throw new InvokeError(`span must be ${SPANS.slice(0, -1).join(', ')} or ${SPANS.at(-1)}`, undefined, 'invalid');
}

export type HistorySeries = readonly (number | null)[];

/** Which buckets are shown. Times are ISO 8601, UTC; `times` are when each begins, in seconds since 1970. */
export interface HistoryBuckets {
  readonly span: Span;
  readonly bucket_seconds: number;
  readonly from: string;
  readonly to: string;
  /** When the oldest bucket begins that there is, shown or not. */
  readonly recorded_since: string | null;
  readonly times: readonly number[];
}

/** The figures of a server; null where they are not known. The last bucket is not over. */
export interface HistoryView extends HistoryBuckets {
  readonly series: Readonly<Record<string, HistorySeries>>;
}

export interface LookupSums {
  readonly hits: number;
  readonly misses: number;
  readonly upstream_hits: number;
}

/** Look-ups of tasks, by method, and those that were missed most in the last hour. */
export interface LookupsView extends HistoryBuckets {
  readonly methods: readonly {
    readonly method: string;
    readonly hits: HistorySeries;
    readonly misses: HistorySeries;
    readonly upstream_hits: HistorySeries;
    readonly total: LookupSums;
  }[];
  readonly total: LookupSums;
  readonly top_misses: readonly { readonly method: string; readonly taskhash: string; readonly count: number }[];
}

/** Enough for a plot: what is stored as four bytes has no more, and reads badly. */
const DIGITS = 7;

interface Window {
  readonly ring: Ring;
  readonly first: number;
  readonly last: number;
}

function windowOf({ rings: [minutes, hours] }: Tracks, span: Span, now: number): Window {
  const ring = span === 'month' ? hours! : minutes!;
  const last = ring.numberAt(now);
  return { ring, first: last - (span === 'hour' ? 60 : ring.shape.buckets) + 1, last };
}

function shownOf({ ring, first, last }: Window, span: Span, now: number): HistoryBuckets {
  const { bucketMs } = ring.shape;
  const { oldest } = ring;
  return {
    span,
    bucket_seconds: bucketMs / 1000,
    from: new Date(first * bucketMs).toISOString(),
    to: new Date(now).toISOString(),
    recorded_since: oldest === null ? null : new Date(oldest * bucketMs).toISOString(),
    times: Array.from({ length: last - first + 1 }, (_, i) => ((first + i) * bucketMs) / 1000),
  };
}

function seriesOf({ ring, first, last }: Window, name: string): HistorySeries {
  const column = columnOf(name);
  return Array.from({ length: last - first + 1 }, (_, i) => {
    const value = ring.get(first + i, column);
    return Number.isNaN(value) ? null : Number(value.toPrecision(DIGITS));
  });
}

export function historyOf(tracks: Tracks, span: Span, now: number): HistoryView {
  const window = windowOf(tracks, span, now);
  const series = Object.fromEntries(SHOWN.map((name) => [name, seriesOf(window, name)]));
  return { ...shownOf(window, span, now), series };
}

export function lookupsOf(tracks: Tracks, span: Span, now: number, missed: readonly MissCount[]): LookupsView {
  const window = windowOf(tracks, span, now);
  const sum = (series: HistorySeries) => series.reduce<number>((all, each) => all + (each ?? 0), 0);
  const all = LOOKUPS.map((name) => seriesOf(window, name));
  // A method that nobody asked for in a bucket had no look-ups there, if any were counted.
  const known = (series: HistorySeries) => series.map((value, i) => value ?? (all[0]![i] === null ? null : 0));
  const three = (names: readonly string[]) => {
    const [hits, misses, upstream_hits] = names.map((name) => known(seriesOf(window, name)));
    return { hits: hits!, misses: misses!, upstream_hits: upstream_hits! };
  };
  const sums = ({ hits, misses, upstream_hits }: ReturnType<typeof three>): LookupSums => ({
    hits: sum(hits),
    misses: sum(misses),
    upstream_hits: sum(upstream_hits),
  });
  const named = tracks.methods.map((method, place) => [place, method ?? ''] as const);
  const places = [...named, [METHOD_PLACES - 1, OTHER_METHODS] as const];
  const methods = places.map(([place, method]) => {
    const series = three(methodColumns(place));
    return { method, ...series, total: sums(series) };
  });
  return {
    ...shownOf(window, span, now),
    methods: methods.filter(({ total }) => total.hits + total.misses + total.upstream_hits > 0),
    total: sums(three(LOOKUPS)),
    top_misses: missed.map(({ task, count }) => {
      const blank = task.indexOf(' ');
      return { method: task.slice(0, blank), taskhash: task.slice(blank + 1), count };
    }),
  };
}
