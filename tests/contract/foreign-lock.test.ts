import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { HashStore } from '../../lib/hashserv/store.ts';
import { SILENT } from '../../lib/log.ts';
import type { PrStore } from '../../lib/prserv/store.ts';
import type { Database } from '../../lib/storage/sqlite/engine/database.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createHashStore } from '../../lib/storage/sqlite/hash/store.ts';
import { createPrStore } from '../../lib/storage/sqlite/pr/store.ts';
import { hash, METHOD, type Running, reportOf, temporaryFolder, withSqlite } from './helpers.ts';

interface Stores {
  readonly database: Database;
  readonly hashes: HashStore;
  readonly prs: PrStore;
}

const row = { version: 'p', pkgarch: 'all', checksum: 'c', value: '7' };
const outhashRow = { method: METHOD, taskhash: hash(1), outhash: hash(2), created: '2026-01-01T00:00:00' };
const EVERY_ROW = [1, 2, 3];
const unihash = [['unihash', hash(900)]] as const;

/** Every way a client has to write, once `fill` has given it something to write on. */
const WRITES: Readonly<Record<string, (stores: Stores) => Promise<unknown>>> = {
  report: ({ hashes }) => hashes.report([reportOf(hash(10), hash(11), hash(12))]),
  'report-equiv': ({ hashes }) => hashes.reportEquivalent([{ method: METHOD, taskhash: hash(20), unihash: hash(21) }]),
  backfill: ({ hashes }) => hashes.keepOuthashes([outhashRow]),
  'get-pr': ({ prs }) => prs.getPr([{ version: 'p', pkgarch: 'all', checksum: 'new', history: false }]),
  'import-one': ({ prs }) => prs.importRows([row]),
  'gc-mark by unihash': ({ hashes }) => hashes.gcMarkKeys('current', [unihash]),
  'gc-mark by method': ({ hashes }) => hashes.gcSetMark('current'),
  'gc-mark slice': ({ hashes }) =>
    hashes.gcApply({ kind: 'mark', mark: 'current', where: [['method', METHOD]] }, EVERY_ROW),
  'gc-sweep': ({ hashes }) => hashes.gcApply({ kind: 'sweep', mark: 'current' }, EVERY_ROW),
  remove: ({ hashes }) => hashes.gcApply({ kind: 'remove', table: 'unihashes', where: unihash }, EVERY_ROW),
  'clean-unused': ({ hashes }) => hashes.gcApply({ kind: 'clean-unused', before: '9999' }, EVERY_ROW),
  'row import': ({ hashes }) => hashes.importRows('unihashes', [[METHOD, hash(30), hash(31)]]),
  'new-user': ({ hashes }) => hashes.createUser('new', 'token', '@read'),
  'set-user-perms': ({ hashes }) => hashes.setPermissions('known', '@report'),
  'refresh-token': ({ hashes }) => hashes.setToken('known', 'other'),
  'delete-user': ({ hashes }) => hashes.deleteUser('known'),
};

const COMBINATIONS = [
  ...Object.keys(WRITES).map((name) => [name]),
  ['report', 'report-equiv'],
  ['report', 'get-pr', 'import-one'],
  ['gc-mark slice', 'report'],
  Object.keys(WRITES),
];

async function openStores(t: Running, file: string): Promise<Stores> {
  const rest = { readOnly: false, init: false, syncMode: { kind: 'on_shutdown' }, log: SILENT } as const;
  const database = await openDatabase({ file, ...rest, onFatal: (error) => assert.fail(error) });
  t.after(() => database.close(1000));
  return {
    database,
    hashes: await createHashStore({ database, cacheBytes: 1024 * 1024, log: SILENT }),
    prs: await createPrStore(database, SILENT),
  };
}

/** Something for every write to find. */
async function fill({ hashes }: Stores): Promise<void> {
  await hashes.report([reportOf(hash(901), hash(902), hash(900))]);
  await hashes.gcSetMark('current');
  await hashes.createUser('known', 'token', '@read');
  await hashes.keepOuthashes([{ ...outhashRow, taskhash: hash(903) }]);
}

describe('after another program held the write lock for longer than a writer waits', { concurrency: true }, () => {
  for (const names of COMBINATIONS) {
    const what = names.length === COMBINATIONS.at(-1)!.length ? 'every kind of write at once' : names.join(' with ');
    test(`${what} goes on as soon as it let go`, async (t) => {
      const file = path.join(temporaryFolder(t), 'one.db');
      const stores = await openStores(t, file);
      await fill(stores);
      const write = () => names.map((name) => WRITES[name]!(stores));
      await withSqlite(file, async (run) => {
        await run('BEGIN IMMEDIATE');
        await run("INSERT INTO config (name, value) VALUES ('theirs', 'x')");
        await Promise.all(write().map((each) => assert.rejects(each, { code: 'storage-busy' })));
        // As the server does every 100 ms. A statement that had stayed active would now pin what it sees.
        await stores.database.writer!.between((connection) => connection.all('PRAGMA data_version'));
        await run('COMMIT');
      });
      // The others first, as the same statement run again would have healed what it had left active.
      const others = Object.keys(WRITES).filter((name) => !names.includes(name));
      for (const name of others) await WRITES[name]!(stores);
      await Promise.all(write());
    });
  }
});
