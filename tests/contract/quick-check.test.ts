import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { StorageError } from '../../lib/errors.ts';
import { createGc } from '../../lib/hashserv/gc.ts';
import { SILENT } from '../../lib/log.ts';
import { createCheckpointer } from '../../lib/storage/sqlite/engine/checkpointer.ts';
import type { Database } from '../../lib/storage/sqlite/engine/database.ts';
import type { CheckOptions } from '../../lib/storage/sqlite/engine/quick-check.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createHashStore } from '../../lib/storage/sqlite/hash/store.ts';
import { hash, METHOD, type Running, reportOf, temporaryFolder } from './helpers.ts';

/** A check that reads the file, like any other, and is never done. */
const ENDLESS = `
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
  SELECT count(*) AS quick_check FROM n, (SELECT count(*) AS tables FROM sqlite_master) WHERE i < 0 AND tables > 0`;
const MIB = 1024 * 1024;

const open = (file: string, onFatal: (error: StorageError) => void, check: Partial<CheckOptions> = {}) =>
  openDatabase({ file, readOnly: false, init: false, syncMode: { kind: 'immediate' }, log: SILENT, onFatal, check });

const createStore = (database: Database) => createHashStore({ database, cacheBytes: MIB, log: SILENT });

/** A hash database of some pages, with a write-ahead log beside it as a crash leaves one. */
async function crashed(t: Running): Promise<string> {
  const file = path.join(temporaryFolder(t), 'hash.db');
  const database = await open(file, assert.fail);
  const store = await createStore(database);
  await store.report(Array.from({ length: 1000 }, (_, i) => reportOf(`t${i}`, `o${i}`, hash(i))));
  await database.close(5000);
  fs.writeFileSync(`${file}-wal`, '');
  return file;
}

describe('the check of a large file after a crash', () => {
  test('holds up no collection, export or checkpoint, and ends with the server', { timeout: 60_000 }, async (t) => {
    const file = await crashed(t);
    const fatal: StorageError[] = [];
    const database = await open(file, (error) => fatal.push(error), { besideFromBytes: 0, sql: ENDLESS });
    const store = await createStore(database);
    const gc = createGc(store);
    await store.report([reportOf('new', 'new', hash(5000))]);
    assert.equal(await gc.mark({ gone: false }, 'm', { unihash: hash(5000) }), 1);
    assert.equal((await database.maintenance.all('SELECT id FROM outhashes_v2 LIMIT 10')).length, 10);
    assert.equal((await database.maintenance.all('PRAGMA wal_checkpoint(PASSIVE)')).length, 1);
    assert.equal(await gc.sweep({ gone: false }, 'm', null), 1000);
    await database.close(5000);
    assert.deepEqual(fatal, []);
    assert.deepEqual(fs.readdirSync(path.dirname(file)), ['hash.db']);
    const again = await open(file, assert.fail);
    assert.equal(await (await createStore(again)).unihash(METHOD, 'new'), hash(5000));
    await again.close(5000);
  });

  for (const [what, besideFromBytes] of [
    ['beside the server', 0],
    ['before the server answers', Number.POSITIVE_INFINITY],
  ] as const) {
    test(`finds a damaged file ${what}`, { timeout: 60_000 }, async (t) => {
      const file = await crashed(t);
      const descriptor = fs.openSync(file, 'r+');
      for (let at = 20 * 4096; at < fs.fstatSync(descriptor).size; at += 4096)
        fs.writeSync(descriptor, Buffer.alloc(64, 0xa5), 0, 64, at);
      fs.closeSync(descriptor);
      const error = await new Promise<StorageError>((resolve, reject) => {
        open(file, resolve, { besideFromBytes }).then(() => {
          if (besideFromBytes > 0) reject(new Error('it was opened'));
        }, resolve);
      });
      assert.equal(error.code, 'storage-corrupt');
      assert.match(error.message, /the database file is damaged .*restore a backup: .*hash\.db/);
      // By this the next start knows that the file is to be checked.
      assert.ok(fs.existsSync(`${file}-wal`));
    });
  }

  test('keeps the log from being emptied in the writer’s turn, until it is done', { timeout: 60_000 }, async (t) => {
    const file = path.join(temporaryFolder(t), 'some.db');
    const awake = setInterval(() => {}, 1000);
    t.after(() => clearInterval(awake));
    let checking = true;
    let firstAt = 0;
    let inTurn = 0;
    let inTurnWhileChecking = 0;
    const emptied = new Promise<void>((resolve) => {
      const maintenance = {
        async all(sql: string) {
          const row = { busy: 0, log: 20_000, checkpointed: checking ? 10_000 : 20_000 };
          if (sql.includes('NOOP')) return [row];
          // The second time comes by itself, a second later: what the check held back is not forgotten.
          firstAt ||= performance.now();
          if (performance.now() - firstAt > 500) checking = false;
          return [row];
        },
      };
      const writer = {
        keepShort() {},
        async between() {
          inTurn++;
          if (checking) inTurnWhileChecking++;
          resolve();
          return { busy: 0, log: 0, checkpointed: 0 };
        },
      };
      const checkpointer = createCheckpointer({
        file,
        mode: { kind: 'immediate' },
        maintenance: maintenance as never,
        writer: writer as never,
        doubt: { again: <T>(task: () => Promise<T>) => task() } as never,
        log: SILENT,
        onFatal: assert.fail,
        checking: () => checking,
        syncFile: async () => {},
      });
      t.after(() => checkpointer.close());
      checkpointer.committed();
    });
    await emptied;
    assert.deepEqual([inTurnWhileChecking, inTurn], [0, 1]);
  });
});
