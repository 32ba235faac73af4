import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compareRevisions } from '../../lib/prserv/revision.ts';
import type { PrRow } from '../../lib/prserv/store.ts';
import { KnownPackages, type Reading } from '../../lib/storage/memory/known-packages.ts';
import {
  addRow,
  knownValues,
  largestUnder,
  learnValues,
  noRows,
  type PackageRows,
  packageKey,
} from '../../lib/storage/memory/package-rows.ts';

const row = (of: number, checksum: string, value = '1'): PrRow => ({
  version: `v${of}`,
  pkgarch: 'a',
  checksum,
  value,
});

/** A package as a look at each of its rows tells it. */
function look(table: readonly PrRow[], key: string): PackageRows {
  const rows = noRows();
  for (const each of table) if (packageKey(each) === key) addRow(rows, each.checksum, each.value);
  return rows;
}

const CHECKSUMS = ['a', 'b', 'c'];
const KEYS = [0, 1].map((of) => packageKey(row(of, '')));

/** What can be told of a package. */
function told(rows: PackageRows) {
  return {
    max: rows.max,
    known: CHECKSUMS.map((checksum) => knownValues(rows, checksum)),
    under: ['1', '2'].map((prefix) => largestUnder(rows, prefix)),
  };
}

describe('packages in memory', () => {
  test('are as a look at all rows tells them, whatever is read while rows are stored, removed and stored by others', () => {
    const stored = fc.record({
      of: fc.nat(1),
      checksum: fc.constantFrom(...CHECKSUMS),
      value: fc.constantFrom('0', '1', '1.0', '1.1', '2', '2.10', '10'),
    });
    const step = fc.oneof(
      { weight: 4, arbitrary: stored.map((row) => ({ what: 'commit' as const, row })) },
      { weight: 4, arbitrary: fc.constantFrom({ what: 'tell' as const }, { what: 'begin' as const }) },
      { weight: 3, arbitrary: fc.nat(1).map((of) => ({ what: 'read' as const, of })) },
      { weight: 3, arbitrary: fc.constant({ what: 'keep' as const }) },
      { weight: 1, arbitrary: stored.map((row) => ({ what: 'others' as const, row })) },
      { weight: 1, arbitrary: fc.constantFrom({ what: 'remove' as const }, { what: 'trim' as const }) },
    );
    const property = fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const known = new KnownPackages();
      let table: PrRow[] = [];
      /** Rows of the table that the memory has not been told of: the writer's answer is on its way. */
      let untold: PrRow[] = [];
      let readings: { reading: Reading; found: Map<string, PackageRows> }[] = [];
      for (const step of steps) {
        if (step.what === 'commit') {
          const { of, checksum, value } = step.row;
          untold.push(row(of, checksum, value));
          table.push(untold.at(-1)!);
        } else if (step.what === 'tell') {
          known.add(untold);
          untold = [];
        } else if (step.what === 'begin') readings.push({ reading: known.begin(), found: new Map() });
        else if (step.what === 'read') {
          const key = KEYS[step.of]!;
          for (const { found } of readings) found.set(key, look(table, key));
        } else if (step.what === 'keep') {
          for (const { reading, found } of readings) {
            for (const [key, rows] of found) known.keep(reading, key, rows);
            known.end(reading);
          }
          readings = [];
        } else if (step.what === 'others') {
          const { of, checksum, value } = step.row;
          table.push(row(of, checksum, value));
          known.forget();
        } else if (step.what === 'remove') {
          table = table.slice(1);
          untold = untold.filter((each) => table.includes(each));
          known.forget();
        } else known.trim();
        if (untold.length > 0) continue;
        for (const key of KEYS) {
          const rows = known.get(key);
          if (rows) assert.deepEqual(told(rows), told(look(table, key)));
        }
      }
    });
    fc.assert(property, { numRuns: 2000 });
  });

  test('of which only a part is known learn nothing that was read before rows were stored', () => {
    const known = new KnownPackages();
    const key = packageKey(row(0, ''));
    const learn = (reading: Reading, checksum: string) =>
      known.learn(reading, key, (rows) => learnValues(rows, checksum, { smallest: '1', largest: '1' }));
    const early = known.begin();
    known.keep(early, key, { ...noRows(false), max: '7' });
    const late = known.begin();
    known.add([row(0, 'a', '8')]);
    learn(late, 'a');
    assert.equal(knownValues(known.get(key)!, 'a'), undefined);
    assert.equal(known.get(key)!.max, '8');
    learn(known.begin(), 'b');
    assert.deepEqual(knownValues(known.get(key)!, 'b'), { smallest: '1', largest: '1' });
  });

  test('stay within their bytes: the one asked for longest ago is dropped first', () => {
    const known = new KnownPackages(20_000);
    for (let of = 0; of < 6; of++) {
      const reading = known.begin();
      known.keep(reading, packageKey(row(of, '')), noRows());
      known.end(reading);
      for (let n = 0; n < 10; n++) known.add([row(of, `${n}`.repeat(64))]);
    }
    assert.ok(known.bytes > 20_000);
    known.get(packageKey(row(0, '')));
    known.trim();
    assert.ok(known.bytes <= 20_000);
    assert.ok(known.get(packageKey(row(0, ''))), 'asked for last');
    assert.equal(known.get(packageKey(row(1, ''))), undefined);
    known.forget();
    assert.equal(known.bytes, 0);
  });

  test('of which one alone takes a quarter of the memory forget that one', () => {
    const known = new KnownPackages(40_000);
    const reading = known.begin();
    for (const of of [0, 1]) known.keep(reading, packageKey(row(of, '')), noRows());
    known.end(reading);
    for (let n = 0; n < 200; n++) known.add([row(0, `${n}`.padStart(64), `${n}`)]);
    assert.equal(known.get(packageKey(row(0, ''))), undefined);
    assert.ok(known.get(packageKey(row(1, ''))));
  });

  test('count long texts, many values of one checksum and packages without rows as what they cost', () => {
    const known = new KnownPackages();
    const keep = (each: PrRow) => known.keep(known.begin(), packageKey(each), noRows());
    keep(row(0, ''));
    const before = known.bytes;
    known.add([row(0, 'c'.repeat(1024), '9'.repeat(1000))]);
    assert.ok(known.bytes - before >= 2 * 2024);
    known.forget();
    for (let i = 0; i < 1000; i++) keep({ ...row(0, ''), version: `${i}`.repeat(200) });
    assert.ok(known.bytes >= 1000 * (800 + 400));
  });
});

test('values are compared as numbers where they are kept', () => {
  assert.ok(compareRevisions('10', '9') > 0);
  const rows = look([row(0, 'a', '9'), row(0, 'a', '10')], packageKey(row(0, '')));
  assert.deepEqual(knownValues(rows, 'a'), { smallest: '9', largest: '10' });
});
