import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import sqlite3 from 'sqlite3';
import type { StorageError } from '../../lib/errors.ts';
import { SILENT } from '../../lib/log.ts';
import type { Database } from '../../lib/storage/sqlite/engine/database.ts';
import type { WriteKind } from '../../lib/storage/sqlite/engine/submissions.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createHashStore } from '../../lib/storage/sqlite/hash/store.ts';
import { createPrStore } from '../../lib/storage/sqlite/pr/store.ts';
import { hash, METHOD, reportOf, temporaryFolder, withSqlite } from './helpers.ts';

const ENDLESS =
  'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS n FROM n WHERE i < 0';
const MANY =
  'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000000) SELECT count(*) AS n FROM n';

async function opened(
  t: { after(fn: () => void): void },
  more: { statementTimeoutMs?: number } = {},
): Promise<{ database: Database; fatal: StorageError[] }> {
  const fatal: StorageError[] = [];
  const file = path.join(temporaryFolder(t), 'one.db');
  const rest = { readOnly: false, init: false, syncMode: { kind: 'on_shutdown' }, log: SILENT } as const;
  const database = await openDatabase({ file, ...rest, ...more, onFatal: (error) => fatal.push(error) });
  return { database, fatal };
}

describe('a database that is closed', () => {
  test('while a sweep goes on takes no further slice, and nothing of that is a failed database', async (t) => {
    const { database, fatal } = await opened(t);
    await database.writer!.slice((connection) => connection.exec('CREATE TABLE t (n INTEGER)'));
    let slices = 0;
    const sweep = (async () => {
      for (;;) {
        await database.writer!.slice((connection) => connection.run(MANY.replace('3000000', '300000')));
        slices++;
      }
    })();
    const ended = assert.rejects(sweep, { code: 'storage-closed' });
    while (slices < 2) await new Promise((resolve) => setImmediate(resolve));
    await database.close(5000);
    await ended;
    assert.deepEqual(fatal, []);
  });

  test('does not wait for a long read, as a check of the whole file is', { timeout: 30_000 }, async (t) => {
    const { database, fatal } = await opened(t);
    const read = assert.rejects(database.maintenance.all(ENDLESS), { code: 'storage-timeout' });
    await database.close(1000);
    await read;
    assert.deepEqual(fatal, []);
  });
});

describe('the statement time limit', () => {
  test('interrupts a look-up', async (t) => {
    const { database } = await opened(t, { statementTimeoutMs: 50 });
    await assert.rejects(database.reads.all(ENDLESS), { code: 'storage-timeout' });
    await database.close(1000);
  });

  test('does not hold for a migration, which takes as long as the file is large', async (t) => {
    const { database } = await opened(t, { statementTimeoutMs: 50 });
    let done = false;
    await database.addSchema({
      signs: [],
      name: 'test',
      tables: [],
      async migrate(connection) {
        await connection.all(MANY);
        done = true;
      },
    });
    assert.equal(done, true);
    await database.close(1000);
  });

  test('does not hold between two transactions, where a checkpoint takes as long as the disk does', async (t) => {
    const { database } = await opened(t, { statementTimeoutMs: 50 });
    await database.writer!.between((connection) => connection.all(MANY));
    await assert.rejects(
      database.writer!.slice((connection) => connection.all(ENDLESS)),
      { code: 'storage-timeout' },
    );
    await database.close(1000);
  });
});

describe('how a mode syncs', () => {
  // What `PRAGMA synchronous` says: 1 is NORMAL, 2 is FULL.
  for (const [syncMode, synchronous] of [
    [{ kind: 'immediate' }, 2],
    [{ kind: 'periodic', seconds: 1 }, 1],
    [{ kind: 'on_shutdown' }, 1],
  ] as const) {
    test(`${syncMode.kind}: the connection that writes says so, and so does the one that takes its place`, async (t) => {
      const file = path.join(temporaryFolder(t), 'one.db');
      const rest = { readOnly: false, init: false, log: SILENT, onFatal: assert.fail } as const;
      const database = await openDatabase({ file, syncMode, ...rest, reopenAfterMs: 100 });
      const writer = database.writer!;
      const asked = () => writer.between((connection) => connection.all('PRAGMA synchronous'));
      assert.deepEqual(await asked(), [{ synchronous }]);
      const before = await writer.between(async (connection) => connection);
      await wedge(database);
      await writer.slice((connection) => connection.exec('CREATE TABLE ours (n)'));
      assert.notEqual(await writer.between(async (connection) => connection), before);
      assert.deepEqual(await asked(), [{ synchronous }]);
      await database.close(1000);
    });
  }
});

