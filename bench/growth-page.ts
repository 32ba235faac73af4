import fs from 'node:fs';
import path from 'node:path';
import { type Machine, tellMachine } from './machine.ts';
import { drawPlot, type Point, type Series } from './plot.ts';
import { align, type Summary } from './table.ts';

/** What was found at one size. */
export interface Growth {
  readonly hashes: number;
  /** The --cache-size it was measured with; null for the default. */
  readonly cacheSize: string | null;
  readonly fileMb: number;
  /** The first start, on a file that no server had open before, and the worst of all. */
  readonly firstStartMs: number;
  readonly worstStartMs: number;
  /** How many hashes were read into memory after the start, in what time, and what the server takes then. */
  readonly filledRows: number;
  readonly filledMs: number;
  readonly restMb: number;
  readonly fullLoadMb: number;
  readonly rows: readonly Summary[];
}

export interface GrowthRun {
  readonly outhashes: boolean;
  readonly machine: Machine;
  readonly sizes: readonly Growth[];
}

const BEGIN = '<!-- Written by npm run bench:growth: from here … -->';
const END = '<!-- … to here. -->';

/**
 * Writes the plot, and the table with the machine into the page, between two comments there.
 * @param folder of performance.md
 * @throws Error when the page lacks the comments
 */
export function writeGrowth(folder: string, run: GrowthRun): void {
  const page = path.join(folder, 'performance.md');
  const text = fs.readFileSync(page, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${page}: the comments around the table are not there`);
  const written = `${BEGIN}\n\n${growthTable(run, 'markdown')}\n${tellMachine(run.machine)}\n\n`;
  fs.writeFileSync(page, text.slice(0, from) + written + text.slice(to));
  fs.writeFileSync(path.join(folder, 'performance.svg'), growthPlot(run));
}

const whole = (value: number) => Math.round(value).toLocaleString('en-US');
/** Two digits that count. */
const brief = (value: number) => (value >= 0.1 ? value.toFixed(2) : value.toPrecision(1));

/** A line a row, a column a size: requests a second and their ratio to echo. */
export function growthTable({ sizes }: GrowthRun, form: 'text' | 'markdown'): string {
  const line = (name: string, value: (size: Growth) => string) => [name, ...sizes.map(value)];
  const rows = [
    line(
      'requests a second (ratio to echo)',
      ({ hashes, cacheSize }) => `${whole(hashes)}${cacheSize ? `, ${cacheSize}` : ''}`,
    ),
    ...sizes[0]!.rows.map(({ name }, i) =>
      line(name, ({ rows }) => `${whole(rows[i]!.rate)} (${brief(rows[i]!.toEcho)})`),
    ),
    ...sizes[0]!.rows.flatMap(({ name }, i) =>
      name.startsWith('report') ? [line(`${name}: p99, ms`, ({ rows }) => whole(rows[i]!.p99Us / 1000))] : [],
    ),
    line('database file, MB', ({ fileMb }) => whole(fileMb)),
    line(
      'start to listening, ms: first, worst',
      ({ firstStartMs, worstStartMs }) => `${whole(firstStartMs)}, ${whole(worstStartMs)}`,
    ),
    line(
      'hashes read into memory, in s',
      ({ filledRows, filledMs }) => `${whole(filledRows)}, ${brief(filledMs / 1000)}`,
    ),
    line('resident memory then, MB', ({ restMb }) => whole(restMb)),
    line('resident memory, full load, MB', ({ fullLoadMb }) => whole(fullLoadMb)),
  ];
  if (form === 'text') return align(rows);
  const cells = (row: readonly string[]) => `| ${row.join(' | ')} |\n`;
  const [heading, ...rest] = rows;
  return [cells(heading!), cells(heading!.map((_, i) => (i === 0 ? '---' : '---:'))), ...rest.map(cells)].join('');
}

/** The rows of the plot, and what to call them. */
const LINES: readonly (readonly [string, string])[] = [
  ['get-stream 10x64 hot', 'asked before'],
  ['get-stream 10x64 cold', 'not asked before'],
  ['get-stream 10x64 missing', 'not there'],
  ['report 10x64', 'reports, synced'],
];

export function growthPlot({ sizes }: GrowthRun): string {
  const points = (value: (size: Growth) => number | undefined, isAside: boolean): Point[] =>
    sizes.flatMap((size) => {
      const y = value(size);
      return (size.cacheSize !== null) === isAside && y !== undefined ? [{ x: size.hashes, y }] : [];
    });
  const series = (name: string, value: (size: Growth) => number | undefined): Series => ({
    name,
    points: points(value, false),
    aside: points(value, true),
  });
  const rates = LINES.map(([row, name]) => series(name, ({ rows }) => rows.find((each) => each.name === row)?.rate));
  const asides = [...new Set(sizes.flatMap(({ cacheSize }) => (cacheSize ? [cacheSize] : [])))];
  return drawPlot({
    title: 'Requests a second and memory, by the size of the database',
    label: 'hashes in the database',
    asideLabel: asides.length > 0 ? `hollow: with --cache-size ${asides.join(', ')}` : '',
    panels: [
      { label: 'requests a second', series: rates.filter(({ points }) => points.length > 0) },
      { label: 'resident memory under full load, MB', series: [series('memory', ({ fullLoadMb }) => fullLoadMb)] },
    ],
  });
}
