import type { AgeInsight } from '../../api/insights.ts';
import type { PlotData } from '../../plot/series.ts';

/** Reports by month, the oldest on the left. A month whose name cannot be read has no place. */
export function agePlot({ months }: Pick<AgeInsight, 'months'>): PlotData {
  const known = months
    .flatMap(({ month, reports, unused }) => {
      const at = /^\d{4}-\d\d$/.test(month ?? '') ? Date.parse(`${month}-15T12:00:00Z`) / 1000 : Number.NaN;
      return Number.isNaN(at) ? [] : [{ at, reports, unused }];
    })
    .sort((a, b) => a.at - b.at);
  return {
    x: known.map(({ at }) => at),
    isTime: true,
    series: [
      { name: 'reports', color: 'second', values: known.map(({ reports }) => reports) },
      { name: 'of no use', color: 'first', values: known.map(({ unused }) => unused) },
    ],
  };
}
