import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Binding, openBinding } from '../../lib/storage/sqlite/engine/binding.ts';
import type { Read } from '../../lib/storage/sqlite/transfer/tables.ts';
import { nextRows, readTexts } from '../../lib/storage/sqlite/transfer/text-rows.ts';

const QUERY = { table: 't', columns: ['a', 'b'], bytes: 'coalesce(octet_length(a), 0)', condition: 'id <> 3' };

async function tableOf(rows: readonly (readonly (string | null)[])[], t: { after(end: () => Promise<void>): void }) {
  const connection = await openBinding(':memory:', 'create');
  t.after(() => connection.close());
  await connection.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT)');
  for (const row of rows) await connection.run('INSERT INTO t (a, b) VALUES (?, ?)', row);
  return { connection, read: reading(connection) };
}
const reading =
  (connection: Binding): Read =>
  (sql, params) =>
    connection.all<never>(sql, params);

const value = fc.option(fc.string({ unit: 'binary', maxLength: 8 }).filter((text) => !text.includes('\ufffd')));

describe('rows of texts', () => {
  test('come as they were stored, in their order, in pages that end where asked', async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(value, value), { maxLength: 12 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(20),
        async (rows, most, bytes) => {
          const { connection, read } = await tableOf(rows, { after: () => {} });
          const got: (string | null)[][] = [];
          for (let after = 0; ; ) {
            const next = await nextRows(read, QUERY, after, { rows: most, bytes });
            if (!next) break;
            const texts = (await readTexts(read, QUERY, after, next))!;
            const size = texts.reduce((sum, [a]) => sum + Buffer.byteLength(a ?? ''), 0);
            assert.ok(texts.length === 1 || (texts.length <= most && size <= bytes));
            got.push(...texts);
            if (!next.more) break;
            after = next.last;
          }
          assert.deepEqual(
            got,
            rows.filter((_, i) => i !== 2),
          );
          await connection.close();
        },
      ),
      { numRuns: 60 },
    );
    // What JSON and SQLite might each take for something else.
    const odd = ['\0', 'a\0b', '"', '\\u0000', '\u2028', '😀', '1', 'null', '', '[1]'];
    const { read } = await tableOf([['x', null], ['x', null], ['x', null], ...odd.map((each) => [each, each])], t);
    const next = await nextRows(read, QUERY, 3, { rows: 100, bytes: 1000 });
    assert.deepEqual(
      await readTexts(read, QUERY, 3, next!),
      odd.map((each) => [each, each]),
    );
  });

  for (const [what, sql] of [
    ['a blob', "x'6162'"],
    ['no UTF-8', "CAST(x'ff61' AS TEXT)"],
    ['a text that was no UTF-8 once', 'char(0xfffd)'],
  ])
    test(`are read one by one where one is ${what}`, async (t) => {
      const { connection, read } = await tableOf([['a', 'b']], t);
      await connection.exec(`INSERT INTO t (a, b) VALUES (${sql}, 'b')`);
      const next = await nextRows(read, QUERY, 0, { rows: 10, bytes: 1000 });
      assert.equal(next?.count, 2);
      assert.equal(await readTexts(read, QUERY, 0, next), null);
    });

  test('are read one by one where one is a number, or very long, or has gone meanwhile', async (t) => {
    const { connection, read } = await tableOf([['a', 'b']], t);
    const next = (await nextRows(read, QUERY, 0, { rows: 10, bytes: 1000 }))!;
    assert.equal(await readTexts(read, QUERY, 0, { ...next, bytes: 17 * 1024 * 1024 }), null);
    await connection.exec('DELETE FROM t');
    assert.equal(await readTexts(read, QUERY, 0, next), null);
    await connection.exec('CREATE TABLE n (a, b); INSERT INTO n VALUES (1, 2.5)');
    const numbers = { ...QUERY, table: 'n', condition: 'true' };
    assert.equal(await readTexts(read, numbers, 0, { ...next, last: 1 }), null);
  });
});
