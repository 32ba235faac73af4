import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SILENT } from '../../lib/log.ts';
import { KnownUnihashes } from '../../lib/storage/memory/known-unihashes.ts';
import { RowBytes } from '../../lib/storage/memory/row-bytes.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createHashStore } from '../../lib/storage/sqlite/hash/store.ts';
import { createRowSource } from '../../lib/storage/sqlite/hash/unihash-rows.ts';
import { hash, temporaryFolder } from './helpers.ts';

const MIB = 1024 * 1024;
const HEX = /^[0-9a-f]{64}$/;

/** A text, or the same bytes as a blob. */
interface Value {
  readonly text: string;
  readonly isBlob: boolean;
}

const textual = (text: fc.Arbitrary<string>): fc.Arbitrary<Value> =>
  fc.record({ text, isBlob: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)) });
const method = textual(
  fc.constantFrom(
    'oe.sstatesig.OEOuthashBasic',
    'm',
    '7',
    '12 m',
    'n',
    't',
    'é',
    'a b',
    '',
    'm\n',
    'm\0',
    '0'.repeat(300),
  ),
);
const hashes = textual(
  fc.oneof(
    { weight: 6, arbitrary: fc.nat(40).map(hash) },
    fc.constantFrom(
      '',
      't1',
      hash(1).toUpperCase(),
      `${hash(2)}0`,
      hash(3).slice(1),
      `${hash(4)}\0x`,
      `${'0'.repeat(63)}\n`,
    ),
    fc.constantFrom('é'.repeat(32), 'g'.repeat(64), `${hash(5).slice(1)}A`, `${hash(6).slice(1)}\0`),
  ),
);
const row = fc.record({ method, taskhash: hashes, unihash: hashes });

const isHash = ({ text, isBlob }: Value) => !isBlob && HEX.test(text);
const isForMemory = (each: { method: Value; taskhash: Value; unihash: Value }) =>
  !each.method.isBlob && /^[!-~]{1,256}$/.test(each.method.text) && isHash(each.taskhash) && isHash(each.unihash);

const asSql = ({ text, isBlob }: Value) => {
  const bytes = `x'${Buffer.from(text).toString('hex')}'`;
  return isBlob ? bytes : `CAST(${bytes} AS TEXT)`;
};

/** Adds all rows, a few at a time. */
function added(memory: KnownUnihashes, bytes: Buffer, atOnce: number): RowBytes {
  const rows = new RowBytes(bytes);
  while (!rows.isAtEnd) rows.addTo(memory, atOnce);
  return rows;
}

describe('rows read into memory', () => {
  test('are those of the file that have its form, and of the others it is known what they might hide', async (t) => {
    const file = path.join(temporaryFolder(t), 'rows.db');
    const onFatal = (error: Error) => assert.fail(error);
    const rest = { readOnly: false, init: false, syncMode: { kind: 'on_shutdown' }, log: SILENT, onFatal } as const;
    const database = await openDatabase({ file, ...rest });
    t.after(() => database.close(1000));
    await createHashStore({ database, cacheBytes: 0, log: SILENT });
    const source = createRowSource(database);
    const property = fc.asyncProperty(
      fc.array(row, { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      async (all, atOnce) => {
        const rows = [...new Map(all.map((each) => [`${asSql(each.method)} ${asSql(each.taskhash)}`, each])).values()];
        await database.writer!.slice(async (connection) => {
          await connection.run('DELETE FROM unihashes_v3');
          for (const { method, taskhash, unihash } of rows)
            await connection.run(`INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark)
            VALUES (${[method, taskhash, unihash].map(asSql).join(', ')}, '')`);
        });
        const { first, last } = await source.ids();
        for (const slice of [await source.older(last + 1), await source.newer(first - 1)]) {
          if (rows.length === 0) {
            assert.equal(slice, null);
            continue;
          }
          assert.deepEqual([slice!.first, slice!.last], [first, last]);
          const memory = new KnownUnihashes(8 * MIB);
          const { others, hasStrayTasks, hasStrayUnihashes } = added(memory, slice!.rows, atOnce);
          const known = rows.filter(isForMemory);
          assert.equal(memory.rows, known.length);
          for (const each of known)
            assert.equal(memory.get(`${each.method.text} ${each.taskhash.text}`), each.unihash.text);
          const strays = rows.filter((each) => !isForMemory(each));
          assert.equal(others, strays.length);
          assert.equal(
            hasStrayUnihashes,
            strays.some(({ unihash }) => isHash(unihash)),
          );
          // With a method that no line can name a task is no stray, but one with a blob for a method counts as one.
          const hidden = strays.some((each) => isHash(each.taskhash) && !isHash(each.unihash));
          assert.ok(hasStrayTasks || !hidden);
        }
      },
    );
    await fc.assert(property, { numRuns: 150 });
  });

  test('are none where the bytes are cut off, or are something else', () => {
    const bytes = Buffer.from(`1 m${hash(1)}${hash(2)}tub2 ab${hash(3)}${hash(4)}n`);
    const whole = added(new KnownUnihashes(8 * MIB), bytes, 2);
    assert.deepEqual([whole.others, whole.hasStrayTasks, whole.hasStrayUnihashes], [4, true, true]);
    const ends = new Set([0, 131, 132, 133, 134, 266, 267]);
    for (let end = 0; end < bytes.length; end++) {
      const memory = new KnownUnihashes(8 * MIB);
      const read = () => added(memory, bytes.subarray(0, end), 2);
      if (ends.has(end)) read();
      else assert.throws(read, /rows were read that are none/, String(end));
      assert.equal(memory.rows, end < 131 ? 0 : end < 266 ? 1 : 2);
    }
    for (const text of ['x', ' ', '5', `m${hash(1)}${hash(2)}`, `999 m${hash(1)}${hash(2)}`])
      assert.throws(() => added(new KnownUnihashes(8 * MIB), Buffer.from(text), 1), /rows were read that are none/);
  });

  test('come in slices of less than 256 KiB, as memory that larger ones took would not be given back', async (t) => {
    const file = path.join(temporaryFolder(t), 'slices.db');
    const onFatal = (error: Error) => assert.fail(error);
    const rest = { readOnly: false, init: false, syncMode: { kind: 'on_shutdown' }, log: SILENT, onFatal } as const;
    const database = await openDatabase({ file, ...rest });
    t.after(() => database.close(1000));
    await createHashStore({ database, cacheBytes: 0, log: SILENT });
    const method = 'oe.sstatesig.OEOuthashBasic.of.a.layer';
    await database.writer!.slice((connection) =>
      connection.run(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
      INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark)
      SELECT '${method}', format('%064x', i), format('%064x', i), '' FROM n`),
    );
    const source = createRowSource(database);
    let rows = 0;
    for (let before = 3001; ; ) {
      const slice = await source.older(before);
      if (!slice) break;
      assert.ok(slice.rows.length < 256 * 1024, `${slice.rows.length} bytes`);
      rows += slice.count;
      before = slice.first;
    }
    assert.equal(rows, 3000);
  });
});
