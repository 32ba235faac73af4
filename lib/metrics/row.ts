import type { Histogram } from '../meter/histogram.ts';
import type { MetricSources } from './sources.ts';

/** The values a label may have: all of them, or in words what they are where the configuration or a table says it. */
export type LabelValues = readonly string[] | string;

/** Gives a value for the labels, in the order of the row's. */
export type Put = (value: number | Histogram, ...labels: readonly string[]) => void;

/** A metric: what it is called, what it means, and where it is read. */
export interface MetricRow {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: Readonly<Record<string, LabelValues>>;
  read(from: MetricSources, put: Put): void;
}
