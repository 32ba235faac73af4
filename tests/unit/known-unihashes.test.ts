import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { KnownUnihashes } from '../../lib/storage/memory/known-unihashes.ts';

const MIB = 1024 * 1024;
const hash = (n: number) => n.toString(16).padStart(64, '0');

const method = fc.constantFrom('m', 'oe.sstatesig.OEOuthashBasic', 'é', '\u0130', 'm\u0001', '0'.repeat(300));
/** Few keys of many shapes, of which some differ in one character only. */
const taskhash = fc.oneof(
  { weight: 6, arbitrary: fc.nat(20).map(hash) },
  fc.constantFrom('t1', 't2', hash(1).toUpperCase(), `${hash(1)}0`, 'g'.repeat(64), hash(10).toUpperCase()),
  fc.tuple(fc.nat(20), fc.nat(63), fc.constantFrom('\u0130', 'é', '\u0061\u0301', '\ud83d')).map(([n, at, put]) => {
    const text = hash(n);
    return (text.slice(0, at) + put + text.slice(at + 1)).slice(0, 64);
  }),
);
const task = fc.tuple(method, taskhash).map((parts) => parts.join(' '));
const unihash = fc.oneof({ weight: 6, arbitrary: fc.nat(50).map(hash) }, fc.constantFrom('u1', hash(1).toUpperCase()));

for (const mib of [0.1, 8]) {
  describe(`what is known in ${mib} MiB`, () => {
    test('is answered as a Map answers it, whatever shape keys and unihashes have', () => {
      const entry = fc.record({ task, unihash });
      fc.assert(
        fc.property(fc.array(entry, { maxLength: 60 }), fc.array(task, { maxLength: 60 }), (entries, asked) => {
          const known = new KnownUnihashes(mib * MIB);
          const model = new Map<string, string>();
          for (const { task, unihash } of entries) {
            // A task keeps its first unihash.
            if (model.has(task)) continue;
            model.set(task, unihash);
            known.add(task, unihash, known.epoch);
          }
          for (const each of [...asked, ...model.keys()]) assert.equal(known.get(each), model.get(each), each);
          for (const each of model.values()) if (known.exists(each)) assert.ok([...model.values()].includes(each));
        }),
        { numRuns: 200 },
      );
    });

    test('is forgotten at once, and what was read before is not kept', () => {
      const known = new KnownUnihashes(mib * MIB);
      for (const key of [`m ${hash(1)}`, 'm t1']) {
        const { epoch } = known;
        known.add(key, hash(2), epoch);
        known.addExisting(hash(3), epoch);
        assert.deepEqual([known.get(key), known.exists(hash(3))], [hash(2), true]);
        known.clear();
        assert.deepEqual([known.get(key), known.exists(hash(2)), known.exists(hash(3))], [undefined, false, false]);
        known.add(key, hash(2), epoch);
        known.addExisting(hash(3), epoch);
        assert.deepEqual([known.get(key), known.exists(hash(3))], [undefined, false]);
      }
    });
  });
}

test('a row in the table is a unihash that exists', () => {
  const known = new KnownUnihashes(8 * MIB);
  known.add(`m ${hash(1)}`, hash(2), known.epoch);
  assert.deepEqual([known.exists(hash(2)), known.exists(hash(1))], [true, false]);
});

test('a method whose name no stream can send is not answered from the table', () => {
  const known = new KnownUnihashes(8 * MIB);
  for (const name of ['a b', 'a\nb', 'é', '']) {
    known.add(`${name} ${hash(1)}`, hash(2), known.epoch);
    assert.equal(known.rows, 0, JSON.stringify(name));
  }
});
