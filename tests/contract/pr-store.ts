import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InvokeError } from '../../lib/errors.ts';
import type { PrRow, PrStore } from '../../lib/prserv/store.ts';
import type { PrEngine, Running } from './helpers.ts';
import { prFindContract } from './pr-find.ts';

const PKG = { version: 'pkg-1.0-r0', pkgarch: 'core2-64' };
const ANY = { version: null, pkgarch: null, checksum: null };

/** The promises of lib/prserv/store.ts, asked of an engine. */
export function prStoreContract(name: string, engine: PrEngine): void {
  let databases = 0;
  const newName = () => `pr-${databases++}`;
  const openNew = async (t: Running, on = newName()): Promise<PrStore> => {
    const { store, close } = await engine.open(on);
    t.after(close);
    return store;
  };
  const ask = async (store: PrStore, checksum: string, history = false) =>
    (await store.getPr([{ ...PKG, checksum, history }]))[0]!;

  prFindContract(name, openNew);

  describe(`${name} keeps PR values`, () => {
    test('an unknown package, checksum or value is null or nothing', async (t) => {
      const store = await openNew(t);
      assert.deepEqual(await store.values([{ ...PKG, checksum: 'c' }]), [[]]);
      assert.deepEqual(await store.maxima([PKG]), [null]);
      assert.deepEqual(await store.page(ANY, null, 10), []);
    });

    test('0 to 12 for thirteen checksums, then the checksum of 9 again: 13 without history, 9 with', async (t) => {
      const store = await openNew(t);
      for (let n = 0; n <= 12; n++) assert.equal(await ask(store, `c${n}`), String(n));
      assert.equal(await ask(store, 'c9', true), '9');
      assert.equal(await ask(store, 'c9'), '13');
      assert.equal(await ask(store, 'c9'), '13');
      assert.deepEqual(await store.maxima([PKG]), ['13']);
      assert.deepEqual([...(await store.values([{ ...PKG, checksum: 'c9' }]))[0]!].sort(), ['13', '9']);
    });

    test('requests of one batch see each other, in order', async (t) => {
      const store = await openNew(t);
      const asked = ['a', 'b', 'a', 'c', 'b'].map((checksum) => ({ ...PKG, checksum, history: false }));
      assert.deepEqual(await store.getPr(asked), ['0', '1', '2', '3', '4']);
      const kept = ['a', 'b', 'd', 'd'].map((checksum) => ({ ...PKG, checksum, history: true }));
      assert.deepEqual(await store.getPr(kept), ['0', '1', '5', '5']);
    });

    test('a value of the upstream does not hide larger ones under the same prefix from the rest of the batch', async (t) => {
      const store = await openNew(t);
      await store.importRows([
        { ...PKG, checksum: 'l3', value: '1.3' },
        { ...PKG, checksum: 'l7', value: '1.7' },
      ]);
      const request = (checksum: string, value: string | null) =>
        ({
          ...PKG,
          checksum,
          history: false,
          upstream: { kind: 'answered', max: '1', under: '1', value, away: false },
        }) as const;
      assert.deepEqual(await store.getPr([request('up', '1.2'), request('new', null)]), ['1.2', '1.8']);
    });

    test('packages are apart from each other', async (t) => {
      const store = await openNew(t);
      const asked = [PKG, { ...PKG, pkgarch: 'all' }, { ...PKG, version: 'other' }, PKG];
      const values = await store.getPr(asked.map((key, i) => ({ ...key, checksum: `c${i}`, history: false })));
      assert.deepEqual(values, ['0', '0', '0', '1']);
      assert.deepEqual(await store.maxima([PKG, { ...PKG, version: 'none' }, { ...PKG, pkgarch: 'all' }]), [
        '1',
        null,
        '0',
      ]);
    });

    test('values asked between imports count on from them', async (t) => {
      const store = await openNew(t);
      assert.equal(await ask(store, 'a'), '0');
      await store.importRows([{ ...PKG, checksum: 'b', value: '10' }]);
      assert.equal(await ask(store, 'c'), '11');
      await store.importRows([{ ...PKG, checksum: 'd', value: '2.7' }]);
      assert.equal(await ask(store, 'e'), '12');
      assert.equal(await ask(store, 'a'), '13');
    });

    for (const value of ['999999999', '999999999999999', '9007199254740991', '9'.repeat(100)]) {
      test(`after ${value.slice(0, 20)} (${value.length} digits) each value is one more, by whichever server it is given`, async (t) => {
        const on = newName();
        const stores = [await openNew(t, on), await openNew(t, on)];
        await stores[0]!.importRows([{ ...PKG, checksum: 'old', value }]);
        for (let n = 1n; n <= 6n; n++)
          assert.equal(await ask(stores[Number(n) % 2]!, `c${n}`), String(BigInt(value) + n));
        assert.deepEqual(await stores[0]!.maxima([PKG]), [String(BigInt(value) + 6n)]);
        assert.equal(await ask(stores[0]!, 'c3', true), String(BigInt(value) + 3n));
      });
    }

    test('values under an upstream’s are counted exactly too', async (t) => {
      const on = newName();
      const stores = [await openNew(t, on), await openNew(t, on)];
      await stores[0]!.importRows([{ ...PKG, checksum: 'old', value: '3.999999999999999' }]);
      const upstream = { kind: 'answered', max: '3', under: '3', value: null, away: false } as const;
      const values = [];
      for (let n = 0; n < 4; n++)
        values.push(...(await stores[n % 2]!.getPr([{ ...PKG, checksum: `c${n}`, history: false, upstream }])));
      assert.deepEqual(
        values,
        [0n, 1n, 2n, 3n].map((n) => `3.${1000000000000000n + n}`),
      );
    });

    test('where no next value can be counted on from, the request is refused by name, and no other', async (t) => {
      const store = await openNew(t);
      const longest = '9'.repeat(1024);
      await store.importRows([{ ...PKG, checksum: 'old', value: longest }]);
      const other = { ...PKG, version: 'other-1.0-r0', checksum: 'c', history: false };
      for (const checksum of ['new', 'newer']) {
        const [refused, known, beside] = await store.getPr([
          { ...PKG, checksum, history: false },
          { ...PKG, checksum: 'old', history: false },
          other,
        ]);
        assert.ok(refused instanceof InvokeError);
        assert.match(refused.message, /the next value of pkg-1\.0-r0 core2-64 would be 10{39}… \(1025 characters\)/);
        assert.deepEqual([known, beside], [longest, '0']);
      }
      assert.deepEqual(await store.values([{ ...PKG, checksum: 'new' }]), [[]]);
    });

    test('a row imported twice is there once', async (t) => {
      const store = await openNew(t);
      const row = { ...PKG, checksum: 'a', value: '3' };
      await store.importRows([row, row]);
      await store.importRows([row]);
      assert.deepEqual(await store.page(ANY, null, 10), [row]);
    });

    test('pages follow each other without a gap or a row twice, and filters hold', async (t) => {
      const store = await openNew(t);
      const rows: PrRow[] = ['v1', 'v2'].flatMap((version) =>
        ['a1', 'a2'].flatMap((pkgarch) =>
          ['c1', 'c2'].flatMap((checksum) => ['1', '10', '9'].map((value) => ({ version, pkgarch, checksum, value }))),
        ),
      );
      await store.importRows([...rows].reverse());
      const paged: PrRow[] = [];
      for (let page = await store.page(ANY, null, 5); page.length > 0; page = await store.page(ANY, paged.at(-1)!, 5))
        paged.push(...page);
      assert.deepEqual(paged, rows);
      for (const column of ['version', 'pkgarch', 'checksum'] as const) {
        const wanted = rows[0]![column];
        const expected = rows.filter((row) => row[column] === wanted);
        assert.deepEqual(await store.page({ ...ANY, [column]: wanted }, null, 100), expected);
      }
    });

    test('its columns are those BitBake’s table has', async (t) => {
      const store = await openNew(t);
      assert.deepEqual(
        (await store.columns()).map(({ name, type, notnull, pk }) => [name, type, notnull, pk]),
        [
          ['version', 'TEXT', 1, 1],
          ['pkgarch', 'TEXT', 1, 2],
          ['checksum', 'TEXT', 1, 3],
          ['value', 'TEXT', 0, 4],
        ],
      );
    });

    test('two servers on one database give no value twice and skip none', async (t) => {
      const on = newName();
      const stores = [await openNew(t, on), await openNew(t, on)];
      const values = await Promise.all(
        Array.from({ length: 100 }, (_, i) => ask(stores[i % 2]!, `fresh${i}`, i % 3 === 0)),
      );
      assert.deepEqual(
        values.map(Number).sort((a, b) => a - b),
        Array.from({ length: 100 }, (_, i) => i),
      );
    });

    test('what one server knows by heart is not answered once another has gone beyond: a PR never goes back', async (t) => {
      const on = newName();
      const [ours, other] = [await openNew(t, on), await openNew(t, on)];
      assert.equal(await ask(ours, 'a'), '0');
      assert.equal(await ask(ours, 'a'), '0');
      assert.equal(await ask(other, 'b'), '1');
      assert.equal(await ask(ours, 'a'), '2');
      assert.equal(await ask(other, 'b'), '3');
      assert.equal(await ask(ours, 'a', true), '0');
    });

    test('a database opened again counts on', async (t) => {
      const on = newName();
      const once = await engine.open(on);
      assert.equal(await ask(once.store, 'a'), '0');
      await once.close();
      const store = await openNew(t, on);
      assert.equal(await ask(store, 'b'), '1');
      assert.equal(await ask(store, 'a', true), '0');
    });

    test('a read-only store answers by the same rule and stores nothing', async (t) => {
      const on = newName();
      const writable = await openNew(t, on);
      await ask(writable, 'a');
      const { store, close } = await engine.open(on, { readOnly: true });
      t.after(close);
      assert.equal(store.readOnly, true);
      const asked = ['new', 'newer', 'a'].map((checksum) => ({ ...PKG, checksum, history: false }));
      assert.deepEqual(await store.getPr(asked), ['1', '1', '0']);
      assert.equal((await store.page(ANY, null, 10)).length, 1);
      assert.equal(await ask(writable, 'b'), '1');
      assert.equal(await ask(store, 'b'), '1');
    });

    test('a store that writes answers a peek by the same rule too, and stores nothing', async (t) => {
      const store = await openNew(t);
      await ask(store, 'a');
      const asked = ['new', 'newer', 'a'].map((checksum) => ({ ...PKG, checksum, history: false }));
      assert.deepEqual(await store.peekPr(asked), ['1', '1', '0']);
      assert.equal((await store.page(ANY, null, 10)).length, 1);
      assert.equal(await ask(store, 'b'), '1');
      assert.deepEqual(await store.peekPr(asked), ['2', '2', '2']);
      assert.equal((await store.page(ANY, null, 10)).length, 2);
    });
  });
}
