import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import { COUNTS, Histogram, SECONDS } from '../../lib/meter/histogram.ts';
import { COUNTED_LIMITS } from '../../lib/metrics/rows/connections.ts';
import { keptFor } from '../../lib/metrics/source.ts';
import { METRICS } from '../../lib/metrics/table.ts';

const ROWS = METRICS.flatMap(({ rows }) => rows);

describe('a histogram', () => {
  test('counts a value under the first bound that it is not above', () => {
    const histogram = new Histogram([1, 2, 4]);
    for (const value of [0, 1, 1.5, 2, 3, 4, 4.1, 1000]) histogram.observe(value);
    assert.deepEqual([...histogram.counts], [2, 2, 2, 2]);
    assert.equal(histogram.count, 8);
    assert.equal(histogram.sum, 1015.6);
  });

  test('counts like a search from the front, whatever the bounds and values', () => {
    const bounds = fc.uniqueArray(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 });
    const values = fc.array(
      fc.tuple(fc.double({ min: -10, max: 2e6, noNaN: true }), fc.integer({ min: 1, max: 1000 })),
    );
    fc.assert(
      fc.property(bounds, values, (some, observed) => {
        const sorted = some.sort((a, b) => a - b);
        const histogram = new Histogram(sorted);
        const expected = new Array<number>(sorted.length + 1).fill(0);
        for (const [value, times] of observed) {
          histogram.observe(value, times);
          const at = sorted.findIndex((bound) => Math.max(0, value) <= bound);
          expected[at < 0 ? sorted.length : at]! += times;
        }
        assert.deepEqual([...histogram.counts], expected);
      }),
    );
  });

  test('takes a clock that was set back, or no number, as no time', () => {
    const histogram = new Histogram();
    histogram.observe(-5);
    histogram.observe(Number.NaN, 3);
    assert.equal(histogram.counts[0], 4);
    assert.equal(histogram.sum, 0);
  });

  test('has bounds that rise', () => {
    for (const bounds of [SECONDS, COUNTS])
      assert.deepEqual(
        [...bounds],
        [...bounds].sort((a, b) => a - b),
      );
  });
});

describe('the table of metrics', () => {
  test('names each once, as Prometheus has names', () => {
    const names = ROWS.map(({ name }) => name);
    assert.deepEqual([...new Set(names)], names);
    for (const { name, kind, labels } of ROWS) {
      assert.match(name, /^(bakeserv|process|nodejs)_[a-z]+(_[a-z]+)*$/);
      assert.equal(name.endsWith('_total'), kind === 'counter', name);
      assert.doesNotMatch(name, /_(bucket|sum|count|ms|milliseconds|kib)(_total)?$/, name);
      for (const label of Object.keys(labels)) assert.match(label, /^(?!le$)[a-z]+(_[a-z]+)*$/);
    }
    // In OpenMetrics a counter is known by its name without _total.
    const families = names.map((name) => name.replace(/_total$/, ''));
    assert.equal(new Set(families).size, families.length);
  });

  test('says what each means, in one line', () => {
    for (const { name, help } of ROWS) assert.match(help, /^[A-Z0-9][^\n]{3,}[^.]$/, name);
  });

  test('has every value of a label once', () => {
    for (const { name, labels } of ROWS) {
      for (const values of Object.values(labels))
        if (typeof values !== 'string') assert.equal(new Set(values).size, values.length, name);
    }
  });
});

test('every limit is counted, but for the time that logins are slowed down', () => {
  const counted = COUNTED_LIMITS.map(([limit]) => limit);
  assert.deepEqual(
    Object.keys(DEFAULT_LIMITS).filter((limit) => !counted.includes(limit as never)),
    ['loginCautionMs'],
  );
});

describe('a text that is kept for a moment', () => {
  const made = () => {
    let count = 0;
    let time = 0;
    const waiting: ((fail?: Error) => void)[] = [];
    const make = () =>
      new Promise<number>((resolve, reject) => {
        const n = ++count;
        waiting.push((fail) => (fail ? reject(fail) : resolve(n)));
      });
    const get = keptFor(100, make, () => time);
    return { get, waiting, pass: (ms: number) => (time += ms) };
  };

  test('is made once for all who ask meanwhile, however long that takes', async () => {
    const { get, waiting, pass } = made();
    const first = get();
    pass(10_000);
    const second = get();
    assert.equal(waiting.length, 1);
    waiting[0]!();
    assert.deepEqual(await Promise.all([first, second]), [1, 1]);
  });

  test('is made again when it is old, counted from when it was there', async () => {
    const { get, waiting, pass } = made();
    const first = get();
    pass(500);
    waiting[0]!();
    await first;
    pass(99);
    assert.equal(await get(), 1);
    pass(1);
    const again = get();
    waiting[1]!();
    assert.equal(await again, 2);
  });

  test('is not kept when making it failed', async () => {
    const { get, waiting } = made();
    const first = get();
    waiting[0]!(new Error('no'));
    await assert.rejects(first, /no/);
    const again = get();
    waiting[1]!();
    assert.equal(await again, 2);
  });
});
