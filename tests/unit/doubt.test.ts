import assert from 'node:assert/strict';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { StorageError } from '../../lib/errors.ts';
import { SILENT } from '../../lib/log.ts';
import { createDoubt } from '../../lib/storage/sqlite/engine/doubt.ts';
import { toStorageError } from '../../lib/storage/sqlite/engine/errors.ts';
import { createDatabaseFile } from '../../lib/storage/sqlite/file/new-file.ts';
import { temporaryFolder } from '../helpers.ts';

const CORRUPT = 11;
const FSYNC = 1034;
const sqliteError = (errno: number) =>
  toStorageError(Object.assign(new Error('UNKNOWN: failed'), { errno }), '/dev/null');

/** A task that fails so often; `runs` is how often it was run. */
function failing(times: number, error: Error = sqliteError(CORRUPT)) {
  let runs = 0;
  const task = async () => {
    if (++runs <= times) throw error;
    return 'answer';
  };
  return { task, runs: () => runs };
}

/** Doubt about a whole file, or what a check of it is made to say. */
async function doubting(t: TestContext, checkSql?: string) {
  const file = path.join(temporaryFolder(t), 'one.db');
  await createDatabaseFile(file);
  const held: (string | null)[] = [];
  const fatal: StorageError[] = [];
  let changed = () => {};
  const doubt = createDoubt({
    file,
    log: SILENT,
    checkSql,
    hold(reason) {
      held.push(reason?.clientText ?? null);
      changed();
    },
    onFatal(error) {
      fatal.push(error);
      changed();
    },
  });
  const until = async (done: () => boolean) => {
    while (!done()) await new Promise<void>((resolve) => (changed = resolve));
  };
  return { doubt, held, fatal, until };
}

test('a read that fails once is run again, and answered', async (t) => {
  const { doubt, held, fatal } = await doubting(t);
  const { task, runs } = failing(1);
  assert.equal(await doubt.again(task), 'answer');
  assert.deepEqual([runs(), held, fatal], [2, [], []]);
});

test('what fails for another reason is not run again', async (t) => {
  const { doubt, held, fatal } = await doubting(t);
  const { task, runs } = failing(9, sqliteError(FSYNC));
  await assert.rejects(doubt.again(task), { code: 'storage-io' });
  assert.deepEqual([runs(), held, fatal], [1, [], []]);
});

test('reads that fail twice have the file checked, with writes refused meanwhile; whole, it goes on', async (t) => {
  const { doubt, held, fatal, until } = await doubting(t);
  await assert.rejects(doubt.again(failing(2).task), { code: 'storage-corrupt' });
  await until(() => held.includes(null));
  assert.deepEqual([held, fatal], [['the database file is being checked', null], []]);
});

test('where reads fail again after such a check, the server ends, and the file is not called damaged', async (t) => {
  const { doubt, held, fatal, until } = await doubting(t);
  await assert.rejects(doubt.again(failing(2).task));
  await until(() => held.includes(null));
  await assert.rejects(doubt.again(failing(2).task));
  await until(() => fatal.length > 0);
  assert.match(fatal[0]!.message, /keeps failing although a check found it whole/);
  assert.equal(fatal[0]!.code, 'storage-io');
});

test('a file that the check finds damaged ends the server, and is called so', async (t) => {
  const { doubt, fatal, until } = await doubting(t, "SELECT 'row 7 missing from index' AS quick_check");
  await assert.rejects(doubt.again(failing(2).task));
  await until(() => fatal.length > 0);
  assert.match(fatal[0]!.message, /the database file is damaged \(row 7 missing from index\); restore a backup/);
});

test('a file whose pages cannot be read ends the server, and is not called damaged', async (t) => {
  const unreadable = "SELECT 'Tree 2 page 9: unable to get the page. error code=8458' AS quick_check";
  const { doubt, fatal, until } = await doubting(t, unreadable);
  await assert.rejects(doubt.again(failing(2).task));
  await until(() => fatal.length > 0);
  assert.match(fatal[0]!.message, /the database file cannot be read \(.*\); look at the disk/);
});
