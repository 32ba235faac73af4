import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { InvokeError } from '../../lib/errors.ts';
import { SILENT } from '../../lib/log.ts';
import { isWriteFailure, toStorageError } from '../../lib/storage/sqlite/engine/errors.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createPrStore } from '../../lib/storage/sqlite/pr/store.ts';
import { assertWhole, TORN } from '../torture/rounds.ts';
import {
  afterwards,
  askAsBitBake,
  assertRefused,
  eventually,
  getPr,
  METHOD,
  report,
  reportOf,
  serve,
  storedUnihash,
  temporaryFolder,
} from './helpers.ts';
import { cannotMount } from './needs.ts';
import { fill, smallDisk } from './small-disk.ts';

/** SQLite's extended result codes. */
const [FULL, WRITE, FSYNC, DIR_FSYNC, SHM_SIZE] = [13, 778, 1034, 1290, 4874];
const sqliteError = (errno: number | undefined) => Object.assign(new Error('UNKNOWN: disk I/O error'), { errno });

describe('on a full disk', { concurrency: true, skip: cannotMount() }, () => {
  test('writes are refused as storage full, reads go on, and with space freed writes go on', async (t) => {
    const databases = smallDisk(t, 16);
    const server = await serve(t, { folder: temporaryFolder(t), databases });
    const [client, prClient] = [await server.hash(), await server.pr()];
    const free = fill(databases, 2 * 1024 * 1024);
    const told = new Map<string, string>();
    const refused = new Set<string>();
    const siginfo = { outhash_siginfo: 'x'.repeat(20_000) };
    const write = async (name: string) => {
      try {
        told.set(name, await report(client, name, siginfo));
      } catch (error) {
        assert.ok(error instanceof InvokeError, String(error));
        assert.match(error.message, /storage full/);
        refused.add(name);
      }
    };
    for (let i = 0; refused.size < 30 && i < 2000; i += 10)
      await Promise.all(Array.from({ length: 10 }, (_, j) => write(`task${i + j}`)));
    assert.ok(told.size > 20 && refused.size >= 30, `${told.size} stored, ${refused.size} refused`);
    await assert.rejects(async () => {
      for (let i = 0; i < 2000; i++) await getPr(prClient, 'p', `${i} ${'c'.repeat(900)}`);
    }, /storage full/);

    // The build of a client that does not ask to be told goes on.
    let tries = 0;
    await eventually(20_000, async () => {
      // A small report may still find room: then it is stored, and another one is tried.
      const name = `of a build ${tries++}`;
      const answer = await askAsBitBake(server, { report: reportOf(name, siginfo) });
      if (answer !== 'without') told.set(name, (answer as { unihash: string }).unihash);
      assert.equal(answer, 'without');
    });

    // Reads go on, and say the truth about both kinds.
    for (const [name, unihash] of told) assert.equal(await storedUnihash(client, name), unihash);
    for (const name of refused) assert.equal(await storedUnihash(client, name), null);

    free();
    const unihash = await eventually(20_000, () => report(client, 'after', siginfo));
    assert.equal(await storedUnihash(client, 'after'), unihash);
    await eventually(20_000, () => getPr(prClient, 'q', 'c'));
    assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr());
    const database = await assertWhole(t, path.join(databases, 'hashserv.db'));
    assert.deepEqual(await database.all(TORN), []);
    assert.deepEqual(await database.all('SELECT count(*) AS n FROM outhashes_v2'), [{ n: told.size + 1 }]);
    await database.close();
    await (await assertWhole(t, path.join(databases, 'prserv.db'))).close();
  });

  test('that nothing else has filled, room is left to delete rows, and what they took is written to again', async (t) => {
    const databases = smallDisk(t, 12);
    const server = await serve(t, { folder: temporaryFolder(t), databases });
    const client = await server.hash();
    const siginfo = { outhash_siginfo: 'x'.repeat(100_000) };
    const told: string[] = [];
    await assert.rejects(async () => {
      for (let i = 0; i < 200; i += 10) {
        const names = Array.from({ length: 10 }, (_, j) => `task${i + j}`);
        told.push(...(await Promise.all(names.map((name) => report(client, name, siginfo)))));
      }
    }, /storage full/);
    assert.ok(told.length >= 20, `${told.length} reports were stored`);
    await client.invoke('remove', { where: { method: METHOD } });
    for (let i = 0; i < 10; i++) await report(client, `again${i}`, siginfo);
    assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr());
    await (await assertWhole(t, path.join(databases, 'hashserv.db'))).close();
  });

  test('a server stops with status 0, and loses nothing it answered', async (t) => {
    const databases = smallDisk(t, 8);
    const server = await serve(t, { folder: temporaryFolder(t), databases });
    const client = await server.hash();
    const unihash = await report(client, 'a', { outhash_siginfo: 'x'.repeat(1_000_000) });
    const free = fill(databases, 0);
    assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr());
    free();
    const next = await serve(t, { folder: temporaryFolder(t), databases });
    assert.equal(await storedUnihash(await next.hash(), 'a'), unihash);
  });

  test('a server starts with the administrator it has, as nothing needs to be written for that', async (t) => {
    const databases = smallDisk(t, 8);
    const args = ['--admin-user', 'admin', '--admin-password', 'secret'];
    const first = await serve(t, { folder: temporaryFolder(t), databases, args });
    const unihash = await report(await first.hash(), 'a');
    await first.stop();
    // For the two -shm files, and not for a page in a -wal.
    fill(databases, 64 * 1024);
    const next = await serve(t, { folder: temporaryFolder(t), databases, args });
    assert.equal(await storedUnihash(await next.hash(), 'a'), unihash);
    await assert.rejects(serve(t, { folder: temporaryFolder(t), databases, args: [...args.slice(0, 3), 'other'] }));
  });

  test('a read-only server starts, and sees what is written once there is space', async (t) => {
    const databases = smallDisk(t, 8);
    const first = await serve(t, { folder: temporaryFolder(t), databases });
    const unihash = await report(await first.hash(), 'a');
    await first.stop();
    const free = fill(databases, 0);
    const reader = await (await serve(t, { folder: temporaryFolder(t), databases, args: ['--read-only'] })).hash();
    assert.equal(await storedUnihash(reader, 'a'), unihash);
    free();
    const writer = await serve(t, { folder: temporaryFolder(t), databases });
    const later = await report(await writer.hash(), 'b');
    await writer.stop();
    await eventually(20_000, async () => assert.equal(await storedUnihash(reader, 'b'), later));
  });

  test('a read-only server beside a log that it cannot read there says that space is wanting', async (t) => {
    const databases = smallDisk(t, 8);
    const first = await serve(t, { folder: temporaryFolder(t), databases });
    await report(await first.hash(), 'a');
    await first.stop('SIGKILL');
    for (const name of fs.readdirSync(databases)) if (name.endsWith('-shm')) fs.rmSync(path.join(databases, name));
    fill(databases, 0);
    const readOnly = { folder: temporaryFolder(t), databases, args: ['--read-only'] };
    await assertRefused(readOnly, 1, /a write-ahead log that cannot be read here; .* or free some disk space/);
  });

  test('a server without a database says so in one line and leaves nothing behind', async (t) => {
    const databases = smallDisk(t, 1);
    fill(databases, 0);
    await assertRefused({ folder: temporaryFolder(t), databases }, 1, /hashserv\.db.*storage full/);
    assert.deepEqual(fs.readdirSync(databases), ['filler']);
  });

  test('a -shm file that cannot grow counts as storage full and not as fatal', (t) => {
    const folder = smallDisk(t, 1);
    const file = path.join(folder, 'x.db');
    fs.writeFileSync(file, '');
    assert.ok(isWriteFailure(toStorageError(sqliteError(SHM_SIZE), file)));
    fill(folder, 0);
    assert.equal(toStorageError(sqliteError(SHM_SIZE), file).code, 'storage-full');
  });

  test('a sync that fails is fatal all the same, and so is a write that fails for anything but space', (t) => {
    const folder = smallDisk(t, 1);
    const file = path.join(folder, 'x.db');
    fs.writeFileSync(file, '');
    fill(folder, 0);
    for (const code of [FSYNC, DIR_FSYNC, WRITE]) assert.ok(isWriteFailure(toStorageError(sqliteError(code), file)));
    assert.equal(toStorageError(sqliteError(FULL), file).code, 'storage-full');
  });
});

test('at the size limit of a database writes are refused as storage full, reads go on, and it heals', async (t) => {
  const file = path.join(temporaryFolder(t), 'pr.db');
  const options = { file, readOnly: false, init: false, syncMode: { kind: 'immediate' } as const, log: SILENT };
  const database = await openDatabase({ ...options, onFatal: (error) => assert.fail(error) });
  afterwards(t, () => database.close(1000));
  const store = await createPrStore(database, SILENT);
  const limit = (pages: number) =>
    database.writer!.between((connection) => connection.all(`PRAGMA max_page_count = ${pages}`));
  const ask = async (i: number) => {
    const request = { version: 'p', pkgarch: 'all', checksum: `${i} ${'c'.repeat(900)}`, history: false };
    return Number((await store.getPr([request]))[0]);
  };
  assert.equal(await ask(0), 0);
  await limit(20);
  let given = 1;
  await assert.rejects(
    async () => {
      for (; given < 1000; given++) assert.equal(await ask(given), given);
    },
    { code: 'storage-full' },
  );
  assert.deepEqual(await store.maxima([{ version: 'p', pkgarch: 'all' }]), [String(given - 1)]);
  await limit(1_000_000);
  // The value that was refused is not skipped.
  assert.equal(await ask(given), given);
});
