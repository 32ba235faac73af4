import { SECONDS } from '../meter/histogram.ts';
import { COUNTED_METHODS } from '../meter/task-lookups.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import { SERVICES } from '../metrics/sources.ts';

/** A figure that is recorded, and where it is read; null where it is not known. */
export interface Column {
  readonly name: string;
  read(snapshot: Snapshot): number | null;
}

/** Labels in their order; null: any. */
type Wanted = readonly (string | null)[];

function matching(snapshot: Snapshot, metric: string, wanted: Wanted) {
  return (snapshot[metric] ?? []).filter(({ labels }) =>
    wanted.every((label, i) => label === null || labels[i] === label),
  );
}

function sumOf(metric: string, ...wanted: Wanted) {
  return (snapshot: Snapshot): number | null => {
    const found = matching(snapshot, metric, wanted);
    if (found.length === 0) return null;
    return found.reduce((sum, { value }) => sum + (typeof value === 'number' ? value : 0), 0);
  };
}

const REQUESTS = 'bakeserv_requests_total';

/** What is counted from the start of a process on: of a bucket, how much more there was at its end. */
export const COUNTS: readonly Column[] = [
  ...SERVICES.flatMap((service) => [
    { name: `${service}.requests`, read: sumOf(REQUESTS, service) },
    { name: `${service}.refused`, read: sumOf(REQUESTS, service, null, 'refused') },
    { name: `${service}.failed`, read: sumOf(REQUESTS, service, null, 'failed') },
  ]),
  { name: 'reports', read: sumOf(REQUESTS, 'hashserv', 'report', 'ok') },
  { name: 'get_pr', read: sumOf(REQUESTS, 'prserv', 'get-pr', 'ok') },
  { name: 'accepted', read: sumOf('bakeserv_connections_accepted_total') },
  { name: 'received_bytes', read: sumOf('bakeserv_received_bytes_total') },
  { name: 'sent_bytes', read: sumOf('bakeserv_sent_bytes_total') },
];

/** What is so at a moment: of a bucket, at its end. */
export const LEVELS: readonly Column[] = [
  { name: 'connections', read: sumOf('bakeserv_connections') },
  ...SERVICES.flatMap((service) => [
    {
      name: `${service}.upstream`,
      read(snapshot: Snapshot) {
        const open = sumOf('bakeserv_upstream_breaker_open', service)(snapshot);
        return open === null ? null : open > 0 ? 0 : 1;
      },
    },
    { name: `${service}.database_bytes`, read: sumOf('bakeserv_database_bytes', service) },
    { name: `${service}.free_bytes`, read: sumOf('bakeserv_disk_free_bytes', service) },
  ]),
  { name: 'unihashes', read: sumOf('bakeserv_table_rows', 'unihashes_v3') },
  { name: 'outhashes', read: sumOf('bakeserv_table_rows', 'outhashes_v2') },
  { name: 'packages', read: sumOf('bakeserv_table_rows', 'PRMAIN') },
];

/** Times of which half, and 99 in 100, are recorded; and how many there were, where a count says so. */
export interface Times {
  readonly p50: string;
  readonly p99: string;
  readonly count: string | null;
  /** How many were counted under each bound of `SECONDS`, and above all. */
  read(snapshot: Snapshot): Float64Array | null;
}

function countsIn(metric: string, service: string) {
  return (snapshot: Snapshot): Float64Array | null => {
    const found = matching(snapshot, metric, [service]);
    if (found.length === 0) return null;
    const counts = new Float64Array(SECONDS.length + 1);
    for (const { value } of found)
      if (typeof value !== 'number') for (let i = 0; i < counts.length; i++) counts[i]! += value.counts[i] ?? 0;
    return counts;
  };
}

export const TIMES: readonly Times[] = [
  ...SERVICES.map((service) => ({
    p50: `${service}.p50`,
    p99: `${service}.p99`,
    count: null,
    read: countsIn('bakeserv_request_duration_seconds', service),
  })),
  {
    p50: 'hashserv.lines_p50',
    p99: 'hashserv.lines_p99',
    count: 'hashserv.lines',
    read: countsIn('bakeserv_stream_line_duration_seconds', 'hashserv'),
  },
];

/** Look-ups of tasks, of all methods; they are also recorded by method. */
export const LOOKUPS = ['lookups.hits', 'lookups.misses', 'lookups.upstream_hits'] as const;

/** Places for methods: each has the three columns of LOOKUPS, under its number; the last is for all others. */
export const METHOD_PLACES = COUNTED_METHODS + 1;

export const methodColumns = (place: number): readonly string[] => LOOKUPS.map((name) => `${name}.${place}`);

/** Those that are shown. */
export const SHOWN: readonly string[] = [
  ...COUNTS.map(({ name }) => name),
  ...TIMES.flatMap(({ p50, p99, count }) => [p50, p99, ...(count === null ? [] : [count])]),
  ...LEVELS.map(({ name }) => name),
  ...LOOKUPS,
];

/** All that is kept of a bucket. */
export const COLUMNS: readonly string[] = [
  ...SHOWN,
  ...Array.from({ length: METHOD_PLACES }, (_, place) => methodColumns(place)).flat(),
];

/** The value below which a share of what was counted is, in seconds; NaN where nothing was. Between two bounds evenly. */
export function quantile(counts: Float64Array, share: number): number {
  let total = 0;
  for (const count of counts) total += count;
  if (total === 0) return Number.NaN;
  let before = 0;
  for (let i = 0; i < SECONDS.length; i++) {
    const here = counts[i]!;
    if (before + here >= share * total) {
      const low = i === 0 ? 0 : SECONDS[i - 1]!;
      return here === 0 ? low : low + (SECONDS[i]! - low) * ((share * total - before) / here);
    }
    before += here;
  }
  return SECONDS.at(-1)!;
}
