import type uPlot from 'uplot';
import { type PlotData, placeName } from './series.ts';

export interface Look {
  readonly width: number;
  readonly height: number;
  /** A value with its unit, for the axis. */
  readonly format: (value: number) => string;
  readonly isStepped: boolean;
  /** Steps of the axis are powers of two. */
  readonly isBytes: boolean;
  /** Reads a colour or a font of the page. */
  readonly token: (name: string) => string;
  onPlace(index: number | null): void;
}

/** How uPlot draws a plot in the colours of the page. Its own legend is left out: the page has one that is read aloud. */
export function optionsFor(data: PlotData, look: Look): uPlot.Options {
  const { width, height, format, token } = look;
  const axis: uPlot.Axis = {
    stroke: token('--muted'),
    font: `12px ${token('--font')}`,
    grid: { stroke: token('--grid'), width: 1 },
    ticks: { stroke: token('--grid'), width: 1, size: 4 },
  };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    padding: [8, 12, 0, 0],
    scales: { x: { time: data.isTime }, y: { range: rangeOf } },
    axes: [
      data.isTime ? { ...axis, size: 30, space: 70, values: timeLabels } : { ...axis, size: 30, incrs: WHOLE },
      {
        ...axis,
        size: 62,
        space: 32,
        values: (_, splits) => splits.map(format),
        ...(look.isBytes && { incrs: BYTES }),
        ...(look.isStepped && { incrs: WHOLE }),
      },
    ],
    series: [
      { value: (_, __, ___, index) => (index === null ? '' : placeName(data, index)) },
      ...data.series.map(({ name, color }) => line(name, token(`--${color}`), look.isStepped)),
    ],
    hooks: { setCursor: [(plot) => look.onPlace(plot.cursor.idx ?? null)] },
  };
}

const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 1_000_000];
const BYTES = Array.from({ length: 50 }, (_, i) => 2 ** i);

const line = (label: string, stroke: string, isStepped: boolean): uPlot.Series => ({
  label,
  stroke,
  width: 1.75,
  spanGaps: false,
  points: isStepped ? { show: true, size: 5, fill: stroke } : { show: true, size: 4, fill: stroke, filter: alone },
});

/** Values between two gaps: no line leads to them. */
const alone: uPlot.Series.Points.Filter = (plot, series) => {
  const values = Array.from<number | null | undefined>(plot.data[series] ?? []);
  return values.flatMap((value, i) => (value != null && values[i - 1] == null && values[i + 1] == null ? [i] : []));
};

/** From zero, and never of no height: a line of zeros lies on the ground. */
const rangeOf = (_: uPlot, __: number, most: number): uPlot.Range.MinMax => [0, most > 0 ? most * 1.08 : 1];

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** The hour of the day; the date where a day begins, or where labels are days apart. */
function timeLabels(_: uPlot, splits: number[]): string[] {
  const isDays = splits.length > 1 && splits[1]! - splits[0]! >= 43_200;
  return splits.map((seconds) => {
    const at = new Date(seconds * 1000);
    return isDays || (at.getHours() === 0 && at.getMinutes() === 0) ? DAY.format(at) : CLOCK.format(at);
  });
}
