import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Growth, type GrowthRun, growthPlot, growthTable, writeGrowth } from '../../bench/growth-page.ts';
import { drawPlot } from '../../bench/plot.ts';
import type { Summary } from '../../bench/table.ts';
import { temporaryFolder } from '../helpers.ts';

/** Where the marks of each series are, and whether they are hollow. */
function marksOf(svg: string): { series: number; hollow: boolean; x: number; y: number }[] {
  return [...svg.matchAll(/class="mark s(\d) (f\d|hollow)" d="M([\d.]+) ([\d.]+)/g)].map(([, series, fill, x, y]) => ({
    series: Number(series),
    hollow: fill === 'hollow',
    x: Number(x),
    y: Number(y),
  }));
}

test('whatever is plotted lies within the picture, further right and higher the more it is', () => {
  const values = fc.array(
    fc.record({ x: fc.integer({ min: 1, max: 1e9 }), y: fc.double({ min: 1e-3, max: 1e9, noNaN: true }) }),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  fc.assert(
    fc.property(values, (points) => {
      const svg = drawPlot({
        title: 't',
        label: 'l',
        asideLabel: '',
        panels: [{ label: 'p', series: [{ name: 's', points, aside: [] }] }],
      });
      const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.map(Number);
      const marks = marksOf(svg);
      assert.equal(marks.length, points.length);
      for (const [i, { x, y }] of marks.entries()) {
        assert.ok(x > 0 && x < width! && y > 0 && y < height!, `${x} ${y}`);
        for (const [j, other] of marks.entries()) {
          if (points[i]!.x > points[j]!.x) assert.ok(x >= other.x);
          if (points[i]!.y > points[j]!.y) assert.ok(y <= other.y);
        }
      }
      assert.ok(!/NaN|Infinity|undefined/.test(svg));
    }),
    // Just below a power of ten, and nearly on it.
    { examples: [[[{ x: 999_999_998, y: 0.001 }]], [[{ x: 1, y: 99.9999999999 }]]] },
  );
});

test('text in a plot is no markup', () => {
  const svg = drawPlot({
    title: 'a < b & c',
    label: '',
    asideLabel: '',
    panels: [{ label: '<p>', series: [{ name: 's', points: [{ x: 1, y: 1 }], aside: [] }] }],
  });
  assert.ok(svg.includes('a &lt; b &amp; c') && svg.includes('&lt;p>'));
});

const ROWS = ['get-stream 10x64 hot', 'get-stream 10x64 cold', 'get-stream 10x64 missing', 'report 10x64'];

function growth(hashes: number, cacheSize: string | null): Growth {
  const rows = ROWS.map((name, i) => ({ name, rate: 1000 * (i + 1), toEcho: 0.5 / (i + 1), p99Us: 90_000 }) as Summary);
  const start = { firstStartMs: 300, worstStartMs: 310 };
  return {
    hashes,
    cacheSize,
    fileMb: 3,
    ...start,
    filledRows: hashes,
    filledMs: 1234,
    restMb: 100,
    fullLoadMb: 200,
    rows,
  };
}

const RUN: GrowthRun = {
  outhashes: false,
  machine: {
    processor: 'Some CPU',
    cores: 2,
    memoryGib: 8,
    system: 'Linux 6',
    node: '20.0.0',
    disk: { p50Us: 300, p99Us: 700 },
    day: '2026-01-02',
  },
  sizes: [growth(10_000, null), growth(10_000_000, null), growth(10_000_000, '1GiB')],
};

test('the plot of growth has a line for each kind of request, and what is measured with more memory beside it', () => {
  const marks = marksOf(growthPlot(RUN));
  const places = (series: number, hollow: boolean) =>
    marks.filter((mark) => mark.series === series && mark.hollow === hollow).length;
  // Two on the line and one in the legend; the first line of the second field, which needs no legend, has two more.
  assert.deepEqual(
    [0, 1, 2, 3].map((series) => places(series, false)),
    [5, 3, 3, 3],
  );
  assert.deepEqual(
    [0, 1, 2, 3].map((series) => places(series, true)),
    [2, 1, 1, 1],
  );
  assert.match(growthPlot(RUN), /hollow: with --cache-size 1GiB/);
});

test('the table goes into the page between its comments, and nothing else there changes', (t) => {
  const folder = temporaryFolder(t);
  const page = path.join(folder, 'performance.md');
  const real = fs.readFileSync(path.join(import.meta.dirname, '../../docs/performance.md'), 'utf8');
  const [before, rest] = real.split(/(?<=from here … -->)/) as [string, string];
  const after = rest.slice(rest.indexOf('<!-- … to here. -->'));
  fs.writeFileSync(page, real);
  for (let i = 0; i < 2; i++) writeGrowth(folder, RUN);
  const text = fs.readFileSync(page, 'utf8');
  assert.ok(text.startsWith(before) && text.endsWith(after));
  const written = text.slice(before.length, text.length - after.length);
  assert.ok(written.includes(growthTable(RUN, 'markdown')));
  assert.match(written, /\| 10,000 \| 10,000,000 \| 10,000,000, 1GiB \|/);
  assert.match(written, /2026-01-02: 2 cores of Some CPU, 8 GiB of memory, Linux 6, Node 20\.0\.0;/);
  assert.ok(fs.readFileSync(path.join(folder, 'performance.svg'), 'utf8').startsWith('<svg '));
});

test('a page without the comments is left as it is', (t) => {
  const folder = temporaryFolder(t);
  const page = path.join(folder, 'performance.md');
  fs.writeFileSync(page, '# Something else\n');
  assert.throws(() => writeGrowth(folder, RUN), /the comments around the table are not there/);
  assert.equal(fs.readFileSync(page, 'utf8'), '# Something else\n');
});
