import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FoundPage, HashStore, RowSearch, RowValues, SearchLimits } from '../../lib/hashserv/store.ts';
import { type HashDatabases, hash, METHOD } from './helpers.ts';

const CREATED = '2026-11-21T12:00:00.000000+00:00';
const report = (task: number, out: number, PN: string | null = 'busybox', siginfo: string | null = null): RowValues => [
  METHOD,
  hash(task),
  hash(out),
  CREATED,
  null,
  PN,
  '1.0',
  'r0',
  'do_compile',
  siginfo,
];

/** Every page of a search, as the texts of one column. */
async function pages(store: HashStore, search: RowSearch, column: number, limits: Partial<SearchLimits> = {}) {
  const found: string[][] = [];
  for (let after: string | null = null; ; ) {
    const page: FoundPage = await store.findRows(search, after, { rows: 3, bytes: 1 << 24, brief: false, ...limits });
    found.push(page.rows.map((row) => row[column] ?? 'null'));
    if (page.next === null) return found;
    after = page.next;
  }
}

/** What every engine promises of rows that are looked for. */
export function hashSearchContract(name: string, { openNew }: HashDatabases): void {
  describe(`${name} finds rows`, () => {
    test('by unihash, in the order of the keys, each once, however large a page is', async (t) => {
      const store = await openNew(t);
      const tasks = Array.from({ length: 20 }, (_, n): RowValues => [METHOD, hash(n), hash(100 + (n % 3))]);
      await store.importRows('unihashes', [...tasks, ['other', hash(0), hash(100)]]);
      const of = (rest: number) => tasks.filter((_, n) => n % 3 === rest).map((row) => row[1]!);
      const search = { table: 'unihashes', by: 'unihash', keys: [102, 777, 100].map(hash) } as const;
      for (const rows of [1, 2, 3, 7, 50]) {
        const found = await pages(store, search, 1, { rows });
        assert.deepEqual(found.flat(), [...of(2), ...of(0), hash(0)]);
        assert.ok(found.every((page) => page.length <= rows));
      }
      assert.deepEqual(await pages(store, { ...search, keys: [] }, 1), [[]]);
    });

    test('by task, also those whose names hold anything, with all reports of each', async (t) => {
      const store = await openNew(t);
      const odd = 'a b%_*?\'"\\é';
      await store.importRows('unihashes', [
        [METHOD, hash(1), hash(100)],
        [METHOD, odd, hash(101)],
        ['other', hash(1), hash(102)],
      ]);
      await store.importRows('outhashes', [
        ...[3, 1, 2, 4].map((out) => report(1, out)),
        report(2, 9),
        report(2, 8).with(1, odd),
      ]);
      const keys = [
        [METHOD, odd],
        [METHOD, hash(1)],
        [METHOD, 'none'],
      ] as const;
      for (const rows of [1, 2, 10]) {
        const unihashes = await pages(store, { table: 'unihashes', by: 'task', keys }, 2, { rows });
        assert.deepEqual(unihashes.flat(), [hash(101), hash(100)]);
        const outhashes = await pages(store, { table: 'outhashes', by: 'task', keys }, 2, { rows });
        assert.deepEqual(outhashes.flat(), [hash(8), ...[1, 2, 3, 4].map(hash).sort()]);
      }
    });

    test('by recipe, by its whole name, in pages that may be empty', async (t) => {
      const store = await openNew(t);
      const recipes = ['busybox', 'bash', 'busy*', null];
      await store.importRows(
        'outhashes',
        Array.from({ length: 12 }, (_, n) => report(n, n, recipes[n % 4]!)),
      );
      const by = (...keys: string[]) => pages(store, { table: 'outhashes', by: 'PN', keys }, 1, { rows: 2 });
      assert.deepEqual((await by('busybox', 'bash')).flat(), [0, 1, 4, 5, 8, 9].map(hash));
      assert.deepEqual((await by('busy*')).flat(), [2, 6, 10].map(hash));
      assert.deepEqual((await by('busy')).flat(), []);
    });

    test('whole, or without what is long; a page stops growing before it is too large', async (t) => {
      const store = await openNew(t);
      await store.importRows(
        'outhashes',
        [1, 2, 3].map((n) => report(1, n, 'busybox', 'x'.repeat(5000))),
      );
      const search = { table: 'outhashes', by: 'task', keys: [[METHOD, hash(1)]] } as const;
      const large = await pages(store, search, 9, { bytes: 8000 });
      assert.deepEqual(
        large.map((page) => page.map((text) => text.length)),
        [[5000], [5000], [5000]],
      );
      assert.deepEqual(await pages(store, search, 9, { bytes: 8000, brief: true }), [['null', 'null', 'null'], []]);
      const [whole] = (await store.findRows(search, null, { rows: 1, bytes: 8000, brief: false })).rows;
      assert.deepEqual(whole, report(1, 1, 'busybox', 'x'.repeat(5000)));
    });

    test('not from a place that no page has given', async (t) => {
      const store = await openNew(t);
      const limits = { rows: 3, bytes: 1000, brief: true };
      const search = { table: 'unihashes', by: 'unihash', keys: [hash(1)] } as const;
      for (const after of ['', 'x', '1:5', '0:', '0:x', '-1:5', '0:1e400'])
        await assert.rejects(store.findRows(search, after, limits), /after is not from a page of this search/);
      await assert.rejects(
        store.findRows({ table: 'outhashes', by: 'PN', keys: ['a'] }, '0:1', limits),
        /after is not from a page/,
      );
    });
  });
}
