import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compareRevisions, isCountable } from '../../lib/prserv/revision.ts';
import type { PrRequest } from '../../lib/prserv/store.ts';
import {
  EXTREMES_OF_CHECKSUMS,
  EXTREMES_OF_PACKAGES,
  LARGEST_UNDER,
  readExtremes,
  readSortable,
} from '../../lib/storage/sqlite/pr/queries.ts';
import { withSqlite } from './helpers.ts';
import { opened, PKG } from './pr-opened.ts';

/** A package of so many checksums with the values 0, 1, 2 …, or those of a prefix. */
async function grown(file: string, rows: number, { version, pkgarch } = PKG, prefix = ''): Promise<void> {
  await withSqlite(file, (run) =>
    run(
      `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT ${rows})
       INSERT INTO PRMAIN SELECT ?, ?, printf('%064x', i), ? || i FROM n`,
      [version, pkgarch, prefix],
    ),
  );
}

const asked = (checksum: string, more: Partial<PrRequest> = {}): PrRequest => ({
  ...PKG,
  checksum,
  history: false,
  ...more,
});

/** Digits with zeros in front, numbers beyond what a float or an integer holds, dots anywhere, and other things. */
const value = fc.oneof(
  fc.nat(12).map(String),
  fc.array(fc.stringMatching(/^0{0,2}\d{1,3}$/), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.')),
  fc.bigInt({ min: 0n, max: 10n ** 25n }).map(String),
  fc.constantFrom(
    '9'.repeat(1024),
    '9'.repeat(1025),
    `${'1.'.repeat(511)}1`,
    '-5',
    '',
    '.',
    '1.',
    '.1',
    '1..2',
    '1e3',
    ' 1',
    '5\0',
    '٣',
    '9223372036854775807',
    '9223372036854775808',
  ),
);

describe('what SQL tells of the values of a package', () => {
  test('is what a look at each of them tells, whatever they are', async (t) => {
    const { database } = await opened(t);
    const { maintenance } = database;
    const property = fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), value), { maxLength: 12 }),
      fc.constantFrom('0', '1', '10', '1.0', '007'),
      async (rows, prefix) => {
        await database.writer!.slice(async (connection) => {
          await connection.run('DELETE FROM PRMAIN');
          for (const [checksum, each] of rows)
            await connection.run('INSERT INTO PRMAIN VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING', [
              'v',
              'a',
              checksum,
              each,
            ]);
        });
        const expected = (values: readonly string[]) => {
          const sorted = values.filter(isCountable).sort(compareRevisions);
          return sorted.length === 0 ? null : { smallest: sorted[0]!, largest: sorted.at(-1)! };
        };
        const same = (list: string, values: readonly string[]) => {
          const { known, bad } = readExtremes(list);
          const wanted = expected(values);
          // Values such as 1 and 01 are level: either stands for both.
          assert.equal(known === null, wanted === null);
          if (known && wanted) {
            assert.equal(compareRevisions(known.smallest, wanted.smallest), 0, `${known.smallest} ${wanted.smallest}`);
            assert.equal(compareRevisions(known.largest, wanted.largest), 0, `${known.largest} ${wanted.largest}`);
            for (const each of [known.smallest, known.largest]) assert.ok(values.includes(each), each);
          }
          assert.equal(
            bad !== null,
            values.some((each) => !isCountable(each)),
          );
        };
        const all = rows.map(([, each]) => each);
        const [whole] = await maintenance.all<{ list: string }>(EXTREMES_OF_PACKAGES, ['[["v","a"]]']);
        same(whole!.list, all);
        const keys = ['a', 'b', 'c'];
        const each = await maintenance.all<{ list: string }>(EXTREMES_OF_CHECKSUMS, [
          JSON.stringify(keys.map((checksum) => ['v', 'a', checksum])),
        ]);
        for (const [i, checksum] of keys.entries())
          same(
            each[i]!.list,
            rows.filter(([of]) => of === checksum).map(([, of]) => of),
          );
        const [under] = await maintenance.all<{ sortable: string | null }>(LARGEST_UNDER, [
          JSON.stringify([['v', 'a', prefix]]),
        ]);
        const last = all
          .filter((of) => isCountable(of) && of.slice(0, of.lastIndexOf('.')) === prefix && of.includes('.'))
          .map((of) => BigInt(of.slice(of.lastIndexOf('.') + 1)))
          .reduce<bigint | null>((a, b) => (a === null || b > a ? b : a), null);
        assert.equal(readSortable(under!.sortable), last);
      },
    );
    await fc.assert(property, { numRuns: 150 });
  });
});

