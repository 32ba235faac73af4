import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failures } from '../../scripts/test-failures.ts';
import { longestFirst, slowest } from '../../scripts/test-times.ts';
import { eventually } from '../e2e/helpers.ts';

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

test('what failed is told once more at the end, and a suite only by the tests in it', () => {
  assert.equal(failures([]), '');
  const error = (failureType: string, cause: unknown) => ({
    error: Object.assign(new Error('x', { cause }), { failureType }),
  });
  const told = failures([
    {
      name: 'adds',
      file: 'tests/a.test.ts',
      details: error('testCodeFailure', new Error(`1 !== 2\n${'y'.repeat(9000)}`)),
    },
    { name: 'numbers', file: 'tests/a.test.ts', details: error('subtestsFailed', 'one subtest failed') },
    { name: 'ends', file: 'tests/b.test.ts', details: error('testTimeoutFailure', 'timed out after 5 ms') },
  ]);
  assert.match(told, /^# tests that failed\n# tests\/a.test.ts: adds\n# {5}Error: 1 !== 2\n# {5}y+ \[…\]\n/);
  assert.match(told, /\n# tests\/b.test.ts: ends\n# {5}'timed out after 5 ms'\n$/);
  assert.ok(told.length < 2000 && !told.includes('numbers'), told);
});

test('a wait whose arguments are swapped is refused, and does not go on for ever', async () => {
  const swapped = [async () => 1, 5000] as unknown as Parameters<typeof eventually>;
  await assert.rejects(eventually(...swapped), /eventually\(withinMs, attempt\)/);
  assert.equal(await eventually(5000, async () => 1), 1);
});
