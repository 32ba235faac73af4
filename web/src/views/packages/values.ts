import type { PkgarchValues } from '../../api/packages.ts';
import type { PlotData } from '../../plot/series.ts';

/** A value as a height: of `3.1.2`, which a server below another gives, each part is a thousandth of the one before. */
export function heightOf(value: string): number | null {
  if (!/^\d+(\.\d+)*$/.test(value)) return null;
  return value
    .split('.')
    .reduce((sum, part, i) => sum + Math.min(Number(part), i === 0 ? Infinity : 999) / 1000 ** i, 0);
}

/** The values of an architecture over the order in which they were given. */
export function valuesPlot({ values }: Pick<PkgarchValues, 'values'>): PlotData {
  return {
    x: values.map((_, i) => i + 1),
    isTime: false,
    series: [{ name: 'value', color: 'first', values: values.map(({ value }) => heightOf(value)) }],
  };
}