describe('a package of very many checksums', () => {
  test('is answered without reading its rows, by get-pr and by every look-up', async (t) => {
    const { store, file, read } = await opened(t);
    await grown(file, 5000);
    const key = (n: number) => n.toString(16).padStart(64, '0');
    assert.deepEqual(await store.getPr([asked('new'), asked(key(7), { history: true }), asked(key(7))]), [
      '5000',
      '7',
      '5001',
    ]);
    assert.deepEqual(await store.maxima(Array.from({ length: 256 }, () => PKG)), Array(256).fill('5001'));
    assert.deepEqual(await store.values([asked(key(7)), asked('none'), asked(key(8))]), [['7', '5001'], [], ['8']]);
    assert.ok(read.characters < 30_000, `${read.characters} characters were read`);
  });

  test('is asked for once, however many ask for it at once', async (t) => {
    const { store, file, read } = await opened(t);
    await grown(file, 300);
    await store.maxima([PKG]);
    read.statements = 0;
    read.characters = 0;
    await Promise.all(Array.from({ length: 200 }, () => store.maxima([PKG, PKG])));
    await Promise.all(Array.from({ length: 200 }, () => store.values([asked('x'), asked('x')])));
    assert.ok(read.statements <= 10, `${read.statements} statements`);
    assert.ok(read.characters < 2000, `${read.characters} characters`);
  });

  test('is read once for all that is asked of it later, until somebody else writes', async (t) => {
    const { store, file, read } = await opened(t);
    await grown(file, 1000);
    assert.deepEqual(await store.getPr([asked('a')]), ['1000']);
    read.statements = 0;
    assert.deepEqual(await store.getPr([asked('a')]), ['1000']);
    assert.equal(read.statements, 1, 'whether somebody else has written is all that is asked');
    await grown(file, 1, { ...PKG, version: 'other' });
    assert.deepEqual(await store.getPr([asked('b'), asked('a')]), ['1001', '1002']);
  });

  test('gives the values a package with few gives, under an upstream too', async (t) => {
    const large = await opened(t);
    const small = await opened(t);
    await grown(large.file, 400, PKG, '3.');
    await withSqlite(small.file, (run) =>
      run('INSERT INTO PRMAIN VALUES (?, ?, ?, ?), (?, ?, ?, ?)', [
        ...[PKG.version, PKG.pkgarch, 0n.toString(16).padStart(64, '0'), '3.0'],
        ...[PKG.version, PKG.pkgarch, 399n.toString(16).padStart(64, '0'), '3.399'],
      ]),
    );
    const upstream = fc.oneof(
      fc.constant(undefined),
      fc
        .record({
          kind: fc.constant('answered' as const),
          max: fc.constantFrom('3', '3.399', '4', '3.0'),
          below: fc.constantFrom('', '.0'),
          value: fc.constantFrom(null, '3', '2'),
          away: fc.boolean(),
        })
        .map(({ below, ...view }) => ({ ...view, under: view.max + below })),
      fc.record({
        kind: fc.constant('away' as const),
        heard: fc.constantFrom(undefined, null, { max: '3', under: '3' }, { max: '3.7', under: '3.7.0' }),
      }),
    );
    const request = fc.record({
      checksum: fc.constantFrom('a', 'b', 'c', '0'.repeat(64)),
      history: fc.boolean(),
      upstream,
    });
    const property = fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 6 }), async (requests) => {
      const all = requests.map(
        ({ upstream: view, ...rest }): PrRequest => ({ ...PKG, ...rest, ...(view && { upstream: view }) }),
      );
      assert.deepEqual(await large.store.getPr(all), await small.store.getPr(all));
    });
    await fc.assert(property, { numRuns: 60 });
  });
});
