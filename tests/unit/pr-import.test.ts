import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Importing, PlacedRow } from '../../lib/cli/prclient/importing.ts';
import { storeTogether } from '../../lib/cli/prclient/together.ts';
import { InvokeError } from '../../lib/errors.ts';
import type { PrClient, PrImportReply } from '../../lib/prserv/client.ts';
import { newestRows } from '../../lib/prserv/files/newest.ts';
import type { PrRow } from '../../lib/prserv/store.ts';

const rowOf = (checksum: string, value = '1'): PrRow => ({ version: 'v', pkgarch: 'a', checksum, value });
const placed = (rows: readonly PrRow[]): PlacedRow[] => rows.map((row, i) => ({ row, place: `line ${i + 1}` }));

/** A server that stores all rows of a request or none, and keeps what it was asked. */
function fakeServer(refuses: (row: PrRow) => boolean, failsAfter = Number.POSITIVE_INFINITY) {
  const stored: PrRow[] = [];
  const asked: { check: boolean; count: number }[] = [];
  const importRows = async (rows: readonly PrRow[], check = false): Promise<PrImportReply> => {
    asked.push({ check, count: rows.length });
    const refused = rows.flatMap((row, i) => (refuses(row) ? [{ row: i, message: 'bad' }] : []));
    if (refused.length > 0 || check) return { stored: 0, present: 0, refused };
    if (stored.length >= failsAfter) throw new InvokeError('storage full');
    stored.push(...rows);
    return { stored: rows.length, present: 0, refused };
  };
  return { stored, asked, server: { importRows } as unknown as PrClient };
}

function importing(keepGoing = false) {
  const said: string[] = [];
  const totals = { stored: 0, present: 0, refused: 0 };
  const into: Importing = {
    keepGoing,
    totals,
    refuse(place, message) {
      totals.refused++;
      said.push(`${place}: ${message}`);
    },
    note: (text) => said.push(text),
    add() {},
  };
  return { into, totals, said };
}

test('rows that fit into one transaction are one', async () => {
  const { server, stored, asked } = fakeServer(() => false);
  const { into, totals } = importing();
  await storeTogether(server, placed([rowOf('a'), rowOf('b')]), into);
  assert.deepEqual(asked, [{ check: false, count: 2 }]);
  assert.deepEqual([stored.length, totals], [2, { stored: 2, present: 0, refused: 0 }]);
});

test('of more rows than fit into one, all are looked at before the first is stored', async () => {
  const rows = placed(Array.from({ length: 120_000 }, (_, i) => rowOf(`c${i}`)));
  const { server, stored, asked } = fakeServer(({ checksum }) => checksum === 'c119999');
  await assert.rejects(
    storeTogether(server, rows, importing().into),
    /the server refuses 1 rows: nothing was imported/,
  );
  assert.equal(stored.length, 0);
  assert.ok(asked.every(({ check }) => check));
  const { into, said } = importing(true);
  await storeTogether(server, rows, into);
  assert.equal(stored.length, 119_999);
  assert.deepEqual(said, ['line 120000: bad']);
});

test('no request is longer than a server takes, whatever the texts', async () => {
  const rows = placed(Array.from({ length: 8000 }, (_, i) => rowOf(`${'é"'.repeat(500)}${i}`)));
  const { server, asked } = fakeServer(() => false);
  await storeTogether(server, rows, importing().into);
  const longest = Math.max(...asked.map(({ count }) => count)) * (500 * 2 * 6 + 40);
  assert.ok(longest < 16 * 1024 * 1024, `${longest} bytes`);
});

test('an import that fails between two transactions says how much is stored', async () => {
  const rows = placed(Array.from({ length: 60_000 }, (_, i) => rowOf(`c${i}`)));
  const { server } = fakeServer(() => false, 50_000);
  const { into, said } = importing();
  await assert.rejects(storeTogether(server, rows, into), /storage full/);
  assert.deepEqual(said, ['50000 rows were stored before that; import again, rows that are there stay as they are']);
});

test('for any rows the newest of each package is the largest by number, and packages keep their order', () => {
  const row = fc.record({
    version: fc.constantFrom('p', 'q'),
    pkgarch: fc.constantFrom('x', 'y'),
    checksum: fc.string({ maxLength: 2 }),
    value: fc.nat({ max: 120 }).map(String),
  });
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      const newest = newestRows(rows);
      const keyOf = ({ version, pkgarch }: PrRow) => `${version} ${pkgarch}`;
      assert.deepEqual(newest.map(keyOf), [...new Set(rows.map(keyOf))]);
      for (const each of newest) {
        const values = rows.filter((other) => keyOf(other) === keyOf(each)).map(({ value }) => Number(value));
        assert.equal(Number(each.value), Math.max(...values));
      }
    }),
  );
});
