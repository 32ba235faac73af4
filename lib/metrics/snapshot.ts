import { Histogram } from '../meter/histogram.ts';
import type { Join, MetricRow } from './row.ts';
import type { MetricSources } from './sources.ts';
import { METRICS } from './table.ts';

/** A histogram as it was at a moment. */
export interface Observed {
  readonly bounds: readonly number[];
  /** Under each bound, and behind the last one how many are above all. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/** A value, with the values of its row's labels. */
export interface Sample {
  readonly labels: readonly string[];
  readonly value: number | Observed;
}

/** What was counted at a moment, by the name of the row; plain data, which other processes can be sent. */
export type Snapshot = Readonly<Record<string, readonly Sample[]>>;

const ROWS: readonly MetricRow[] = METRICS.flatMap(({ rows }) => rows);

export function takeSnapshot(sources: MetricSources): Snapshot {
  const taken: Record<string, Sample[]> = {};
  for (const row of ROWS) {
    const samples: Sample[] = [];
    row.read(sources, (value, ...labels) => samples.push({ labels, value: plain(value) }));
    taken[row.name] = samples;
  }
  return taken;
}

/** What several processes of one server count, as one: by the rule of each row. */
export function joinSnapshots(snapshots: readonly Snapshot[]): Snapshot {
  return Object.fromEntries(ROWS.map((row) => [row.name, joinRow(row, snapshots)]));
}

/** What stays of a process that has ended: counters never go back, or Prometheus would take that for a new start of all. */
export function lasting(snapshot: Snapshot): Snapshot {
  return Object.fromEntries(
    ROWS.filter(({ kind }) => kind !== 'gauge').map(({ name }) => [name, snapshot[name] ?? []]),
  );
}

function joinRow({ name, kind, joins = 'sum' }: MetricRow, snapshots: readonly Snapshot[]): Sample[] {
  const joined = new Map<string, Sample>();
  for (const snapshot of snapshots) {
    for (const sample of snapshot[name] ?? []) {
      const key = sample.labels.join('\0');
      const known = joined.get(key);
      const value = known ? join(known.value, sample.value, kind === 'gauge' ? joins : 'sum') : sample.value;
      joined.set(key, { labels: sample.labels, value });
    }
  }
  return [...joined.values()];
}

const JOINS: Readonly<Record<Join, (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  max: Math.max,
  min: Math.min,
};

function join(a: Sample['value'], b: Sample['value'], rule: Join): Sample['value'] {
  if (typeof a === 'number' || typeof b === 'number') return JOINS[rule](Number(a), Number(b));
  return { bounds: a.bounds, counts: a.counts.map((count, i) => count + b.counts[i]!), sum: a.sum + b.sum };
}

function plain(value: number | Histogram): Sample['value'] {
  if (!(value instanceof Histogram)) return value;
  return { bounds: value.bounds, counts: [...value.counts], sum: value.sum };
}
