import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Groups } from '../../lib/insights/groups.ts';
import { compareTexts, Top } from '../../lib/insights/top.ts';

describe('what insights hold in memory', () => {
  test('is the first of any number of entries, in their order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 })), fc.integer({ min: 1, max: 7 }), (entries, most) => {
        const top = new Top<{ n: number; i: number }>(most, (a, b) => b.n - a.n || a.i - b.i);
        for (const [i, n] of entries.entries()) top.add({ n, i });
        const sorted = entries.map((n, i) => ({ n, i })).sort((a, b) => b.n - a.n || a.i - b.i);
        assert.deepEqual(top.list(), sorted.slice(0, most));
      }),
    );
  });

  test('are sums by names, none of which is taken for another', () => {
    const names = fc.option(fc.constantFrom('', '-', 'a', 'b', '1:a', 'a1:b'), { nil: null });
    fc.assert(
      fc.property(fc.array(fc.tuple(names, names)), (entries) => {
        const groups = new Groups(() => ({ n: 0 }));
        for (const [a, b] of entries) groups.of(a, b)!.n++;
        const found = [...groups.all()].map(({ names, sums }) => [...names, sums.n]);
        const expected = new Map<string, unknown[]>();
        for (const entry of entries) {
          const key = JSON.stringify(entry);
          const n = entries.filter((each) => JSON.stringify(each) === key).length;
          expected.set(key, [...entry, n]);
        }
        const sorted = (all: readonly unknown[]) => all.map((each) => JSON.stringify(each)).sort();
        assert.deepEqual(sorted(found), sorted([...expected.values()]));
      }),
    );
  });

  test('has an end, by the number of groups and by the length of their names', () => {
    const few = new Groups(() => ({ n: 0 }), 2);
    for (const name of ['a', 'b', 'c', 'a', 'c']) few.of(name);
    assert.deepEqual([[...few.all()].length, few.left], [2, 2]);
    assert.equal(few.of('c'), null);
    const long = new Groups(() => ({ n: 0 }));
    for (let i = 0; i < 10; i++) long.of(String(i).repeat(1 << 20));
    assert.equal([...long.all()].length, 8);
    assert.equal(long.left, 2);
  });

  test('orders texts, nothing before anything', () => {
    assert.deepEqual(['b', null, '', 'a'].sort(compareTexts), [null, '', 'a', 'b']);
    assert.equal(compareTexts(null, null), 0);
  });
});
