import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import {
  askAsBitBake,
  assertRefused,
  type Context,
  eventually,
  getPr,
  hash,
  METHOD,
  report,
  reportOf,
  runToEnd,
  type ServerProcess,
  serve,
  serveArgs,
  storedUnihash,
  temporaryFolder,
} from './helpers.ts';
import { openOther } from './sqlite.ts';

const STOPPED_BY_DATABASE = { status: 3, signal: null };
const ROWS = 3000;

/** A folder with a database of a few hundred pages. */
async function filledFolder(t: Context): Promise<string> {
  const folder = temporaryFolder(t);
  await (await serve(t, { folder })).stop();
  const database = await openOther(t, path.join(folder, 'hashserv.db'));
  await database.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
    INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark)
      SELECT '${METHOD}', printf('%064x', i), printf('%064x', i), '' FROM n`);
  await database.close();
  return folder;
}

/** Overwrites every page but the first two and those to spare, as a dying disk might. No process has the file open, or only in memory. */
function damage(file: string, spare: readonly number[] = []): void {
  const descriptor = fs.openSync(file, 'r+');
  const { size } = fs.fstatSync(descriptor);
  for (let page = 3; page <= size / 4096; page++)
    if (!spare.includes(page)) fs.writeSync(descriptor, Buffer.alloc(64, 0xa5), 0, 64, (page - 1) * 4096);
  fs.closeSync(descriptor);
}

/** Damages what a start does not read: it looks for the newest outhash, and there is none. */
async function damageBeyondStart(t: Context, folder: string): Promise<void> {
  const file = path.join(folder, 'hashserv.db');
  const database = await openOther(t, file);
  const roots = await database.all<{ rootpage: number }>(
    "SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = 'outhashes_v2'",
  );
  await database.close();
  assert.equal(roots.length, 1);
  damage(
    file,
    roots.map(({ rootpage }) => rootpage),
  );
}

describe('a damaged database file', { concurrency: true }, () => {
  test('is found after an unclean stop: the server refuses with status 3 and says so', async (t) => {
    const folder = await filledFolder(t);
    const server = await serve(t, { folder });
    await report(await server.hash(), 'a');
    await server.stop('SIGKILL');
    assert.ok(fs.statSync(path.join(folder, 'hashserv.db-wal')).size > 0);
    damage(path.join(folder, 'hashserv.db'));
    await assertRefused({ folder }, 3, /the database file is damaged .*restore a backup: .*hashserv\.db/);
  });

  test('is refused by every further start too, and the log that was left is not written into it', async (t) => {
    const folder = await filledFolder(t);
    const server = await serve(t, { folder });
    await report(await server.hash(), 'a');
    await server.stop('SIGKILL');
    const file = path.join(folder, 'hashserv.db');
    damage(file);
    const left = [file, `${file}-wal`].map((each) => fs.readFileSync(each));
    for (let start = 0; start < 3; start++) await assertRefused({ folder }, 3, /the database file is damaged/);
    for (const [i, each] of [file, `${file}-wal`].entries()) assert.ok(left[i]!.equals(fs.readFileSync(each)), each);
  });

  test('is found by a start that reads of it: the server ends with status 3 and listens nowhere', async (t) => {
    const folder = await filledFolder(t);
    damage(path.join(folder, 'hashserv.db'));
    const { status, stdout, stderr } = await runToEnd(serveArgs({ folder }), folder);
    assert.deepEqual([status, stdout], [3, ''], stderr);
    assert.match(stderr, /^bakeserv: the database file is damaged: .*hashserv\.db$/m);
  });

  test('ends a running server with status 3, and nothing is answered as stored after it was noticed', async (t) => {
    const folder = await filledFolder(t);
    await damageBeyondStart(t, folder);
    // A clean stop came before: the file is not checked, and its schema can be read. Nothing is read into memory.
    const server = await serve(t, { folder, args: ['--cache-size', '0'] });
    const client = await server.hash();
    await assert.rejects(async () => {
      for (let i = 0; i < 100; i++) await report(client, `task${i}`);
    });
    assert.deepEqual(await server.ended, STOPPED_BY_DATABASE);
    assert.match(server.stderr(), /error: the database failed: the server stops .*hashserv\.db/);
    // Starting it again is no use, and it knows.
    await assertRefused({ folder }, 3, /the database file is damaged/);
  });

  test('ends a running server with status 3 when a read finds it', async (t) => {
    const folder = await filledFolder(t);
    await damageBeyondStart(t, folder);
    const server = await serve(t, { folder, args: ['--cache-size', '0'] });
    const client = await server.hash();
    await assert.rejects(client.invoke('get', { method: METHOD, taskhash: hash('anything') }), /damaged/);
    assert.deepEqual(await server.ended, STOPPED_BY_DATABASE);
  });

  test('ends a server of two workers with status 3 while a job of theirs is on, once, and no worker is started again', async (t) => {
    const folder = await filledFolder(t);
    await damageBeyondStart(t, folder);
    const server = await serve(t, { folder, args: ['--workers', '2', '--cache-size', '0'] });
    const clients = [await server.hash(), await server.hash()];
    // Goes through the table, wherever the client is.
    await clients[1]!
      .invoke('job-start', { kind: 'remove-hashes', parameters: { where: { method: METHOD } } })
      .catch(() => {});
    assert.deepEqual(await server.ended, STOPPED_BY_DATABASE);
    assert.doesNotMatch(server.stderr(), /another takes its place/);
    assert.match(server.stderr(), /hashserv\.db.*damaged|damaged.*hashserv\.db/);
  });

  test('that is no database at all is refused in one line', async (t) => {
    const folder = temporaryFolder(t);
    const file = path.join(folder, 'hashserv.db');
    fs.writeFileSync(file, 'this is a letter to my aunt\n'.repeat(1000));
    await assertRefused({ folder }, 3, /the file is not a SQLite database, or is damaged: .*hashserv\.db/);
    assert.match(fs.readFileSync(file, 'utf8'), /^this is a letter/);
    await assertRefused(
      { folder, args: ['--read-only', '--no-prserv'] },
      3,
      /the file is not a SQLite database, or is damaged/,
    );
  });

  for (const name of ['hashserv.db', 'prserv.db']) {
    test(`of zero bytes (${name}) is refused unless --init says that it is meant`, async (t) => {
      const folder = temporaryFolder(t);
      const file = path.join(folder, name);
      fs.writeFileSync(file, '');
      await assertRefused({ folder }, 2, new RegExp(`${name} is empty \\(0 bytes\\).*--init`));
      await assertRefused({ folder, args: ['--read-only'] }, 2, new RegExp(`${name} is empty \\(0 bytes\\)`));
      assert.equal(fs.statSync(file).size, 0);
      const server = await serve(t, { folder, args: ['--init'] });
      assert.equal(await getPr(await server.pr(), 'p', 'c'), '0');
      await report(await server.hash(), 'a');
    });
  }

  test('that is a folder is refused in one line', async (t) => {
    const folder = temporaryFolder(t);
    fs.mkdirSync(path.join(folder, 'hashserv.db'));
    await assertRefused({ folder }, 2, /hashserv\.db is not a file/);
  });

  test('in a folder that does not exist is refused in one line', async (t) => {
    const folder = temporaryFolder(t);
    const databases = path.join(folder, 'missing');
    await assertRefused({ folder, databases }, 2, /the folder of the database does not exist: .*missing/);
  });
});

describe('a database file that goes away while the server runs', { concurrency: true }, () => {
  /** Resolves once a write is refused for the reason, which must be within a second or so. */
  async function refusedSoon(write: () => Promise<unknown>, reason: RegExp): Promise<void> {
    await eventually(20_000, () => assert.rejects(write, reason));
  }

  const SERVICES = [
    {
      service: 'hash equivalence',
      name: 'hashserv.db',
      open: (server: ServerProcess) => server.hash(),
      write: (client: Awaited<ReturnType<ServerProcess['hash']>>, n: string) => report(client, n),
      read: async (client: Awaited<ReturnType<ServerProcess['hash']>>) =>
        assert.notEqual(await storedUnihash(client, 'before'), null),
    },
    {
      service: 'PR',
      name: 'prserv.db',
      open: (server: ServerProcess) => server.pr(),
      write: (client: Awaited<ReturnType<ServerProcess['pr']>>, n: string) => getPr(client, 'p', n),
      read: async (client: Awaited<ReturnType<ServerProcess['pr']>>) =>
        assert.notEqual(await client.invoke('max-package-pr', { version: 'p', pkgarch: 'core2-64' }), { value: null }),
    },
  ] as const;

  for (const { service, name, open, write, read } of SERVICES) {
    test(`${service}: writes are refused, reads go on, and with the same file back writes go on`, async (t) => {
      const folder = temporaryFolder(t);
      const server = await serve(t, { folder });
      const client = await open(server);
      await write(client, 'before');
      const file = path.join(folder, name);
      fs.renameSync(file, `${file}.away`);
      await refusedSoon(
        () => write(client, `gone${Math.random()}`),
        /the database file was removed while the server ran/,
      );
      if (service === 'hash equivalence')
        assert.equal(await askAsBitBake(server, { report: reportOf('of a build') }), 'without');
      await read(client);
      assert.match(server.stderr(), /database file lost: writes are refused/);

      fs.renameSync(`${file}.away`, file);
      await eventually(20_000, () => write(client, 'after'));
      assert.match(server.stderr(), /the database file is back: writes go on/);
      assert.deepEqual(await server.stop(), { status: 0, signal: null });
      assert.deepEqual(fs.readdirSync(folder).sort(), ['bakeserv-figures', 'hashserv.db', 'prserv.db']);
    });
  }

  test('before anybody has read from it: reads go on', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder });
    const client = await server.hash();
    fs.renameSync(path.join(folder, 'hashserv.db'), path.join(folder, 'away'));
    await server.logged(/database file lost: writes are refused/);
    assert.equal(await storedUnihash(client, 'unknown'), null);
    assert.equal(await client.invoke('get-outhash', reportOf('unknown')), null);
    assert.deepEqual(await client.invoke('gc-status', {}), { keep: 0, remove: 0, mark: null });
  });

  test('and is replaced by another: writes are refused, and the other file is left alone', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder });
    const client = await server.hash();
    await report(client, 'before');
    const other = temporaryFolder(t);
    await (await serve(t, { folder: other })).stop();
    const file = path.join(folder, 'hashserv.db');
    fs.renameSync(path.join(other, 'hashserv.db'), file);
    const contents = fs.readFileSync(file);
    await refusedSoon(() => report(client, `x${Math.random()}`), /was replaced by another file while the server ran/);
    assert.notEqual(await storedUnihash(client, 'before'), null);
    await server.stop();
    assert.deepEqual(fs.readFileSync(file), contents);
  });
});
