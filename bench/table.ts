import { type Figure, isMet } from './extras.ts';
import { barText, marginOf, needOf, type Row, rawMarginOf, shapeName } from './rows.ts';
import type { Sample } from './run.ts';
import { median } from './statistics.ts';

/** The repeats of a row, as medians. Rates in requests per second, latencies in microseconds. */
export interface Summary {
  readonly name: string;
  readonly rate: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Echo in the row's gauge. */
  readonly echoRate: number;
  readonly echoShape: string;
  /** The median of the ratios, each of two runs in one moment; not the ratio of the medians. */
  readonly toEcho: number;
  readonly bar: string;
  /** In requests per second; null without a bar. */
  readonly need: { readonly raw: number; readonly scaled: number } | null;
  /** Against the scaled need, and against the raw one, run by run. */
  readonly met: boolean;
  readonly metRaw: boolean;
  readonly startMs: number;
  readonly residentMb: number;
}

/** A summary for each row that was measured, in the order of the samples. */
export function summarizeRows(samples: readonly Sample[]): Summary[] {
  const rows = [...new Set(samples.map(({ row }) => row))];
  return rows.map((row) =>
    summarize(
      row,
      samples.filter((sample) => sample.row === row),
    ),
  );
}

/** @param samples of one row, at least one */
function summarize(row: Row, samples: readonly Sample[]): Summary {
  const of = (value: (sample: Sample) => number) => median(samples.map(value));
  const echoRate = of(({ echo }) => echo.rate);
  const need = needOf(row, echoRate);
  return {
    name: row.name,
    rate: of(({ result }) => result.rate),
    p50Us: of(({ result }) => result.p50_us),
    p99Us: of(({ result }) => result.p99_us),
    echoRate,
    echoShape: shapeName(row.gauge),
    toEcho: of(({ result, echo }) => result.rate / echo.rate),
    bar: barText(row),
    need,
    met: of(({ result, echo }) => marginOf(row, result.rate, result.p99_us, echo.rate)) >= 1,
    metRaw: of(({ result, echo }) => rawMarginOf(row, result.rate, result.p99_us, echo.rate)) >= 1,
    startMs: of(({ startMs }) => startMs),
    residentMb: of(({ residentBytes }) => residentBytes) / 1e6,
  };
}

const HEADINGS = ['work', 'rate', 'p50 us', 'p99 us', 'echo', 'ratio', 'RSS MB', 'bar', 'raw', 'scaled', 'met'];

export function printTable(summaries: readonly Summary[], figures: readonly Figure[]): string {
  const lines = summaries.map((each) => [
    each.name,
    whole(each.rate),
    whole(each.p50Us),
    whole(each.p99Us),
    `${whole(each.echoRate)} (${each.echoShape})`,
    each.toEcho.toFixed(3),
    whole(each.residentMb),
    each.bar,
    each.need ? whole(each.need.raw) : '',
    each.need ? whole(each.need.scaled) : '',
    each.need ? (each.met ? 'yes' : each.metRaw ? 'raw' : 'NO') : '',
  ]);
  const others = figures.map((each) => [
    each.name,
    `${short(each.value)} ${each.unit}`,
    `${each.atLeast ? 'at least' : 'at most'} ${short(each.bar)}`,
    isMet(each) ? 'yes' : 'NO',
  ]);
  return [
    lines.length ? align([HEADINGS, ...lines]) : '',
    others.length ? align([['figure', 'value', 'bar', 'met'], ...others]) : '',
  ]
    .filter(Boolean)
    .join('\n');
}

/** Columns as wide as their widest cell: the first to the left, the others to the right. */
export function align(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const cell = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!);
  return `${rows.map((row) => row.map(cell).join('  ')).join('\n')}\n`;
}

/** A small value with two digits behind the point. */
const short = (value: number) => (value < 10 && value % 1 !== 0 ? value.toFixed(2) : whole(value));
const whole = (value: number) => Math.round(value).toLocaleString('en-US');
