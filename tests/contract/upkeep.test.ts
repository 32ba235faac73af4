import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { SILENT } from '../../lib/log.ts';
import { openBinding } from '../../lib/storage/sqlite/engine/binding.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { HASH_SCHEMA } from '../../lib/storage/sqlite/hash/schema.ts';
import { PR_SCHEMA } from '../../lib/storage/sqlite/pr/schema.ts';
import { backupDatabase } from '../../lib/storage/sqlite/upkeep/backup.ts';
import { checkFile } from '../../lib/storage/sqlite/upkeep/check.ts';
import { becomesAnother } from '../../lib/storage/sqlite/upkeep/identity.ts';
import { previewRestore, restoreDatabase } from '../../lib/storage/sqlite/upkeep/restore.ts';
import { hash, temporaryFolder } from '../helpers.ts';

/** A database as a live server has it, with a few rows that are still in its log. */
async function live(t: TestContext, folder: string, name = 'live.db') {
  const file = path.join(folder, name);
  const database = await openDatabase({
    file,
    readOnly: false,
    init: false,
    syncMode: { kind: 'immediate' },
    log: SILENT,
    onFatal: (error) => assert.fail(error),
  });
  for (const schema of [HASH_SCHEMA, PR_SCHEMA]) await database.addSchema(schema);
  let open = true;
  const close = async () => {
    if (open) await database.close(1000);
    open = false;
  };
  t.after(close);
  const write = (sql: string, ...params: string[]) =>
    database.writer!.slice((connection) => connection.run(sql, params));
  const unihash = (n: number, value = hash(n)) =>
    write('INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark) VALUES (?, ?, ?, ?)', 'm', hash(n), value, '');
  const pr = (version: string, value: string) =>
    write('INSERT INTO PRMAIN VALUES (?, ?, ?, ?)', version, 'x86', hash(1), value);
  return { file, close, write, unihash, pr };
}

async function rowsIn(file: string, sql: string): Promise<unknown[]> {
  const connection = await openBinding(file, 'read');
  try {
    return await connection.all(sql);
  } finally {
    await connection.close();
  }
}

/** Changes some bytes of a file that nobody has open. */
function damage(file: string): void {
  const descriptor = fs.openSync(file, 'r+');
  for (let at = 4096 + 8; at < fs.statSync(file).size; at += 4096)
    fs.writeSync(descriptor, Buffer.alloc(64, 0xa5), 0, 64, at);
  fs.closeSync(descriptor);
}

