import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import sqlite3 from 'sqlite3';
import type { StorageError } from '../../lib/errors.ts';
import { SILENT } from '../../lib/log.ts';
import { type Database, openDatabase } from '../../lib/storage/sqlite/database.ts';
import { temporaryFolder } from './helpers.ts';

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
