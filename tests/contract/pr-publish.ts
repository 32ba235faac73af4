import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConflictError, type PrPull, previewPrs, publishPrs } from '../../lib/prserv/pull/publish.ts';
import type { OnConflict } from '../../lib/prserv/pull/rules.ts';
import type { PrRow, PrStore } from '../../lib/prserv/store.ts';
import { openPrSpool } from '../../lib/storage/sqlite/pr/spool.ts';
import type { PrEngine, Running } from './helpers.ts';

const ANY = { version: null, pkgarch: null, checksum: null };
const FOREVER = new AbortController().signal;

/** Rows from `version checksum:value …`, for one architecture. */
const rows = (...packages: string[]): PrRow[] =>
  packages.flatMap((text) => {
    const [version, ...values] = text.split(' ') as [string, ...string[]];
    return values.map((each) => {
      const [checksum, value] = each.split(':') as [string, string];
      return { version, pkgarch: 'all', checksum, value };
    });
  });

/** What every engine promises of a publication. */
export function prPublishContract(name: string, engine: PrEngine): void {
  let databases = 0;
  const newName = () => `publish-${databases++}`;
  const openNew = async (t: Running, on = newName()): Promise<PrStore> => {
    const { store, close } = await engine.open(on);
    t.after(close);
    return store;
  };
  async function pullOf(t: Running, store: PrStore, source: readonly PrRow[], onConflict: OnConflict): Promise<PrPull> {
    const spool = await openPrSpool();
    t.after(() => spool.close());
    for (let at = 0; at < source.length; at += 700) await spool.add(source.slice(at, at + 700));
    return { store, spool, onConflict };
  }
  async function preview(pull: PrPull) {
    const steps = previewPrs(pull);
    for (;;) {
      const { done, value } = await steps.next();
      if (done) return value;
    }
  }
  const ask = async (store: PrStore, version: string, checksum: string, history = false) =>
    (await store.getPr([{ version, pkgarch: 'all', checksum, history }]))[0]!;
  const tableOf = async (store: PrStore) =>
    (await store.page(ANY, null, 10_000)).map(({ version, checksum, value }) => `${version} ${checksum}:${value}`);

  describe(`${name} publishes PR values`, () => {
    test('all that is new comes in, and what was in memory is read again', async (t) => {
      const store = await openNew(t);
      assert.equal(await ask(store, 'a', 'x'), '0');
      assert.equal(await ask(store, 'a', 'x'), '0');
      const pull = await pullOf(t, store, rows('a x:0 y:1 z:2', 'b p:0', 'same q:0'), 'fail');
      await store.importRows(rows('same q:0'));
      const found = await preview(pull);
      assert.deepEqual([found.packages, found.fresh, found.equal, found.conflictRows], [3, 3, 2, 0]);
      const { stored, findings } = await publishPrs(pull, found.stored, FOREVER);
      assert.equal(stored, 3);
      assert.equal(findings.packages, 2, 'a package with nothing new is not looked at again');
      assert.equal(await ask(store, 'a', 'z'), '2');
      assert.equal(await ask(store, 'a', 'x'), '3');
      assert.equal(await ask(store, 'a', 'y', true), '1');
      assert.equal(await ask(store, 'b', 'new'), '1');
    });

    test('with a conflict in any package nothing at all comes in', async (t) => {
      const store = await openNew(t);
      await ask(store, 'm', 'ours');
      const before = await tableOf(store);
      const pull = await pullOf(t, store, rows('a x:0', 'm theirs:0', 'z y:0'), 'fail');
      await assert.rejects(publishPrs(pull, 3, FOREVER), ConflictError);
      assert.deepEqual(await tableOf(store), before);
      assert.equal(await ask(store, 'a', 'new'), '0');
    });

    test('who sees each decision may refuse all of them at the end: then nothing comes in', async (t) => {
      const store = await openNew(t);
      await ask(store, 'm', 'ours');
      const before = await tableOf(store);
      const pull = await pullOf(t, store, rows('a x:0', 'm ours:0 theirs:1', 'z y:0'), 'fail');
      const seen: string[] = [];
      const watch = {
        begin: () => void seen.splice(0, seen.length, 'begin'),
        see: ({ version }: { version: string }) => void seen.push(version),
        end() {
          seen.push('end');
          throw new RangeError('not as it was');
        },
      };
      await assert.rejects(publishPrs(pull, 3, FOREVER, watch), /not as it was/);
      assert.deepEqual(seen, ['begin', 'a', 'm', 'z', 'end']);
      assert.deepEqual(await tableOf(store), before);
      assert.equal(await ask(store, 'm', 'new'), '1');
    });

    test('keep leaves conflicts out, raise gives them values above both, and a second time changes nothing', async (t) => {
      for (const [how, wanted] of [
        ['keep', ['a x:0', 'm more:1', 'm ours:0']],
        ['raise', ['a x:0', 'm more:1', 'm ours:0', 'm theirs:2']],
      ] as const) {
        const store = await openNew(t);
        await ask(store, 'm', 'ours');
        const pull = await pullOf(t, store, rows('a x:0', 'm more:1 theirs:0'), how);
        await publishPrs(pull, 3, FOREVER);
        assert.deepEqual(await tableOf(store), wanted);
        assert.equal((await publishPrs(pull, 3, FOREVER)).stored, 0);
      }
    });

    test('what was given out since the preview is met: none of a half-right plan is stored', async (t) => {
      for (const how of ['fail', 'raise'] as const) {
        const store = await openNew(t);
        const pull = await pullOf(t, store, rows('a x:0', 'm theirs:0'), how);
        const found = await preview(pull);
        assert.equal(found.conflictRows, 0);
        assert.equal(await ask(store, 'm', 'ours'), '0');
        if (how === 'fail') {
          await assert.rejects(publishPrs(pull, found.stored, FOREVER), ConflictError);
          assert.deepEqual(await tableOf(store), ['m ours:0']);
          continue;
        }
        const { findings } = await publishPrs(pull, found.stored, FOREVER);
        assert.deepEqual(
          findings.raised.map(({ checksum, to }) => `${checksum} ${to}`),
          ['theirs 1'],
        );
      }
    });

    test('nobody sees a part of it, nobody is given a value meanwhile, and look-ups are answered', async (t) => {
      const on = newName();
      const [ours, other] = [await openNew(t, on), await openNew(t, on)];
      assert.equal(await ask(ours, 'a', 'known'), '0');
      const asked: Promise<unknown>[] = [];
      let looked = 0;
      const packages = Array.from({ length: 5 }, (_, i) => `p${i} x:0 y:1 z:2`);
      const source = rows('a known:0 later:1', ...packages);
      const stored = await ours.publish({
        rows: source.length,
        async *groups() {
          for (const { version, pkgarch, checksum, value } of source) {
            yield [{ version, pkgarch, rows: [{ checksum, value }] }];
            if (asked.length === 0) for (const store of [ours, other]) asked.push(ask(store, 'p3', 'new', true));
            for (const store of [ours, other]) {
              assert.deepEqual(await tableOf(store), ['a known:0']);
              assert.deepEqual(await store.maxima([{ version: 'a', pkgarch: 'all' }]), ['0']);
              looked++;
            }
          }
        },
        decide: ({ rows: wanted }) => wanted,
      });
      assert.deepEqual([stored, looked], [16, 34]);
      assert.deepEqual(await Promise.all(asked), ['3', '3']);
      assert.deepEqual(await other.maxima([{ version: 'a', pkgarch: 'all' }]), ['1']);
    });

    test('one that ends early leaves nothing behind, and the next write goes on', async (t) => {
      const store = await openNew(t);
      const pull = await pullOf(t, store, manyRows(), 'fail');
      const stop = new AbortController();
      let groups = 0;
      const spool: PrPull['spool'] = {
        ...pull.spool,
        async *groups() {
          for await (const group of pull.spool.groups()) {
            if (++groups === 2) stop.abort(new Error('enough'));
            yield group;
          }
        },
      };
      await assert.rejects(publishPrs({ ...pull, spool }, 1, stop.signal), /enough/);
      assert.deepEqual(await tableOf(store), []);
      assert.equal(await ask(store, 'a', 'x'), '0');
    });

    test('packages of any size come whole, in whatever order they were told', async (t) => {
      const store = await openNew(t);
      const source = manyRows();
      const pull = await pullOf(t, store, source.toReversed(), 'fail');
      const found = await preview(pull);
      assert.deepEqual([found.packages, found.fresh], [402, source.length]);
      assert.equal((await publishPrs(pull, found.stored, FOREVER)).stored, source.length);
      assert.equal(await ask(store, 'large', 'new'), '2500');
      assert.equal(await ask(store, 'p17', 'new'), '3');
      assert.equal((await preview(pull)).stored, 0);
    });
  });
}

/** 402 packages, of which one needs several pages of a spool. */
function manyRows(): PrRow[] {
  const large = Array.from({ length: 2500 }, (_, i) => `c${i}:${i}`).join(' ');
  const small = Array.from({ length: 400 }, (_, i) => `p${i} a:0 b:1 c:2`);
  return rows(`large ${large}`, ...small, 'zz last:0');
}
