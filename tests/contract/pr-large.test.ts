import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SILENT } from '../../lib/log.ts';
import { compareRevisions, isCountable } from '../../lib/prserv/revision.ts';
import type { PrRequest, PrRow, PrStore } from '../../lib/prserv/store.ts';
import type { Binding } from '../../lib/storage/sqlite/engine/binding.ts';
import type { Database } from '../../lib/storage/sqlite/engine/database.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createPackageCache, noRows, packageKey } from '../../lib/storage/sqlite/pr/package-cache.ts';
import {
  EXTREMES_OF_CHECKSUMS,
  EXTREMES_OF_PACKAGES,
  LARGEST_UNDER,
  readExtremes,
  readSortable,
} from '../../lib/storage/sqlite/pr/queries.ts';
import { createPrStore } from '../../lib/storage/sqlite/pr/store.ts';
import { type Running, temporaryFolder, withSqlite } from './helpers.ts';

const PKG = { version: 'pkg-1.0-r0', pkgarch: 'core2-64' };

interface Opened {
  readonly store: PrStore;
  readonly database: Database;
  readonly file: string;
  /** Characters of what was read of the database, and the statements that read it. */
  readonly read: { characters: number; statements: number };
}

async function opened(t: Running, file = path.join(temporaryFolder(t), 'pr.db')): Promise<Opened> {
  const onFatal = (error: Error) => assert.fail(error);
  const sync = { kind: 'on_shutdown' } as const;
  const real = await openDatabase({ file, readOnly: false, init: false, syncMode: sync, log: SILENT, onFatal });
  t.after(() => real.close(1000));
  const read = { characters: 0, statements: 0 };
  const ours = new Map<Binding, Binding>();
  const count = (binding: Binding): Binding => ({
    ...binding,
    async all<Row>(sql: string, params?: readonly (string | number | null)[]) {
      const rows = await binding.all<Row>(sql, params);
      read.characters += JSON.stringify(rows).length;
      read.statements++;
      return rows;
    },
  });
  // The same for the same connection: the store knows the one it has looked at by what it is.
  const counted = (binding: Binding) => {
    if (!ours.has(binding)) ours.set(binding, count(binding));
    return ours.get(binding)!;
  };
  const database: Database = {
    ...real,
    reads: counted(real.reads),
    writer: {
      ...real.writer!,
      submit: (kind, ops, bytes) => {
        const { applyAlone } = kind;
        const alone = applyAlone && { applyAlone: (on: Binding, all: typeof ops) => applyAlone(counted(on), all) };
        return real.writer!.submit({ apply: (on, all) => kind.apply(counted(on), all), ...alone }, ops, bytes);
      },
    },
  };
  return { store: await createPrStore(database, SILENT), database, file, read };
}

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

describe('the package cache', () => {
  const row = (i: number, checksum: string, of = '1'): PrRow => ({
    version: `v${i}`,
    pkgarch: 'a',
    checksum,
    value: of,
  });

  test('stays within its bytes by dropping the package that was asked for longest ago', () => {
    const cache = createPackageCache(20_000);
    const filled = (i: number) => {
      cache.set(packageKey(row(i, '')), noRows());
      for (let n = 0; n < 10; n++) cache.add(row(i, `${n}`.repeat(64)));
    };
    for (let i = 0; i < 6; i++) filled(i);
    assert.ok(cache.bytes > 20_000);
    cache.get(packageKey(row(0, '')));
    cache.trim();
    assert.ok(cache.bytes <= 20_000);
    assert.ok(cache.has(packageKey(row(0, ''))), 'asked for last');
    assert.ok(!cache.has(packageKey(row(1, ''))));
    cache.clear();
    assert.equal(cache.bytes, 0);
  });

  test('counts long texts, many values of one checksum and packages without rows as what they cost', () => {
    const long = createPackageCache();
    long.set(packageKey(row(0, '')), noRows());
    const before = long.bytes;
    long.add(row(0, 'c'.repeat(1024), '9'.repeat(1000)));
    assert.ok(long.bytes - before >= 2 * 2024);
    const empty = createPackageCache();
    for (let i = 0; i < 1000; i++) empty.set(packageKey({ version: `${i}`.repeat(200), pkgarch: 'a' }), noRows());
    assert.ok(empty.bytes >= 1000 * (800 + 400));
  });
});
