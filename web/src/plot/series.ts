import { dateTime } from '../format/time.ts';

/** A line of a plot. Values that are null leave a gap. */
export interface Series {
  readonly name: string;
  readonly values: readonly (number | null)[];
  readonly color: 'first' | 'second' | 'third' | 'fourth';
}

/** What a plot shows: series over times (seconds since 1970), or over places in an order. */
export interface PlotData {
  readonly x: readonly number[];
  readonly isTime: boolean;
  readonly series: readonly Series[];
}

/** What a series comes to, in words: for whoever does not see the plot. */
export function summaryOf({ name, values }: Series, format: (value: number) => string): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return `${name}: nothing recorded`;
  const most = known.reduce((a, b) => Math.max(a, b));
  const least = known.reduce((a, b) => Math.min(a, b));
  const last = known.at(-1)!;
  return `${name}: last ${format(last)}, lowest ${format(least)}, highest ${format(most)}`;
}

/** Whether there is anything to draw. */
export function isEmpty({ series }: PlotData): boolean {
  return series.every(({ values }) => values.every((value) => value === null));
}

/** The places of a plot's table: at most so many, spread evenly, the last one among them. */
export function sampled(length: number, most: number): number[] {
  if (length <= most) return Array.from({ length }, (_, i) => i);
  const step = (length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => Math.round(i * step));
}

/** What a place on the x axis is called. */
export function placeName({ isTime, x }: PlotData, index: number): string {
  const value = x[index] ?? 0;
  return isTime ? dateTime(value * 1000) : String(value);
}
