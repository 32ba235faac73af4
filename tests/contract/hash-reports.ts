import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { doAll, type HashDatabases, hash, METHOD, remove, reportOf } from './helpers.ts';

/** What a report stores and answers, and what is then found. */
export function hashReportsContract(name: string, { openNew }: HashDatabases): void {
  describe(`${name} keeps hash equivalence`, () => {
    test('a miss is null, of every kind', async (t) => {
      const store = await openNew(t);
      assert.deepEqual(await store.unihashes([`${METHOD} t1`]), [null]);
      assert.equal(await store.unihash(METHOD, 't1'), null);
      assert.deepEqual(await store.unihashesExist([hash(1)]), [false]);
      assert.deepEqual(await store.outhashes([{ method: METHOD, outhash: 'o1', withUnihash: false }]), [null]);
      assert.deepEqual(await store.tasks([{ method: METHOD, taskhash: 't1' }]), [null]);
      assert.equal(await store.findUser('nobody'), null);
      assert.equal(store.knownUnihash(`${METHOD} t1`), undefined);
    });

    test('a new output keeps the unihash its client proposed; the same output later gets it too', async (t) => {
      const store = await openNew(t);
      assert.deepEqual(await store.report([reportOf('t1', 'o1', hash(1))]), [hash(1)]);
      assert.deepEqual(await store.report([reportOf('t2', 'o1', hash(2))]), [hash(1)]);
      assert.deepEqual(await store.unihashes([`${METHOD} t2`, `${METHOD} t9`, `${METHOD} t1`]), [
        hash(1),
        null,
        hash(1),
      ]);
    });

    test('reports of one batch see each other, in order', async (t) => {
      const store = await openNew(t);
      const reports = ['t1', 't2', 't3'].map((taskhash, i) => reportOf(taskhash, 'o1', hash(i)));
      assert.deepEqual(await store.report(reports), [hash(0), hash(0), hash(0)]);
    });

    test('a taskhash keeps its first unihash', async (t) => {
      const store = await openNew(t);
      await store.report([reportOf('t1', 'o1', hash(1)), reportOf('t2', 'o2', hash(2))]);
      assert.deepEqual(await store.report([reportOf('t2', 'o1', hash(3))]), [hash(2)]);
      assert.deepEqual(await store.reportEquivalent([{ method: METHOD, taskhash: 't2', unihash: hash(4) }]), [hash(2)]);
      assert.deepEqual(await store.report([reportOf('t1', 'o1', hash(5))]), [hash(1)]);
    });

    test('the oldest output with a unihash decides, not the one that came first to the table', async (t) => {
      const store = await openNew(t);
      await store.report([reportOf('newer', 'o1', hash(1), { created: '2021-01-01T00:00:00.000000+00:00' })]);
      await store.report([reportOf('own', 'o2', hash(2), { created: '2020-01-01T00:00:00.000000+00:00' })]);
      await store.report([reportOf('own', 'o1', hash(2), { created: '2020-01-01T00:00:00.000001+00:00' })]);
      assert.deepEqual(await store.report([reportOf('third', 'o1', hash(3))]), [hash(2)]);
      const [row] = await store.outhashes([{ method: METHOD, outhash: 'o1', withUnihash: true }]);
      assert.equal(row?.taskhash, 'own');
      const [task] = await store.tasks([{ method: METHOD, taskhash: 'own' }]);
      assert.equal(task?.outhash, 'o2');
    });

    test('methods are apart from each other', async (t) => {
      const store = await openNew(t);
      await store.report([reportOf('t1', 'o1', hash(1))]);
      assert.deepEqual(await store.report([reportOf('t2', 'o1', hash(2), { method: 'Other' })]), [hash(2)]);
      assert.deepEqual(await store.unihashes(['Other t1', 'Other t2']), [null, hash(2)]);
    });

    test('rows come with all their fields, and without the unihash where it was not asked', async (t) => {
      const store = await openNew(t);
      const fields = { owner: 'o', PN: 'pn', PV: 'pv', PR: 'pr', task: 'do_x', outhash_siginfo: 's'.repeat(30_000) };
      const sent = reportOf('t1', 'o1', hash(1), fields);
      await store.report([sent]);
      const [joined] = await store.tasks([{ method: METHOD, taskhash: 't1' }]);
      assert.deepEqual({ ...joined, id: 1 }, { id: 1, ...sent, gc_mark: '' });
      const [bare] = await store.outhashes([{ method: METHOD, outhash: 'o1', withUnihash: false }]);
      const { unihash: _, ...outhashRow } = sent;
      assert.deepEqual({ ...bare, id: 1 }, { id: 1, ...outhashRow });
    });

    test('a long siginfo does not come with its row, but in pieces when it is asked for', async (t) => {
      const store = await openNew(t);
      const { outhash_siginfo, ...sent } = reportOf('t1', 'o1', hash(1), {
        outhash_siginfo: 'plain é 😀\n'.repeat(150_000),
      });
      await store.report([{ ...sent, outhash_siginfo }]);
      const [row] = await store.tasks([{ method: METHOD, taskhash: 't1' }]);
      assert.deepEqual({ ...row, id: 1 }, { id: 1, ...sent, gc_mark: '' });
      let read = '';
      let pieces = 0;
      for await (const piece of store.siginfo(row!.id as number)) {
        read += piece;
        pieces++;
      }
      assert.equal(read, outhash_siginfo);
      assert.ok(pieces > 1);
      await assert.rejects(async () => {
        for await (const _ of store.siginfo(12345)) assert.fail();
      }, /the row was removed/);
    });

    test('an output whose task lost its unihash counts only where no unihash is asked for', async (t) => {
      const store = await openNew(t);
      await store.report([reportOf('t1', 'o1', hash(1))]);
      await doAll(store, remove('t1'));
      assert.deepEqual(await store.outhashes([{ method: METHOD, outhash: 'o1', withUnihash: true }]), [null]);
      assert.equal((await store.outhashes([{ method: METHOD, outhash: 'o1', withUnihash: false }]))[0]?.taskhash, 't1');
      assert.deepEqual(await store.report([reportOf('t2', 'o1', hash(2))]), [hash(2)]);
    });

    test('a report restores a unihash that was removed while its outhash row stayed, by the rule for a new one', async (t) => {
      const store = await openNew(t);
      const removeTask = (taskhash: string) => doAll(store, remove(taskhash));
      await store.report([reportOf('alone', 'o1', hash(1)), reportOf('first', 'o2', hash(2))]);
      await store.report([reportOf('second', 'o2', hash(3))]);
      for (const taskhash of ['alone', 'first', 'second']) await removeTask(taskhash);
      assert.deepEqual(await store.report([reportOf('alone', 'o1', hash(4))]), [hash(4)], 'the one proposed');
      assert.deepEqual(
        await store.report([reportOf('first', 'o2', hash(5), { upstreamUnihash: hash(6) })]),
        [hash(6)],
        'what the upstream has',
      );
      assert.deepEqual(await store.report([reportOf('second', 'o2', hash(7))]), [hash(6)], 'that of its output');
      assert.deepEqual(await store.unihashes(['alone', 'first', 'second'].map((task) => `${METHOD} ${task}`)), [
        hash(4),
        hash(6),
        hash(6),
      ]);
      assert.deepEqual([...(await store.usage()).values()].sort(), [0, 0, 3, 3], 'and no outhash row comes twice');
    });

    test('method and taskhash may hold blanks', async (t) => {
      const store = await openNew(t);
      await store.reportEquivalent([{ method: 'a b', taskhash: 'c', unihash: hash(1) }]);
      assert.equal(await store.unihash('a b', 'c'), hash(1));
      assert.equal(await store.unihash('a', 'b c'), null);
    });

    test('what was deleted is forgotten, also where it was known by heart', async (t) => {
      const store = await openNew(t);
      await store.report([reportOf('t1', 'o1', hash(1))]);
      assert.deepEqual(await store.unihashes([`${METHOD} t1`]), [hash(1)]);
      assert.deepEqual(await store.unihashesExist([hash(1)]), [true]);
      assert.equal(await doAll(store, remove('t1')), 1);
      assert.equal(store.knownUnihash(`${METHOD} t1`), undefined);
      assert.equal(store.knownToExist(hash(1)), false);
      assert.deepEqual(await store.unihashes([`${METHOD} t1`]), [null]);
      assert.deepEqual(await store.unihashesExist([hash(1)]), [false]);
    });
  });
}
