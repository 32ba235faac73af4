import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { doAll, type HashDatabases, hash, METHOD, remove, reportOf } from './helpers.ts';

/** Taskhashes of the form everybody uses, and of another. */
const SHAPES: readonly (readonly [string, (n: number) => string])[] = [
  ['64 hex digits', hash],
  ['another form', (n) => `t${n}`],
];

/** Several servers on one database, one after the other or at once. */
export function hashServersContract(name: string, { newName, openNew, engine }: HashDatabases): void {
  describe(`${name} keeps hash equivalence for several servers`, () => {
    for (const [shape, key] of SHAPES)
      test(`a write that contradicts what is in memory leaves nothing wrong there: ${shape}`, async (t) => {
        const file = newName();
        const [ours, theirs] = [await openNew(t, file), await openNew(t, file)];
        const equivalent = (taskhash: string, n: number) => [{ method: METHOD, taskhash, unihash: hash(n) }];
        const [t1, t2, t3] = [1, 2, 3].map(key) as [string, string, string];
        const known = (taskhash: string) => ours.knownUnihash(`${METHOD} ${taskhash}`);
        for (const write of [
          (taskhash: string, n: number) => ours.reportEquivalent(equivalent(taskhash, n)),
          (taskhash: string, n: number) => ours.report([reportOf(taskhash, `o${taskhash}${n}`, hash(n))]),
        ]) {
          for (const task of [t1, t3]) await doAll(theirs, remove(task));
          await write(t1, 1);
          await write(t2, 2);
          await doAll(theirs, remove(t1));
          await theirs.reportEquivalent(equivalent(t1, 7));
          assert.deepEqual(await write(t1, 1), [hash(7)]);
          assert.ok([undefined, hash(7)].includes(known(t1)), known(t1));
          assert.ok([undefined, hash(2)].includes(known(t2)), known(t2));

          await theirs.reportEquivalent(equivalent(t3, 8));
          assert.deepEqual(await write(t3, 3), [hash(8)]);
          assert.ok([undefined, hash(8)].includes(known(t3)), known(t3));
        }
      });

    test('a report is answered with what is stored, also when another server has just removed the row', async (t) => {
      const on = newName();
      const [ours, other] = [await openNew(t, on), await openNew(t, on)];
      await ours.report([reportOf('t1', 'o1', hash(1))]);
      await doAll(other, remove('t1'));
      assert.deepEqual(await ours.report([reportOf('t1', 'o2', hash(2))]), [hash(2)]);
      assert.equal(await ours.unihash(METHOD, 't1'), hash(2));
      await doAll(other, remove('t1'));
      const [stated] = await ours.reportEquivalent([{ method: METHOD, taskhash: 't1', unihash: hash(3) }]);
      assert.equal(stated, hash(3));
    });

    test('two servers on one database agree on every unihash', async (t) => {
      const on = newName();
      const [first, second] = [await openNew(t, on), await openNew(t, on)];
      const outhashes = Array.from({ length: 60 }, (_, i) => `o${i}`);
      const [a, b] = await Promise.all(
        [first, second].map((store, s) => {
          const reports = outhashes.map((outhash, i) => reportOf(`t${s}-${i}`, outhash, hash(s)));
          return Promise.all(reports.map(async (report) => (await store.report([report]))[0]));
        }),
      );
      assert.deepEqual(a, b);
      assert.deepEqual(await first.unihashes(outhashes.map((_, i) => `${METHOD} t1-${i}`)), a);
    });

    test('a database opened again knows what was answered', async (t) => {
      const on = newName();
      const once = await engine.open(on);
      await once.store.report([reportOf('t1', 'o1', hash(1))]);
      await once.store.createUser('me', 'token', '@read');
      await once.close();
      const store = await openNew(t, on);
      assert.equal(await store.unihash(METHOD, 't1'), hash(1));
      assert.equal((await store.findUser('me'))?.permissions, '@read');
    });

    test('a database opened again tells the newest `created` it holds', async (t) => {
      const on = newName();
      const once = await engine.open(on);
      assert.equal(once.store.newestCreated, null);
      const created = [
        '2031-01-01 00:00:00.000001',
        '2031-01-01T00:00:00.000002+00:00',
        '2030-01-01T00:00:00.000000+00:00',
      ];
      for (const [i, each] of created.entries())
        await once.store.report([reportOf(`t${i}`, `o${i}`, hash(i), { created: each })]);
      await once.close();
      assert.equal((await openNew(t, on)).newestCreated, created[1]);
    });

    test('a read-only store answers and says that it is one', async (t) => {
      const on = newName();
      const writable = await openNew(t, on);
      await writable.report([reportOf('t1', 'o1', hash(1))]);
      const { store, close } = await engine.open(on, { readOnly: true });
      t.after(close);
      assert.equal(store.readOnly, true);
      assert.equal(await store.unihash(METHOD, 't1'), hash(1));
    });
  });
}
