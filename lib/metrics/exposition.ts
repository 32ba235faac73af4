import { Counter, Gauge, Histogram as PromHistogram, Registry } from 'prom-client';
import type { MetricRow } from './row.ts';
import type { Observed, Snapshot } from './snapshot.ts';
import { METRICS } from './table.ts';

/** What prom-client writes a line from. */
interface Value {
  readonly labels: Record<string, string | number>;
  readonly value: number;
  readonly metricName?: string;
}

/**
 * All metrics as prom-client writes them. Nothing is counted here: the parts of the server count in plain numbers, which
 * are read when somebody asks. This is the only file that knows prom-client, and it is loaded for listeners that show metrics.
 */
export function createExposition(): { readonly contentType: string; text(snapshot: Snapshot): Promise<string> } {
  const registry = new Registry();
  let shown: Snapshot = {};
  for (const { rows } of METRICS) for (const row of rows) register(row, () => shown, registry);
  return {
    contentType: registry.contentType,
    text(snapshot) {
      shown = snapshot;
      return registry.metrics();
    },
  };
}

function register(row: MetricRow, shown: () => Snapshot, registry: Registry): void {
  const { name, help, kind } = row;
  const config = { name, help, labelNames: Object.keys(row.labels), registers: [registry] };
  const values = () => valuesOf(row, shown());
  if (kind === 'counter') {
    new (class extends Counter {
      override async get() {
        return { ...(await super.get()), values: values() };
      }
    })(config);
  } else if (kind === 'gauge') {
    new (class extends Gauge {
      override async get() {
        return { ...(await super.get()), values: values() };
      }
    })(config);
  } else {
    new (class extends PromHistogram {
      /** Where a registry asks histograms; the types do not say so. */
      async getForPromString() {
        return { name, help, type: kind, values: values() };
      }
    })(config);
  }
}

function valuesOf(row: MetricRow, snapshot: Snapshot): Value[] {
  const names = Object.keys(row.labels);
  const values: Value[] = [];
  for (const { labels: given, value } of snapshot[row.name] ?? []) {
    const labels: Record<string, string> = {};
    for (const [i, name] of names.entries()) labels[name] = given[i]!;
    if (typeof value === 'number') values.push({ labels, value });
    else addHistogram(values, row.name, labels, value);
  }
  return values;
}

function addHistogram(
  values: Value[],
  name: string,
  labels: Readonly<Record<string, string>>,
  { bounds, counts, sum }: Observed,
): void {
  const metricName = `${name}_bucket`;
  let count = 0;
  for (const [i, bound] of bounds.entries()) {
    count += counts[i]!;
    values.push({ labels: { le: bound, ...labels }, value: count, metricName });
  }
  count += counts[bounds.length]!;
  values.push({ labels: { le: '+Inf', ...labels }, value: count, metricName });
  values.push({ labels, value: sum, metricName: `${name}_sum` });
  values.push({ labels, value: count, metricName: `${name}_count` });
}