describe('when it must end', () => {
  test('a backup and a check do so, with nothing left of the copy', async (t) => {
    const folder = temporaryFolder(t);
    const source = await live(t, folder);
    // Long enough to be met in the middle, wherever that is.
    await source.write(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
      INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark) SELECT 'm', hex(randomblob(32)), 'u', '' FROM n`);
    const target = path.join(folder, 'backup.db');
    for (const begin of [
      (signal: AbortSignal) => backupDatabase(source.file, target, () => {}, signal),
      (signal: AbortSignal) => checkFile(source.file, signal),
    ]) {
      const stop = new AbortController();
      const ended = assert.rejects(begin(stop.signal));
      await new Promise((resolve) => setImmediate(resolve));
      stop.abort('cancel');
      await ended;
    }
    const left = fs.readdirSync(folder).filter((name) => name.includes('backup'));
    assert.deepEqual(left, []);
    await source.unihash(1);
  });
});

describe('a backup', () => {
  test('holds what a live database held at one moment, what is only in its log too', async (t) => {
    const folder = temporaryFolder(t);
    const source = await live(t, folder);
    for (let n = 0; n < 50; n++) await source.unihash(n);
    assert.ok(fs.statSync(`${source.file}-wal`).size > 0, 'the rows are in the log');
    const target = path.join(folder, 'backup.db');
    const seen: number[] = [];
    const bytes = await backupDatabase(source.file, target, (written) => seen.push(written));
    assert.equal(fs.readFileSync(`${source.file}.backed-up`, 'utf8'), `${target}\n`, 'the server is told of it');
    await source.unihash(99);
    assert.deepEqual(await rowsIn(target, 'SELECT count(*) AS n FROM unihashes_v3'), [{ n: 50 }]);
    assert.equal(bytes, fs.statSync(target).size);
    assert.equal(seen.at(-1), bytes);
    assert.equal(fs.statSync(target).mode & 0o777, 0o640);
    assert.deepEqual(fs.readdirSync(folder).sort(), [
      'backup.db',
      'live.db',
      'live.db-shm',
      'live.db-wal',
      'live.db.backed-up',
    ]);
  });

  test('can be read by its owner and group alone, also while it is being written, whatever the umask', async (t) => {
    const folder = temporaryFolder(t);
    const source = await live(t, folder);
    await source.unihash(1);
    const backups = path.join(folder, 'backups');
    fs.mkdirSync(backups);
    const before = process.umask(0);
    t.after(() => void process.umask(before));
    const seen = new Map<string, number>();
    await backupDatabase(source.file, path.join(backups, 'backup.db'), () => {
      for (const name of fs.readdirSync(backups)) seen.set(name, fs.statSync(path.join(backups, name)).mode & 0o777);
    });
    assert.equal(seen.size, 1, 'it was seen under its temporary name');
    assert.deepEqual([...seen.values()], [0o640]);
    assert.equal(fs.statSync(path.join(backups, 'backup.db')).mode & 0o777, 0o640);
  });

  test('overwrites nothing, and leaves nothing behind when it fails', async (t) => {
    const folder = temporaryFolder(t);
    const source = await live(t, folder);
    const target = path.join(folder, 'backup.db');
    fs.writeFileSync(target, 'mine');
    await assert.rejects(backupDatabase(source.file, target), /backup\.db is there already/);
    assert.equal(fs.readFileSync(target, 'utf8'), 'mine');
    await assert.rejects(
      backupDatabase(path.join(folder, 'none.db'), path.join(folder, 'b')),
      /no database at .*none\.db/,
    );
    await assert.rejects(backupDatabase(source.file, path.join(folder, 'no/folder/b')), /storage|cannot be/);
    assert.equal(fs.existsSync(`${source.file}.backed-up`), false, 'only of one that was made');
    assert.deepEqual(fs.readdirSync(folder).sort(), ['backup.db', 'live.db', 'live.db-shm', 'live.db-wal']);
  });

  test('of a damaged database is none', async (t) => {
    const folder = temporaryFolder(t);
    const source = await live(t, folder);
    for (let n = 0; n < 200; n++) await source.unihash(n);
    await source.close();
    damage(source.file);
    await assert.rejects(backupDatabase(source.file, path.join(folder, 'b.db')), { code: 'storage-corrupt' });
    assert.deepEqual(
      fs.readdirSync(folder).filter((name) => name.includes('b.db') && !name.startsWith('live')),
      [],
    );
  });
});

test('looking at a database that nobody has open leaves no log beside it', async (t) => {
  const folder = temporaryFolder(t);
  const source = await live(t, folder);
  await source.pr('a-1-r0', '0');
  await source.close();
  await backupDatabase(source.file, path.join(folder, 'backup.db'));
  await checkFile(source.file);
  await previewRestore(path.join(folder, 'backup.db'), source.file);
  assert.deepEqual(fs.readdirSync(folder).sort(), ['backup.db', 'live.db', 'live.db.backed-up']);
});

describe('a check', () => {
  test('finds a sound database sound and counts its rows', async (t) => {
    const source = await live(t, temporaryFolder(t));
    await source.unihash(1);
    await source.pr('a-1-r0', '0.10');
    const report = await checkFile(source.file);
    assert.deepEqual([report.problems, report.notes], [[], []]);
    assert.deepEqual(report.services, ['hash equivalence', 'PR']);
    assert.deepEqual(report.rows, { unihashes_v3: 1, outhashes_v2: 0, users: 0, config: 0, PRMAIN: 1 });
  });

  test('names rows that no server answers from, and those that only take up room', async (t) => {
    const source = await live(t, temporaryFolder(t));
    await source.unihash(1, 'A'.repeat(64));
    await source.unihash(2, `${hash(2)}\n`);
    for (const value of ['', '1.', '.1', '1..2', '-1', 'abc', '3']) await source.pr(`p${value}`, value);
    await source.write('INSERT INTO outhashes_v2 (method, taskhash, outhash) VALUES (?, ?, ?)', 'm', hash(9), hash(9));
    const { problems, notes } = await checkFile(source.file);
    assert.match(problems[0]!, /^2 unihashes that are not 64 lower-case hex digits: "m 0{63}1", "m 0{63}2"$/);
    assert.match(problems[1]!, /^6 PR values that do not count: .*, …$/);
    assert.equal(problems.length, 2);
    assert.match(notes.join(), /^1 outhash rows whose task has no unihash/);
  });

  test('finds damage, a missing column, and files that are no databases of ours', async (t) => {
    const folder = temporaryFolder(t);
    const source = await live(t, folder);
    for (let n = 0; n < 200; n++) await source.unihash(n);
    await source.close();
    damage(source.file);
    assert.notDeepEqual((await checkFile(source.file)).problems, []);
    fs.writeFileSync(
      path.join(folder, 'text'),
      'no database at all, but longer than a header of one hundred bytes '.repeat(3),
    );
    assert.match((await checkFile(path.join(folder, 'text'))).problems.join(), /not a database/);
    const other = await openBinding(path.join(folder, 'other.db'), 'create');
    await other.exec('CREATE TABLE PRMAIN (version TEXT, pkgarch TEXT, checksum TEXT)');
    await other.close();
    assert.deepEqual((await checkFile(path.join(folder, 'other.db'))).problems, [
      'the table PRMAIN has no column value',
    ]);
    await assert.rejects(checkFile(path.join(folder, 'none')), /no database at/);
  });
});

describe('a restore', () => {
  test('puts the backup in place, keeps what was there, and says which PR values would be given out again', async (t) => {
    const folder = temporaryFolder(t);
    const source = await live(t, folder);
    await source.pr('a-1-r0', '0');
    const backup = path.join(folder, 'backup.db');
    await backupDatabase(source.file, backup);
    await source.pr('a-1-r0', '1');
    await source.pr('b-1-r0', '0');
    await source.pr('b-1-r0', '1');
    assert.deepEqual(await previewRestore(backup, source.file), {
      packages: 2,
      values: 3,
      examples: ['a-1-r0 x86', 'b-1-r0 x86'],
    });
    await source.close();
    const kept = await restoreDatabase(backup, source.file);
    assert.deepEqual(await rowsIn(source.file, 'SELECT version, value FROM PRMAIN'), [
      { version: 'a-1-r0', value: '0' },
    ]);
    assert.deepEqual(await rowsIn(kept!, 'SELECT count(*) AS n FROM PRMAIN'), [{ n: 4 }]);
    const again = await live(t, folder);
    await again.pr('a-1-r0', '1');
  });

  test('is refused while a server has the file, which then goes on', async (t) => {
    const folder = temporaryFolder(t);
    const source = await live(t, folder);
    await source.unihash(1);
    const backup = path.join(folder, 'backup.db');
    await backupDatabase(source.file, backup);
    await assert.rejects(
      restoreDatabase(backup, source.file),
      /a server or another program has .*live\.db: stop it first/,
    );
    await source.unihash(2);
    assert.deepEqual(await rowsIn(source.file, 'SELECT count(*) AS n FROM unihashes_v3'), [{ n: 2 }]);
    assert.deepEqual(
      fs.readdirSync(folder).filter((name) => /before|^\./.test(name)),
      [],
    );
  });

  test('into a place where nothing is only copies', async (t) => {
    const folder = temporaryFolder(t);
    const source = await live(t, folder);
    await source.unihash(1);
    const backup = path.join(folder, 'backup.db');
    await backupDatabase(source.file, backup);
    const target = path.join(folder, 'new.db');
    assert.equal(await restoreDatabase(backup, target), null);
    assert.deepEqual(await rowsIn(target, 'SELECT count(*) AS n FROM unihashes_v3'), [{ n: 1 }]);
  });

  test('makes another database where none is, or that of another server; in its own place it stays the same one', async (t) => {
    const folder = temporaryFolder(t);
    const setId = (at: Awaited<ReturnType<typeof live>>, id: string) =>
      at.write(`INSERT OR REPLACE INTO config (name, value) VALUES ('bakeserv-id', ?)`, id);
    const idIn = async (file: string) => rowsIn(file, `SELECT value FROM config WHERE name = 'bakeserv-id'`);
    const [source, other] = [await live(t, folder), await live(t, folder, 'other.db')];
    const nameless = path.join(folder, 'nameless.db');
    await backupDatabase(source.file, nameless);
    await setId(source, 'the first');
    await setId(other, 'the second');
    await source.unihash(1);
    const backup = path.join(folder, 'backup.db');
    await backupDatabase(source.file, backup);
    for (const each of [source, other]) await each.close();
    const target = path.join(folder, 'new.db');
    const damaged = path.join(folder, 'damaged.db');
    fs.writeFileSync(damaged, 'no database '.repeat(500));
    assert.deepEqual(
      await Promise.all([target, other.file, source.file, damaged].map((file) => becomesAnother(backup, file))),
      [true, true, false, false],
    );
    assert.equal(await becomesAnother(nameless, target), false, 'nobody knows it by an id');
    await restoreDatabase(backup, target, { withNewId: true });
    assert.deepEqual(await idIn(target), []);
    assert.deepEqual(await rowsIn(target, 'SELECT count(*) AS n FROM unihashes_v3'), [{ n: 1 }]);
    await restoreDatabase(backup, source.file);
    assert.deepEqual(await idIn(source.file), [{ value: 'the first' }]);
    const left = fs.readdirSync(folder).filter((name) => name.startsWith('.'));
    assert.deepEqual(left, []);
  });

  test('of a file that has a log beside it, or is the database itself, is refused', async (t) => {
    const folder = temporaryFolder(t);
    const source = await live(t, folder);
    await source.unihash(1);
    await assert.rejects(restoreDatabase(source.file, path.join(folder, 'new.db')), /has a log beside it/);
    await source.close();
    await assert.rejects(restoreDatabase(source.file, source.file), /are the same file/);
    assert.deepEqual(fs.readdirSync(folder), ['live.db']);
  });

  test('gives the backup the rights of the database that was there', async (t) => {
    const folder = temporaryFolder(t);
    const source = await live(t, folder);
    const backup = path.join(folder, 'backup.db');
    await backupDatabase(source.file, backup);
    await source.close();
    fs.chmodSync(source.file, 0o664);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) fs.chownSync(source.file, 1234, 4321);
    await restoreDatabase(backup, source.file);
    const { mode, uid, gid } = fs.statSync(source.file);
    assert.equal(mode & 0o777, 0o664);
    if (isRoot) assert.deepEqual([uid, gid], [1234, 4321]);
  });
});
