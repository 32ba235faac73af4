import type { History } from '../api/status.ts';
import type { PlotData, Series } from './series.ts';

/** A bucket that has only just begun tells nothing about a rate yet. */
const TOO_YOUNG_SECONDS = 5;

/** What the server recorded under a name, as it is. */
export function recorded(history: History, name: string, times = 1): (number | null)[] {
  const values = history.series[name] ?? [];
  return history.times.map((_, i) => scaled(values[i], times));
}

/** Counts of a name, as how many a second. The last bucket is not over: it counts for as long as it has lasted. */
export function perSecond(history: History, ...names: readonly string[]): (number | null)[] {
  const { times, bucket_seconds: whole } = history;
  const end = Date.parse(history.to) / 1000;
  return times.map((begin, i) => {
    const seconds = Math.min(whole, end - begin);
    if (seconds < Math.min(TOO_YOUNG_SECONDS, whole)) return null;
    const known = names.map((name) => history.series[name]?.[i]).filter((value) => value != null);
    if (known.length === 0) return null;
    return known.reduce((sum, value) => sum + value, 0) / seconds;
  });
}

/** A plot of the history; a series without any value is left out. */
export function overTime(history: History, series: readonly Series[]): PlotData {
  const known = series.filter(({ values }) => values.some((value) => value !== null));
  return { x: history.times, isTime: true, series: known };
}

/** The last value that is known. */
export function lastOf(values: readonly (number | null)[]): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

function scaled(value: number | null | undefined, times: number): number | null {
  return value == null ? null : value * times;
}
