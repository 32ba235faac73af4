import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { SILENT } from '../../lib/log.ts';
import type { Database } from '../../lib/storage/sqlite/engine/database.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createRowCounter } from '../../lib/storage/sqlite/file/row-counter.ts';
import { HASH_SCHEMA } from '../../lib/storage/sqlite/hash/schema.ts';
import { PR_SCHEMA } from '../../lib/storage/sqlite/pr/schema.ts';
import { type Running, temporaryFolder, withSqlite } from './helpers.ts';

const FILL = `
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark) SELECT 'm', 'task ' || i, 'u', '' FROM n WHERE true`;

async function filled(t: Running, rows: number, readOnly = false): Promise<{ database: Database; file: string }> {
  const file = path.join(temporaryFolder(t as never), 'db');
  const options = { file, init: false, syncMode: { kind: 'on_shutdown' }, log: SILENT, onFatal() {} } as const;
  const open = (mode: boolean) => openDatabase({ ...options, readOnly: mode });
  const first = await open(false);
  for (const schema of [HASH_SCHEMA, PR_SCHEMA]) await first.addSchema(schema);
  await withSqlite(file, (run) => run(FILL, [rows]));
  // Deleted ones leave gaps, which count for nothing.
  await withSqlite(file, (run) => run('DELETE FROM unihashes_v3 WHERE id % 10 = 0'));
  if (!readOnly) {
    // A test may have closed it.
    t.after(() => first.close(0).catch(() => {}));
    return { database: first, file };
  }
  await first.close(0);
  const database = await open(true);
  for (const schema of [HASH_SCHEMA, PR_SCHEMA]) await database.addSchema(schema);
  t.after(() => database.close(0));
  return { database, file };
}

for (const readOnly of [false, true]) {
  test(`the rows of each table are counted, a slice at a time, on a ${readOnly ? 'read-only' : 'writable'} file`, async (t) => {
    const { database } = await filled(t, 50_000, readOnly);
    assert.equal(database.counts.countedAt, null);
    await database.counts.refresh();
    assert.deepEqual(Object.fromEntries(database.counts.rows), {
      unihashes_v3: 45_000,
      outhashes_v2: 0,
      users: 0,
      config: 0,
      PRMAIN: 0,
    });
    assert.ok(Math.abs(database.counts.countedAt! - Date.now() / 1000) < 60);
  });
}

test('no statement looks at all rows of a large table', async (t) => {
  const { database } = await filled(t, 50_000);
  const found: number[] = [];
  const counted = {
    maintenance: database.maintenance,
    onClose() {},
    async read<Row>(...[on, sql, params]: Parameters<Database['read']>): Promise<Row[]> {
      const rows = await database.read<{ rows: number }>(on, sql, params);
      found.push(rows[0]!.rows);
      return rows as Row[];
    },
  };
  await createRowCounter(counted, ['unihashes_v3'], SILENT).refresh();
  assert.equal(
    found.reduce((sum, rows) => sum + rows, 0),
    45_000,
  );
  assert.ok(Math.max(...found) <= 20_000, found.join());
});

test('a count is kept, and made again only when it is old', async (t) => {
  const { database, file } = await filled(t, 10);
  const old = createRowCounter(database, ['unihashes_v3'], SILENT, 0);
  await Promise.all([database.counts.refresh(), old.refresh()]);
  await withSqlite(file, (run) => run('DELETE FROM unihashes_v3 WHERE id < 5'));
  await Promise.all([database.counts.refresh(), old.refresh()]);
  assert.equal(database.counts.rows.get('unihashes_v3'), 9);
  assert.equal(old.rows.get('unihashes_v3'), 5);
});

test('a database closes while its rows are counted', async (t) => {
  const { database } = await filled(t, 50_000);
  const counting = database.counts.refresh();
  await database.close(0);
  await counting;
  assert.equal(database.counts.countedAt, null);
});
