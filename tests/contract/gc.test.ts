import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { createLoopGuard } from '../../lib/asyncrpc/upstream/loop-guard.ts';
import { WriteGate } from '../../lib/asyncrpc/write-gate.ts';
import { DB_ADMIN } from '../../lib/hashserv/access/permissions.ts';
import { createGc } from '../../lib/hashserv/gc.ts';
import { createHashService } from '../../lib/hashserv/service.ts';
import type { GcTask, HashStore } from '../../lib/hashserv/store.ts';
import { SILENT } from '../../lib/log.ts';
import type { Database } from '../../lib/storage/sqlite/engine/database.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createHashStore } from '../../lib/storage/sqlite/hash/store.ts';
import { hash, METHOD, type Running, reportOf, temporaryFolder } from './helpers.ts';

const HERE = { gone: false };

interface Statement {
  readonly sql: string;
  readonly params: readonly (string | number | null)[];
}

/** A store of so many tasks, and every statement it runs to find and change rows. */
async function filled(t: Running, rows: number): Promise<{ store: HashStore; database: Database; ran: Statement[] }> {
  const file = path.join(temporaryFolder(t), 'gc.db');
  const onFatal = (error: Error) => assert.fail(error);
  const real = await openDatabase({
    file,
    readOnly: false,
    init: false,
    syncMode: { kind: 'on_shutdown' },
    log: SILENT,
    onFatal,
  });
  t.after(() => real.close(1000));
  const ran: Statement[] = [];
  const noted = (binding: typeof real.reads): typeof real.reads => ({
    ...binding,
    run(sql, params = []) {
      ran.push({ sql, params });
      return binding.run(sql, params);
    },
  });
  const database: Database = {
    ...real,
    read(connection, sql, params = []) {
      ran.push({ sql, params });
      return real.read(connection, sql, params);
    },
    writer: {
      ...real.writer!,
      slice: (job) => real.writer!.slice((connection) => job(noted(connection))),
    },
  };
  const store = await createHashStore({ database, cacheBytes: 0, log: SILENT });
  for (let at = 0; at < rows; at += 250) {
    const some = Array.from({ length: Math.min(250, rows - at) }, (_, i) => at + i);
    await store.report(some.map((n) => reportOf(`t${n}`, `o${n}`, hash(n), { PN: `p${n % 2}` })));
  }
  ran.length = 0;
  return { store, database, ran };
}

/** Every statement that finds or changes rows goes by their ids, in the order the table has them in. */
async function assertWalks(database: Database, ran: readonly Statement[]): Promise<void> {
  for (const sql of new Set(ran.map((statement) => statement.sql))) {
    if (!/unihashes_v3 t|outhashes_v2 t|AS t/.test(sql)) continue;
    const { params } = ran.find((statement) => statement.sql === sql)!;
    const plan = await database.maintenance.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, params);
    for (const { detail } of plan) {
      assert.doesNotMatch(detail, /TEMP B-TREE/, sql);
      if (/^(SEARCH|SCAN) t\b/.test(detail)) assert.match(detail, /^SEARCH t USING INTEGER PRIMARY KEY/, sql);
    }
    assert.ok(
      plan.some(({ detail }) => detail.startsWith('SEARCH t ')),
      sql,
    );
  }
}

describe('collecting garbage from a large table', () => {
  for (const rows of [1000, 4000]) {
    test(`looks at each of ${rows} rows once, and sorts nothing`, async (t) => {
      const { store, database, ran } = await filled(t, rows);
      const looked = { sum: 0 };
      const gc = createGc({
        ...store,
        async gcFind(task, after, look) {
          // Small steps, so that there are many: what one costs must not hang on how many rows there are.
          const found = await store.gcFind(task, after, Math.min(look, 100));
          looked.sum += (found.next ?? rows) - after;
          return found;
        },
      });
      assert.equal(await gc.mark(HERE, 'm', { method: METHOD }), rows);
      assert.equal(looked.sum, rows);
      assert.equal(await gc.remove(HERE, { method: METHOD, PN: 'p1' }), rows + rows / 2);
      assert.equal(await gc.cleanUnused(HERE, 0), rows / 2);
      await assertWalks(database, ran);
    });
  }

  test('goes through the table, too, where an index leads to many rows', async (t) => {
    const { store, database, ran } = await filled(t, 0);
    for (let at = 0; at < 2100; at += 300) {
      const some = Array.from({ length: 300 }, (_, i) => `t${at + i}`);
      await store.reportEquivalent(some.map((taskhash) => ({ method: METHOD, taskhash, unihash: hash(1) })));
    }
    ran.length = 0;
    assert.equal(await createGc(store).mark(HERE, 'm', { unihash: hash(1), method: METHOD }), 2100);
    assert.equal(await createGc(store).remove(HERE, { unihash: hash(1), method: METHOD }), 2100);
    await assertWalks(
      database,
      ran.filter(({ sql }) => !/LIMIT 2001/.test(sql)),
    );
  });

  test('follows an index where that leads to few rows: no step looks at the others', async (t) => {
    const { store, database, ran } = await filled(t, 500);
    const wheres: [GcTask & { kind: 'remove' }, RegExp][] = [
      [{ kind: 'remove', table: 'unihashes', where: [['unihash', hash(3)]] }, /INDEX unihash_lookup_v1 \(unihash=\?\)/],
      [
        {
          kind: 'remove',
          table: 'unihashes',
          where: [
            ['method', METHOD],
            ['unihash', hash(3)],
          ],
        },
        /INDEX unihash_lookup_v1 \(unihash=\?\)/,
      ],
      [
        {
          kind: 'remove',
          table: 'outhashes',
          where: [
            ['method', METHOD],
            ['PN', 'p1'],
            ['outhash', 'o3'],
          ],
        },
        /INDEX outhash_lookup_v3 \(method=\? AND outhash=\?\)/,
      ],
    ];
    for (const [task, index] of wheres) {
      ran.length = 0;
      const { ids, next } = await store.gcFind(task, 0, 10);
      assert.deepEqual([ids.length, next, ran.length], [1, null, 1]);
      const [{ sql, params }] = ran as [Statement];
      const plan = await database.maintenance.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, params);
      assert.match(plan.map(({ detail }) => detail).join('\n'), index);
    }
  });
});

