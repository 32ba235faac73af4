import type { EquivalencesInsight } from '../../api/insights.ts';
import type { PlotData } from '../../plot/series.ts';

const DAY_SECONDS = 86_400;
/** Further back a plot of days has no room. */
const MOST_DAYS = 400;

/** What was found equal by day, the oldest on the left; a day that is not told of had none. */
export function daysPlot({ days }: Pick<EquivalencesInsight, 'days'>): PlotData {
  const found = new Map<number, number>();
  for (const { day, found: count } of days) {
    const at = /^\d{4}-\d\d-\d\d$/.test(day ?? '') ? Date.parse(`${day}T12:00:00Z`) / 1000 : Number.NaN;
    if (!Number.isNaN(at)) found.set(at, count);
  }
  const newest = Math.max(...found.keys());
  const oldest = Math.max(Math.min(...found.keys()), newest - MOST_DAYS * DAY_SECONDS);
  const x: number[] = [];
  for (let at = oldest; at <= newest; at += DAY_SECONDS) x.push(at);
  return {
    x,
    isTime: true,
    series: [{ name: 'found equal', color: 'third', values: x.map((at) => found.get(at) ?? 0) }],
  };
}
