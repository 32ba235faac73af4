import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InvokeError } from '../../lib/errors.ts';
import type { GcTask, HashStore, QueryColumn } from '../../lib/hashserv/store.ts';
import { type HashEngine, hash, METHOD, type Running, reportOf } from './helpers.ts';

/** The promises of lib/hashserv/store.ts, asked of an engine. */
export function hashStoreContract(name: string, engine: HashEngine): void {
  let databases = 0;
  const newName = () => `hash-${databases++}`;
  const openNew = async (t: Running, on = newName()): Promise<HashStore> => {
    const { store, close } = await engine.open(on);
    t.after(close);
    return store;
  };
  const remove = (taskhash: string): GcTask => ({
    kind: 'remove',
    table: 'unihashes',
    where: [['taskhash', taskhash]],
  });
  const mark = (by: string, taskhash: string): GcTask => ({ kind: 'mark', mark: by, where: [['taskhash', taskhash]] });

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

    test('a write that contradicts what is in memory forgets all of it, and keeps no unihash but its own', async (t) => {
      const file = newName();
      const [ours, theirs] = [await openNew(t, file), await openNew(t, file)];
      const equivalent = (taskhash: string, n: number) => [{ method: METHOD, taskhash, unihash: hash(n) }];
      const known = (taskhash: string) => ours.knownUnihash(`${METHOD} ${taskhash}`);
      for (const write of [
        (taskhash: string, n: number) => ours.reportEquivalent(equivalent(taskhash, n)),
        (taskhash: string, n: number) => ours.report([reportOf(taskhash, `o${taskhash}${n}`, hash(n))]),
      ]) {
        for (const task of ['t1', 't3']) await doAll(theirs, remove(task));
        await write('t1', 1);
        await write('t2', 2);
        await doAll(theirs, remove('t1'));
        await theirs.reportEquivalent(equivalent('t1', 7));
        assert.deepEqual(await write('t1', 1), [hash(7)]);
        assert.deepEqual([known('t1'), known('t2')], [undefined, undefined]);

        await theirs.reportEquivalent(equivalent('t3', 8));
        assert.deepEqual(await write('t3', 3), [hash(8)]);
        assert.equal(known('t3'), undefined);
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

  describe(`${name} collects garbage`, () => {
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

  describe(`${name} keeps users`, () => {
    test('a user is made once, changed, and deleted', async (t) => {
      const store = await openNew(t);
      assert.equal(await store.createUser('b', 'token-1', '@read'), true);
      assert.equal(await store.createUser('b', 'token-2', '@all'), false);
      assert.equal(await store.setPermissions('b', '@read @report'), true);
      assert.equal(await store.setToken('b', 'token-3'), true);
      await store.upsertUser('a', 'x', '@all');
      await store.upsertUser('a', 'y', '@read');
      const shown = (await store.allUsers()).map(({ id: _, ...user }) => user);
      assert.deepEqual(shown, [
        { username: 'a', token: 'y', permissions: '@read' },
        { username: 'b', token: 'token-3', permissions: '@read @report' },
      ]);
      assert.equal(await store.deleteUser('b'), true);
      assert.equal(await store.findUser('b'), null);
    });

    test('what is done to a user who is not there says so', async (t) => {
      const store = await openNew(t);
      assert.equal(await store.setPermissions('x', '@read'), false);
      assert.equal(await store.setToken('x', 'y'), false);
      assert.equal(await store.deleteUser('x'), false);
    });

    test('the last user who may manage users is neither deleted nor demoted, also from two servers at once', async (t) => {
      for (const [first, second] of [
        ['@all', '@all'],
        ['@read @user-admin', '@all'],
        ['@all', '@report @user-admin'],
      ] as const) {
        const file = newName();
        const stores = [await openNew(t, file), await openNew(t, file)] as const;
        await stores[0].createUser('a', 'x', first);
        await stores[0].createUser('b', 'x', second);
        await stores[0].createUser('c', 'x', '@db-admin @read @report');
        const ends = await Promise.allSettled([stores[0].deleteUser('a'), stores[1].setPermissions('b', '@db-admin')]);
        const refused = ends.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
        assert.equal(refused.length, 1);
        assert.ok(refused[0]!.reason instanceof InvokeError);
        assert.match(refused[0]!.reason.message, /^'[ab]' is the last user who may manage users/);
        const left = ends[0].status === 'rejected' ? 'a' : 'b';
        for (const store of stores) {
          await assert.rejects(store.deleteUser(left), InvokeError);
          for (const permissions of ['', '@read', '@db-admin @read @report', '@alles', '@user-administrator'])
            await assert.rejects(store.setPermissions(left, permissions), InvokeError);
        }
        // From one that may to the other is no demotion, and anybody else can go.
        assert.equal(await stores[0].setPermissions(left, '@user-admin'), true);
        assert.equal(await stores[1].setPermissions(left, '@all'), true);
        assert.equal(await stores[0].deleteUser('c'), true);
        assert.deepEqual((await stores[0].findUser(left))?.permissions, '@all');
      }
    });

    test('every change of the table changes usersVersion; a user made anew is another user', async (t) => {
      const store = await openNew(t);
      const versions = [store.usersVersion];
      await store.createUser('a', 'x', '@read');
      versions.push(store.usersVersion);
      const first = await store.findUser('a');
      await store.setPermissions('a', '');
      versions.push(store.usersVersion);
      await store.deleteUser('a');
      versions.push(store.usersVersion);
      await store.createUser('a', 'x', '@read');
      assert.equal(new Set(versions).size, versions.length);
      assert.notEqual((await store.findUser('a'))?.id, first?.id);
    });
  });
}

/** Does a task to its end; rows changed. */
async function doAll(store: HashStore, task: GcTask): Promise<number> {
  let count = 0;
  for (let after: number | null = 0; after !== null; ) {
    const { ids, next } = await store.gcFind(task, after, 10);
    count += await store.gcApply(task, ids);
    after = next;
  }
  return count;
}
