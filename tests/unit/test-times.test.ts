import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longestFirst, slowest } from '../../scripts/test-times.ts';

test('long files of tests start first, and none is left out', () => {
  const files = ['tests/unit/fifo.test.ts', 'tests/wire/model.test.ts', 'tests/e2e/proxies.test.ts', 'tests/a.test.ts'];
  assert.deepEqual(longestFirst(files), [files[2], files[1], files[3], files[0]]);
});

test('what long files took is told, the longest first', () => {
  assert.equal(slowest(new Map([['a', 4999]])), '');
  const lines = slowest(
    new Map([
      ['a', 6000],
      ['b', 1],
      ['c', 12_340],
    ]),
  ).split('\n');
  assert.deepEqual(lines.slice(1), ['#   12.3 s c', '#    6.0 s a', '']);
});
