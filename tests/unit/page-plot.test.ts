import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { History } from '../../web/src/api/status.ts';
import { lastOf, overTime, perSecond, recorded } from '../../web/src/plot/history.ts';
import { isEmpty, sampled, summaryOf } from '../../web/src/plot/series.ts';
import { heightOf, valuesPlot } from '../../web/src/views/packages/values.ts';

const BEGIN = Date.UTC(2026, 10, 22, 3) / 1000;

function history(series: History['series'], lastSeconds: number): History {
  return {
    span: 'hour',
    bucket_seconds: 60,
    from: new Date(BEGIN * 1000).toISOString(),
    to: new Date((BEGIN + 120 + lastSeconds) * 1000).toISOString(),
    recorded_since: null,
    times: [BEGIN, BEGIN + 60, BEGIN + 120],
    series,
  };
}

describe('plots of what was recorded', () => {
  test('count the bucket that is not over for as long as it has lasted', () => {
    const found = history({ a: [60, 120, 30], b: [null, 60, 30] }, 30);
    assert.deepEqual(perSecond(found, 'a'), [1, 2, 1]);
    assert.deepEqual(perSecond(found, 'a', 'b'), [1, 3, 2]);
  });

  test('tell nothing from a bucket that has only just begun, and nothing from when the server was down', () => {
    assert.deepEqual(perSecond(history({ a: [null, 120, 7] }, 2), 'a'), [null, 2, null]);
    assert.deepEqual(perSecond(history({}, 30), 'a'), [null, null, null]);
  });

  test('have times in milliseconds, and leave out a line of which nothing is known', () => {
    const found = history({ p50: [0.002, null, 0.004], none: [null, null, null] }, 30);
    assert.deepEqual(recorded(found, 'p50', 1000), [2, null, 4]);
    const plot = overTime(found, [
      { name: 'half within', color: 'first', values: recorded(found, 'p50', 1000) },
      { name: 'nothing', color: 'second', values: recorded(found, 'none') },
    ]);
    assert.deepEqual(
      plot.series.map(({ name }) => name),
      ['half within'],
    );
    assert.equal(isEmpty(plot), false);
    assert.equal(lastOf(recorded(found, 'none')), null);
  });

  test('are told in words', () => {
    const text = (value: number) => `${value}/s`;
    assert.equal(
      summaryOf({ name: 'hits', color: 'first', values: [null, 5, 0, 3] }, text),
      'hits: last 3/s, lowest 0/s, highest 5/s',
    );
    assert.equal(summaryOf({ name: 'hits', color: 'first', values: [null] }, text), 'hits: nothing recorded');
  });

  test('have a table of so many places at most, the first and the last among them', () => {
    assert.deepEqual(sampled(3, 5), [0, 1, 2]);
    const places = sampled(1440, 61);
    assert.equal(places.length, 61);
    assert.deepEqual([places[0], places.at(-1)], [0, 1439]);
  });
});

describe('plots of PR values', () => {
  test('put a value of a server below another between two of that', () => {
    assert.equal(heightOf('3'), 3);
    assert.equal(heightOf('3.1'), 3.001);
    assert.ok(heightOf('3.999')! < heightOf('4')!);
    assert.equal(heightOf('<script>'), null);
  });

  const given = (value: string, not_before: string | null) => ({ checksum: `c${value}`, value, not_before });

  test('go by the order in which values were given, as long as not two times are known', () => {
    const plot = valuesPlot([given('0', null), given('1', '2026-11-20T08:00:00.000Z')]);
    assert.deepEqual(plot.x, [1, 2]);
    assert.equal(plot.isTime, false);
    assert.deepEqual(plot.series[0]!.values, [0, 1]);
  });

  test('go by the times that are known, in their order, without what is older', () => {
    const [first, second] = ['2026-11-20T08:00:00.000Z', '2026-11-21T08:00:00.000Z'];
    const plot = valuesPlot([given('0', null), given('1', second), given('2', first), given('2.1', second)]);
    assert.equal(plot.isTime, true);
    assert.deepEqual(
      plot.x,
      [first, second, second].map((text) => Date.parse(text) / 1000),
    );
    assert.deepEqual(plot.series[0]!.values, [2, 1, 2.001]);
  });
});
