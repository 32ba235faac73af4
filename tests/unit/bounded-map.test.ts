import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BoundedMap } from '../../lib/asyncrpc/bounded-map.ts';

/** Sets and trims, as nearly all users do. */
function put(map: BoundedMap<string, string>, key: string, value: string): void {
  map.set(key, value);
  map.trim();
}

const byLength = (key: string, value: string) => key.length + value.length;

test('past the bound the entries set longest ago are forgotten, those used or set again last', () => {
  const map = new BoundedMap<string, string>(3);
  for (const key of ['a', 'b', 'c']) put(map, key, key);
  assert.equal(map.use('a'), 'a');
  put(map, 'b', 'again');
  put(map, 'd', 'd');
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => map.get(key)),
    ['a', 'again', undefined, 'd'],
  );
});

test('what is looked at is no younger for it', () => {
  const map = new BoundedMap<string, string>(2);
  put(map, 'a', 'a');
  put(map, 'b', 'b');
  assert.equal(map.get('a'), 'a');
  put(map, 'c', 'c');
  assert.deepEqual([map.has('a'), map.has('b')], [false, true]);
});

test('nothing is forgotten before it is trimmed, and what is over goes though all would fit', () => {
  const map = new BoundedMap<string, string>(2);
  for (const key of ['a', 'b', 'c']) map.set(key, key);
  assert.equal(map.weight, 3);
  map.trim();
  assert.deepEqual([map.has('a'), map.has('b'), map.has('c')], [false, true, true]);
  map.trim((value) => value === 'b');
  assert.deepEqual([map.has('b'), map.has('c')], [false, true]);
});

test('an entry that is larger than all may be is not kept', () => {
  const map = new BoundedMap<string, string>(4, byLength);
  put(map, 'a', 'b');
  put(map, 'long', 'value');
  assert.deepEqual([map.has('a'), map.has('long'), map.weight], [false, false, 0]);
});

test('it weighs what is in it, whatever was done', () => {
  const step = fc.record({
    what: fc.constantFrom('set', 'use', 'delete', 'change', 'trim'),
    key: fc.constantFrom('a', 'bb', 'ccc'),
    value: fc.string({ maxLength: 5 }),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const map = new BoundedMap<string, { text: string }>(12, (key, { text }) => byLength(key, text));
      for (const { what, key, value } of steps) {
        if (what === 'set') map.set(key, { text: value });
        else if (what === 'use') map.use(key);
        else if (what === 'delete') map.delete(key);
        else if (what === 'change') map.change(key, (entry) => void Object.assign(entry, { text: value }));
        else map.trim();
        const left = ['a', 'bb', 'ccc'].filter((each) => map.has(each));
        assert.equal(
          map.weight,
          left.reduce((sum, each) => sum + byLength(each, map.get(each)!.text), 0),
        );
        if (what === 'trim') assert.ok(map.weight <= 12);
      }
      map.clear();
      assert.equal(map.weight, 0);
    }),
  );
});
