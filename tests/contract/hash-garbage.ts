import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InvokeError } from '../../lib/errors.ts';
import type { GcTask, QueryColumn } from '../../lib/hashserv/store.ts';
import { doAll, type HashDatabases, hash, METHOD, mark, remove, reportOf } from './helpers.ts';

/** Finding rows, and garbage collection. */
export function hashGarbageContract(name: string, { newName, openNew }: HashDatabases): void {
  describe(`${name} collects garbage`, () => {
    test('a search takes no more than it may look at, and its steps together find all that matches', async (t) => {
      const store = await openNew(t);
      const reports = Array.from({ length: 25 }, (_, i) =>
        reportOf(`t${i}`, `o${i}`, hash(i), { PN: i % 2 ? 'a' : 'b' }),
      );
      await store.report(reports);
      const task: GcTask = { kind: 'remove', table: 'outhashes', where: [['PN', 'b']] };
      const found: number[][] = [];
      for (let after: number | null = 0; after !== null; ) {
        const step = await store.gcFind(task, after, 10);
        found.push([...step.ids]);
        after = step.next;
      }
      assert.deepEqual(
        found.map((ids) => ids.length),
        [5, 5, 3],
      );
      assert.equal(new Set(found.flat()).size, 13);
      assert.equal(await store.gcApply(task, found.flat()), 13);
      assert.deepEqual(await store.outhashes([{ method: METHOD, outhash: 'o0', withUnihash: false }]), [null]);
      assert.equal((await store.usage()).get('outhashes_v2'), 12);
    });

    test('rows with gaps between their ids are all found, and the gaps cost nothing', async (t) => {
      const store = await openNew(t);
      await store.report(Array.from({ length: 40 }, (_, i) => reportOf(`t${i}`, `o${i}`, hash(i))));
      for (let i = 5; i < 35; i++) await doAll(store, remove(`t${i}`));
      const task: GcTask = { kind: 'remove', table: 'unihashes', where: [['gc_mark', '']] };
      const first = await store.gcFind(task, 0, 5);
      const second = await store.gcFind(task, first.next!, 6);
      assert.deepEqual([first.ids.length, second.ids.length, second.next], [5, 5, null]);
    });

    test('rows are found by each of their columns, alone and together, few or many', async (t) => {
      const store = await openNew(t);
      const reports = Array.from({ length: 2500 }, (_, i) =>
        reportOf(i % 5 ? `t${i}` : 'same', i % 5 ? 'same' : `o${i}`, hash(7), { PN: `p${i % 3}` }),
      );
      for (let at = 0; at < reports.length; at += 250) await store.report(reports.slice(at, at + 250));
      const count = async (table: 'unihashes' | 'outhashes', ...where: [QueryColumn, string][]) => {
        const ids = new Set<number>();
        for (let after: number | null = 0; after !== null; ) {
          const step = await store.gcFind({ kind: 'remove', table, where }, after, 700);
          for (const id of step.ids) assert.ok(!ids.has(id) && ids.add(id));
          after = step.next;
        }
        return ids.size;
      };
      // More than an index is followed for, and fewer.
      assert.equal(await count('unihashes', ['unihash', hash(7)]), 2001);
      assert.equal(await count('unihashes', ['method', METHOD]), 2001);
      assert.equal(await count('unihashes', ['method', METHOD], ['taskhash', 't1']), 1);
      assert.equal(await count('unihashes', ['unihash', hash(7)], ['taskhash', 't1']), 1);
      assert.equal(await count('unihashes', ['unihash', hash(8)], ['method', METHOD]), 0);
      assert.equal(await count('outhashes', ['method', METHOD], ['taskhash', 'same']), 500);
      assert.equal(await count('outhashes', ['method', METHOD], ['outhash', 'same']), 2000);
      assert.equal(await count('outhashes', ['outhash', 'same'], ['PN', 'p1']), 667);
      assert.equal(await count('outhashes', ['method', METHOD], ['outhash', 'same'], ['PN', 'p1']), 667);
    });

    test('rows stored while a mark is current carry it; a sweep takes the others', async (t) => {
      const store = await openNew(t);
      await store.report([reportOf('old', 'o1', hash(1)), reportOf('kept', 'o2', hash(2))]);
      await store.gcSetMark('m');
      await store.report([reportOf('new', 'o3', hash(3))]);
      await store.reportEquivalent([{ method: METHOD, taskhash: 'equal', unihash: hash(4) }]);
      assert.equal(await doAll(store, mark('m', 'kept')), 1);
      assert.deepEqual(await store.gcStatus(), { mark: 'm', keep: 3, remove: 1 });
      assert.equal(await doAll(store, { kind: 'sweep', mark: 'm' }), 1);
      await store.gcClearMark('m');
      assert.equal(await store.unihash(METHOD, 'old'), null);
      assert.equal(await store.unihash(METHOD, 'equal'), hash(4));
      assert.deepEqual(await store.gcStatus(), { mark: null, keep: 0, remove: 3 });
    });

    test('unihashes are marked by key, many at once, each with its count', async (t) => {
      const store = await openNew(t);
      await store.report(['t1', 't2', 't3'].map((taskhash, i) => reportOf(taskhash, `o${i}`, hash(i))));
      await store.reportEquivalent([{ method: METHOD, taskhash: 't4', unihash: hash(0) }]);
      const keys = [
        [['unihash', hash(0)]],
        [['unihash', hash(9)]],
        [
          ['unihash', hash(1)],
          ['taskhash', 't1'],
        ],
        [['unihash', hash(2)]],
        [['unihash', hash(2)]],
      ] as const;
      assert.deepEqual(await store.gcMarkKeys('m', keys), [2, 0, 0, 1, 1]);
      assert.deepEqual(await store.gcStatus(), { mark: 'm', keep: 3, remove: 1 });
    });

    test('a sweep or a mark of a collection that another replaced is refused, each in its own words', async (t) => {
      const store = await openNew(t);
      await store.report([reportOf('t1', 'o1', hash(1))]);
      await store.gcSetMark('old');
      await store.gcSetMark('new');
      const refusal = async (task: GcTask) => {
        const error = await doAll(store, task).catch((error: Error) => error);
        assert.ok(error instanceof InvokeError);
        return error.message;
      };
      assert.equal(await refusal({ kind: 'sweep', mark: 'old' }), "'old' is not the current mark. Refusing to sweep");
      const marking = await refusal(mark('old', 't1'));
      assert.match(marking, /^'old' is no longer the current mark/);
      assert.doesNotMatch(marking, /sweep/);
      await store.gcClearMark('old');
      assert.equal((await store.gcStatus()).mark, 'new');
      assert.equal(await store.unihash(METHOD, 't1'), hash(1));
    });

    test('a row that meets the condition no longer when its turn comes is left alone', async (t) => {
      const on = newName();
      const [store, other] = [await openNew(t, on), await openNew(t, on)];
      await store.report([reportOf('t1', 'o1', hash(1)), reportOf('t2', 'o2', hash(2))]);
      await store.gcSetMark('m');
      const sweep: GcTask = { kind: 'sweep', mark: 'm' };
      const { ids } = await store.gcFind(sweep, 0, 10);
      assert.equal(ids.length, 2);
      // Between the search and the deletion somebody names it.
      await doAll(other, mark('m', 't1'));
      assert.equal(await store.gcApply(sweep, ids), 1);
      assert.deepEqual(await store.unihashes([`${METHOD} t1`, `${METHOD} t2`]), [hash(1), null]);

      const unused: GcTask = { kind: 'clean-unused', before: '9999-01-01' };
      const found = await store.gcFind(unused, 0, 10);
      assert.equal(found.ids.length, 1);
      // The task is there again: its output is used.
      await other.reportEquivalent([{ method: METHOD, taskhash: 't2', unihash: hash(3) }]);
      assert.equal(await store.gcApply(unused, found.ids), 0);

      const byMark: GcTask = { kind: 'mark', mark: 'm', where: [['gc_mark', 'm']] };
      const marked = await store.gcFind(byMark, 0, 10);
      await store.gcSetMark('n');
      await doAll(other, mark('n', 't1'));
      await store.gcSetMark('m');
      assert.equal(await store.gcApply(byMark, marked.ids), 1);
    });

    test('unused outhashes are removed only when they are older than the moment given', async (t) => {
      const store = await openNew(t);
      const on = (day: string) => ({ created: `2020-01-${day}T00:00:00.000000+00:00` });
      await store.report([reportOf('old', 'o1', hash(1), on('01')), reportOf('young', 'o2', hash(2), on('03'))]);
      await store.report([reportOf('used', 'o3', hash(3), on('01'))]);
      for (const taskhash of ['old', 'young']) await doAll(store, remove(taskhash));
      const before = '2020-01-02T00:00:00.000000+00:00';
      assert.equal(await doAll(store, { kind: 'clean-unused', before }), 1);
      const left = ['o1', 'o2', 'o3'].map((outhash) => ({ method: METHOD, outhash, withUnihash: false }));
      assert.deepEqual(
        (await store.outhashes(left)).map((row) => row?.taskhash ?? null),
        [null, 'young', 'used'],
      );
    });
  });
}
