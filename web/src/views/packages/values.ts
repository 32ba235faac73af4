import type { PackageValue } from '../../api/packages.ts';
import { parseTime } from '../../format/time.ts';
import type { PlotData } from '../../plot/series.ts';

/** A value as a height: of `3.1.2`, which a server below another gives, each part is a thousandth of the one before. */
export function heightOf(value: string): number | null {
  if (!/^\d+(\.\d+)*$/.test(value)) return null;
  return value
    .split('.')
    .reduce((sum, part, i) => sum + Math.min(Number(part), i === 0 ? Infinity : 999) / 1000 ** i, 0);
}

/**
 * The values of an architecture over time where two times at least are known, and then without those that are older than the
 * first one; otherwise over the order in which they were given.
 */
export function valuesPlot(values: readonly PackageValue[]): PlotData {
  const timed = values
    .flatMap((one) => {
      const at = parseTime(one.not_before);
      return at === null ? [] : [{ ...one, x: at / 1000 }];
    })
    .sort((a, b) => a.x - b.x);
  const isTime = new Set(timed.map(({ x }) => x)).size > 1;
  const shown = isTime ? timed : values.map((one, i) => ({ ...one, x: i + 1 }));
  return {
    x: shown.map(({ x }) => x),
    isTime,
    series: [{ name: 'value', color: 'first', values: shown.map(({ value }) => heightOf(value)) }],
  };
}