/** Leaves a statement active that pins what the connection sees, and has another program commit. */
async function wedge(database: Database): Promise<void> {
  await database.writer!.slice((connection) => connection.exec('CREATE TABLE a (n); CREATE TABLE b (n)'));
  // `run` takes one row of two, and is not reset before it is run again.
  await database.writer!.between((connection) => connection.run('SELECT name FROM sqlite_master'));
  await withSqlite(database.file, (run) => run('INSERT INTO a VALUES (1)'));
}

describe('a connection that finds the file locked at every write', () => {
  test('is opened again, with all that writes rely on', async (t) => {
    const file = path.join(temporaryFolder(t), 'one.db');
    const rest = { readOnly: false, init: false, syncMode: { kind: 'immediate' }, log: SILENT } as const;
    const database = await openDatabase({ file, ...rest, onFatal: assert.fail, reopenAfterMs: 100 });
    const hashes = await createHashStore({ database, cacheBytes: 1024 * 1024, log: SILENT });
    const prs = await createPrStore(database, SILENT);
    const getPr = (checksum: string) => prs.getPr([{ version: 'p', pkgarch: 'all', checksum, history: false }]);
    const version = async () => {
      const sql = 'SELECT data_version AS seen FROM pragma_data_version';
      const [row] = await database.writer!.between((connection) => connection.all<{ seen: number }>(sql));
      return row!.seen;
    };
    const commit = (sql: string) => withSqlite(file, (run) => run(sql));
    while ((await version()) < 20) await commit('INSERT INTO config (name) VALUES (hex(randomblob(8)))');
    assert.deepEqual(await getPr('first'), ['0']);
    const seen = await version();
    await wedge(database);
    assert.deepEqual(await hashes.report([reportOf(hash(1), hash(2), hash(3))]), [hash(3)]);
    // The other connection comes to see a version of the same number, of another state of the file.
    assert.ok((await version()) < seen);
    await commit("INSERT INTO PRMAIN VALUES ('p', 'all', 'theirs', '7')");
    while ((await version()) < seen) await commit('INSERT INTO config (name) VALUES (hex(randomblob(8)))');
    assert.deepEqual(await getPr('second'), ['8']);
    assert.deepEqual(await hashes.unihashes([`${METHOD} ${hash(1)}`]), [hash(3)]);
    await database.close(1000);
  });
});

test('a row that breaks a constraint is refused alone, and those that came with it are stored', async (t) => {
  const { database, fatal } = await opened(t);
  const writer = database.writer!;
  await writer.slice((connection) => connection.exec('CREATE TABLE t (n INTEGER CHECK (n <> 3))'));
  const insert: WriteKind<number, number> = {
    async apply(connection, ops) {
      for (const n of ops) await connection.run('INSERT INTO t VALUES (?)', [n]);
      return ops;
    },
  };
  const numbers = [1, 2, 3, 4, 5];
  const settled = await Promise.allSettled(numbers.map((n) => writer.submit(insert, [n], 1)));
  assert.deepEqual(
    settled.map((each) => each.status === 'fulfilled'),
    [true, true, false, true, true],
  );
  assert.deepEqual(await database.reads.all('SELECT n FROM t'), [{ n: 1 }, { n: 2 }, { n: 4 }, { n: 5 }]);
  assert.deepEqual(fatal, []);
  await database.close(1000);
});

/** Has the nth connection from now on fail to open; `open` is how many of all those are open. */
function failOpening(t: TestContext, nth: number): { open: () => number } {
  const { Database: Real } = sqlite3;
  let count = 0;
  let open = 0;
  class Failing extends Real {
    constructor(file: string, mode: number, done: (error: Error | null) => void) {
      super(++count === nth ? path.join(file, 'nowhere') : file, mode, (error) => {
        if (!error) open++;
        done(error);
      });
    }
    override close(done: (error: Error | null) => void): void {
      super.close((error) => {
        if (!error) open--;
        done(error);
      });
    }
  }
  Object.assign(sqlite3, { Database: Failing });
  t.after(() => void Object.assign(sqlite3, { Database: Real }));
  return { open: () => open };
}

describe('a database that cannot be opened', () => {
  for (const readOnly of [true, false]) {
    for (const nth of [1, 2, 3, 4]) {
      test(`${readOnly ? 'read-only ' : ''}at its connection ${nth} leaves none open`, async (t) => {
        const file = path.join(temporaryFolder(t), 'one.db');
        const options = { file, init: false, syncMode: { kind: 'on_shutdown' }, log: SILENT } as const;
        const onFatal = (error: StorageError) => assert.fail(error);
        await (await openDatabase({ ...options, readOnly: false, onFatal })).close(1000);
        const { open } = failOpening(t, nth);
        await assert.rejects(openDatabase({ ...options, readOnly, onFatal }), { code: 'storage-missing' });
        assert.equal(open(), 0);
      });
    }
  }
});
