import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type LogFields, SILENT } from '../../lib/log.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createHashStore } from '../../lib/storage/sqlite/hash/store.ts';
import { createPrStore } from '../../lib/storage/sqlite/pr/store.ts';
import { hash, METHOD, temporaryFolder, withSqlite } from './helpers.ts';

/** Opens a file, and keeps what was warned of. */
async function opening(t: TestContext, file: string) {
  const warnings: { message: string; fields: LogFields }[] = [];
  const log = { ...SILENT, warn: (message: string, fields: LogFields = {}) => void warnings.push({ message, fields }) };
  const rest = { readOnly: false, init: true, syncMode: { kind: 'on_shutdown' } } as const;
  const database = await openDatabase({ file, ...rest, log, onFatal: assert.fail });
  t.after(() => database.close(1000));
  return { database, log, warnings };
}

test('values of an older PR table are carried where they can be counted on from, and warned of where not', async (t) => {
  const file = path.join(temporaryFolder(t), 'old.db');
  await withSqlite(file, async (run) => {
    await run('CREATE TABLE PRMAIN_nohist (version TEXT, pkgarch TEXT, checksum TEXT, value INTEGER)');
    const insert = 'INSERT INTO PRMAIN_nohist VALUES (?, ?, ?, ?)';
    for (const [version, checksum, value] of [
      ['whole', 'a', 7],
      ['dotted', 'a', '1.2.3'],
      ['real', 'a', 1.5],
      ['mixed', 'a', -4],
      ['mixed', 'b', 3],
      ['negative', 'a', -1],
      ['nothing', 'a', null],
      ['words', 'a', 'r5'],
    ] as const)
      await run(insert, [version, 'all', checksum, value]);
    await run("INSERT INTO PRMAIN_nohist VALUES ('blob', 'all', 'a', x'37')");
  });
  const { database, log, warnings } = await opening(t, file);
  const store = await createPrStore(database, log);
  const versions = ['whole', 'dotted', 'real', 'mixed', 'negative', 'nothing', 'words', 'blob'];
  const maxima = await store.maxima(versions.map((version) => ({ version, pkgarch: 'all' })));
  assert.deepEqual(maxima, ['7', '1.2.3', '1.5', '3', null, null, null, null]);
  assert.deepEqual(
    warnings.map(({ fields: { rows, packages, names } }) => ({ rows, packages, names })),
    [
      { rows: 5, packages: undefined, names: undefined },
      { rows: undefined, packages: 4, names: 'blob all, negative all, nothing all, words all' },
    ],
  );
  assert.match(warnings[1]!.message, /begin again at 0, unless the last value they were given is imported/);
});

test('blobs in an older hash table become texts, which are found and answered', async (t) => {
  const file = path.join(temporaryFolder(t), 'old.db');
  await withSqlite(file, async (run) => {
    await run('CREATE TABLE unihashes_v2 (id INTEGER PRIMARY KEY, method TEXT, taskhash TEXT, unihash TEXT)');
    const insert = 'INSERT INTO unihashes_v2 (method, taskhash, unihash) VALUES (?, CAST(? AS BLOB), CAST(? AS BLOB))';
    await run(insert, [METHOD, hash(1), hash(2)]);
  });
  const { database, log } = await opening(t, file);
  const store = await createHashStore({ database, log, cacheBytes: 1024 * 1024 });
  assert.deepEqual(await store.unihashes([`${METHOD} ${hash(1)}`]), [hash(2)]);
});

test('what a start that was killed left beside the database goes, and what another start works with stays', async (t) => {
  const folder = temporaryFolder(t);
  const [old, fresh, other] = ['.h.db.0123456789ab', '.h.db.ba9876543210', '.h.db.notes'];
  const longAgo = new Date(Date.now() - 3_600_000);
  for (const name of [old, `${old}-wal`, fresh, other]) fs.writeFileSync(path.join(folder, name), '');
  for (const name of [old, `${old}-wal`, other]) fs.utimesSync(path.join(folder, name), longAgo, longAgo);
  await opening(t, path.join(folder, 'h.db'));
  const left = fs.readdirSync(folder).filter((name) => name.startsWith('.'));
  assert.deepEqual(left.sort(), [fresh, other].sort());
});
