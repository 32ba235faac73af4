import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decidePr } from '../../lib/prserv/get-pr.ts';
import { compareRevisions, increase, isBelow, largest, smallest } from '../../lib/prserv/revision.ts';

/** A package's rows, decided in memory. */
function createPackage() {
  const rows: { checksum: string; value: string }[] = [];
  const of = (checksum: string) => rows.filter((row) => row.checksum === checksum).map((row) => row.value);
  return (checksum: string, history: boolean): string => {
    const known = of(checksum);
    const state = {
      max: rows.map((row) => row.value).reduce<string | null>(largest, null),
      largestUnder: () => undefined,
      known: known.length > 0 ? { smallest: known.reduce(smallest), largest: known.reduce(largest) } : null,
    };
    const { value, isNew } = decidePr(state, history)!;
    assert.equal(isNew, !known.includes(value));
    if (isNew) rows.push({ checksum, value });
    return value;
  };
}

describe('PR values', () => {
  for (const [a, b] of [
    ['9', '10'],
    ['10', '11'],
    ['0', '1'],
    ['1.9', '1.10'],
    ['2.5', '10.1'],
    ['999999998', '999999999'],
    ['1.2.3', '1.3'],
    ['0', '0.0'],
    ['0.0', '0.1'],
    ['0.1', '0.10'],
    ['0.10', '1'],
    ['3.9', '3.9.0'],
    ['999999999999999', '1000000000000000'],
    ['9007199254740992', '9007199254740993'],
    ['1.9223372036854775807', '1.9223372036854775808'],
    ['0009', '10'],
  ] as const) {
    test(`${a} is below ${b}, as numbers`, () => {
      assert.ok(compareRevisions(a, b) < 0);
      assert.ok(compareRevisions(b, a) > 0);
      assert.ok(isBelow(a, b) && !isBelow(b, a));
      assert.equal(largest(a, b), b);
      assert.equal(smallest(b, a), a);
    });
  }

  test('a value that continues another is the larger', () => {
    assert.ok(isBelow('0', '0.0') && !isBelow('0.0', '0'));
    assert.equal(['7.2', '7'].reduce<string | null>(largest, null), '7.2');
    assert.equal(['7.2', '7'].reduce<string | null>(smallest, null), '7');
    assert.equal(increase(['0.1', '0', '0.0'].reduce<string | null>(largest, null)!), '0.2');
  });

  test('the order is total: it sorts any permutation alike', () => {
    const sorted = ['0', '0.0', '0.0.7', '0.1', '0.10', '1', '9', '10', '10.0', '10.2'];
    const anyOrder = fc.shuffledSubarray(sorted, { minLength: sorted.length });
    fc.assert(fc.property(anyOrder, (shuffled) => assert.deepEqual(shuffled.sort(compareRevisions), sorted)));
  });

  for (const [value, next] of [
    ['0', '1'],
    ['9', '10'],
    ['1.9', '1.10'],
    ['3.4.5', '3.4.6'],
    ['999999999', '1000000000'],
    ['999999999999999', '1000000000000000'],
    ['9007199254740992', '9007199254740993'],
    ['1.9223372036854775807', '1.9223372036854775808'],
    ['007', '8'],
  ] as const)
    test(`${value} plus one is ${next}`, () => assert.equal(increase(value), next));
});

describe('get-pr without an upstream', () => {
  test('0 to 12 for thirteen checksums, then that of 9 again without history: 13, never 9', () => {
    const getPr = createPackage();
    for (let n = 0; n <= 12; n++) assert.equal(getPr(`c${n}`, false), String(n));
    assert.equal(getPr('c9', false), '13');
    assert.equal(getPr('c9', false), '13');
    assert.equal(getPr('c9', true), '9');
    assert.equal(getPr('c10', true), '10');
    assert.equal(getPr('new', true), '14');
  });

  test('without history the answers of a package never go down', () => {
    const getPr = createPackage();
    let last = -1;
    for (let i = 0; i < 300; i++) {
      const value = Number(getPr(`c${(i * 7) % 11}`, false));
      assert.ok(value >= last, `${value} after ${last}`);
      last = value;
    }
  });

  test('with history a checksum is answered its smallest value for ever', () => {
    const getPr = createPackage();
    for (let i = 0; i < 100; i++) assert.equal(getPr(`c${i % 12}`, true), String(i % 12));
  });

  test('a value that the maximum continues is below it, and raised', () => {
    const known = { smallest: '0', largest: '0' };
    assert.deepEqual(decidePr({ max: '0.1', known, largestUnder: () => 1n }, false), { value: '0.2', isNew: true });
  });
});