describe('a collection whose client goes', () => {
  test('ends between two slices, and what waits behind it is done', async (t) => {
    const { store } = await filled(t, 1000);
    const client = { gone: false };
    let slices = 0;
    const gc = createGc({
      ...store,
      async gcApply(task, ids) {
        if (++slices === 2) client.gone = true;
        return store.gcApply(task, ids);
      },
    });
    const ended = assert.rejects(gc.remove(client, { method: METHOD }), /the client has gone/);
    const behind = gc.mark(HERE, 'm', { taskhash: 't999' });
    await ended;
    assert.equal(await behind, 1);
    assert.equal(slices, 3);
    assert.ok((await store.usage()).get('unihashes_v3')! > 0);
  });

  test('is not begun at all when it still waits its turn', async (t) => {
    const { store } = await filled(t, 10);
    const service = createHashService({
      store,
      log: SILENT,
      upstream: null,
      guard: createLoopGuard(SILENT),
      gate: new WriteGate(),
      anonymousPermissions: () => [DB_ADMIN],
    });
    const open = () => service.open({ name: 'memory', address: null, local: true }, []);
    const [first, second] = [open(), open()];
    const remove = (session: typeof first, where: { [column: string]: string }) =>
      session.invoke(session.command('remove')!, [{ where }]);
    const running = remove(first, { taskhash: 't1' });
    const waiting = remove(second, { method: METHOD });
    second.close();
    assert.deepEqual(await running, [{ count: 2 }]);
    assert.match(String((await waiting)[0]), /the client has gone/);
    assert.equal((await store.usage()).get('unihashes_v3'), 9);
    await service.close(0);
  });
});

describe('the times of a collection', () => {
  const created = (at: number) => `${new Date(at).toISOString().slice(0, -1)}000+00:00`;

  test('an unused row of seconds ago stays, although rows have been stored ahead of the clock since', async (t) => {
    const { store } = await filled(t, 0);
    const now = Date.parse('2026-01-02T12:00:00Z');
    await store.report([reportOf('old', 'o1', hash(1), { created: created(now - 7_200_000) })]);
    await store.report([reportOf('fresh', 'o2', hash(2), { created: created(now - 2000) })]);
    // The clock jumped ahead by a day and back: what is stored now goes on from there.
    await store.report([reportOf('ahead', 'o3', hash(3), { created: created(now + 86_400_000) })]);
    const gc = createGc(store, () => now);
    await gc.remove(HERE, { gc_mark: '' });
    assert.equal(await gc.cleanUnused(HERE, 3600), 1);
    const left = ['o1', 'o2', 'o3'].map((outhash) => ({ method: METHOD, outhash, withUnihash: false }));
    assert.deepEqual(
      (await store.outhashes(left)).map((row) => row?.taskhash ?? null),
      [null, 'fresh', 'ahead'],
    );
  });

  test('rows reported after a restart with the clock behind are newer than those before it', async (t) => {
    const { store } = await filled(t, 0);
    const ahead = created(Date.now() + 86_400_000);
    await store.report([reportOf('before', 'o', hash(1), { created: ahead })]);
    const restarted = { ...store, newestCreated: ahead };
    const service = createHashService({
      store: restarted,
      log: SILENT,
      upstream: null,
      guard: createLoopGuard(SILENT),
      gate: new WriteGate(),
      anonymousPermissions: () => ['@read', '@report'],
    });
    const session = service.open({ name: 'memory', address: null, local: true }, []);
    const args = { method: METHOD, taskhash: 'after', outhash: 'o2', unihash: hash(2) };
    await session.invoke(session.command('report')!, [args]);
    const [row] = await restarted.tasks([{ method: METHOD, taskhash: 'after' }]);
    assert.ok(String(row!.created) > ahead, String(row!.created));
    await service.close(0);
  });
});

describe('a sweep that was decided on by counts', () => {
  test('is refused when more would go than was shown, and nothing goes', async (t) => {
    const { store } = await filled(t, 10);
    const gc = createGc(store);
    assert.equal(await gc.mark(HERE, 'a', { PN: 'x' }), 0);
    for (const n of [0, 1, 2, 3, 4, 5]) await gc.mark(HERE, 'a', { unihash: hash(n) });
    const shown = await store.gcStatus();
    assert.deepEqual([shown.keep, shown.remove], [6, 4]);
    // Another collection takes rows over, and ends with the first one's mark in place again.
    await gc.mark(HERE, 'b', { unihash: hash(1) });
    await gc.mark(HERE, 'a', { unihash: hash(0) });
    await assert.rejects(gc.sweep(HERE, 'a', shown.remove), /would remove 5 rows now, more than the 4 that were shown/);
    assert.equal((await store.usage()).get('unihashes_v3'), 10);
    assert.equal(await gc.sweep(HERE, 'a', 5), 5);
  });
});
