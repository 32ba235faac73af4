import type { Histogram } from '../meter/histogram.ts';
import type { MetricSources } from './sources.ts';

/** The values a label may have: all of them, or in words what they are where the configuration or a table says it. */
export type LabelValues = readonly string[] | string;

/** Gives a value for the labels, in the order of the row's. */
export type Put = (value: number | Histogram, ...labels: readonly string[]) => void;

/** How a gauge of several processes of one server is shown as one. */
export type Join = 'sum' | 'max' | 'min';

/** A metric: what it is called, what it means, and where it is read. */
export type MetricRow = Described & (Summed | Gauge);

/** Of several processes these are added up. */
interface Summed {
  readonly kind: 'counter' | 'histogram';
  readonly joins?: never;
}

interface Gauge {
  readonly kind: 'gauge';
  /** What is shown of the workers of one server (`--workers`): what each has for itself adds up, what all see of one thing does not. */
  readonly joins: Join;
}

interface Described {
  readonly name: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, LabelValues>>;
  read(from: MetricSources, put: Put): void;
}
