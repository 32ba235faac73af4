import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import {
  assertRefused,
  type Context,
  field,
  getPr,
  mount,
  report,
  serve,
  storedUnihash,
  temporaryFolder,
} from './helpers.ts';
import { cannotMount } from './needs.ts';

/** A folder with both databases and a row in each. */
async function filledFolder(t: Context): Promise<string> {
  const folder = temporaryFolder(t);
  const server = await serve(t, { folder });
  await report(await server.hash(), 'a');
  await getPr(await server.pr(), 'p', 'c');
  await server.stop();
  return folder;
}

describe('a read-only server', { concurrency: true }, () => {
  test('without a database says so in one line and creates nothing', async (t) => {
    const folder = temporaryFolder(t);
    await assertRefused(
      { folder, args: ['--read-only'] },
      2,
      /no database at .*hashserv\.db; a read-only server creates nothing/,
    );
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  test('on a file without its tables says which in one line and changes nothing', async (t) => {
    const folder = temporaryFolder(t);
    await (await serve(t, { folder, args: ['--no-prserv'] })).stop();
    fs.copyFileSync(path.join(folder, 'hashserv.db'), path.join(folder, 'prserv.db'));
    const before = fs.readFileSync(path.join(folder, 'prserv.db'));
    await assertRefused({ folder, args: ['--read-only'] }, 1, /prserv\.db has no PR table PRMAIN/);
    assert.deepEqual(fs.readFileSync(path.join(folder, 'prserv.db')), before);
  });

  test('answers from its databases, refuses what would write, and leaves the files as they were', async (t) => {
    const folder = await filledFolder(t);
    const contents = () => ['hashserv.db', 'prserv.db'].map((name) => fs.readFileSync(path.join(folder, name)));
    const before = contents();
    const server = await serve(t, { folder, args: ['--read-only'] });
    const [hashClient, prClient] = [await server.hash(), await server.pr()];
    assert.notEqual(await storedUnihash(hashClient, 'a'), null);
    await report(hashClient, 'b');
    assert.equal(await storedUnihash(hashClient, 'b'), null);
    assert.equal(await getPr(prClient, 'p', 'new'), '1');
    await assert.rejects(hashClient.invoke('remove', { where: { method: 'x' } }), /read-only/);
    await server.stop();
    assert.deepEqual(contents(), before);
  });

  test('sees what a writing server beside it stores', async (t) => {
    const folder = temporaryFolder(t);
    const writing = await serve(t, { folder });
    const reading = await serve(t, { folder, socket: 'reading', args: ['--read-only'] });
    await report(await writing.hash(), 'fresh');
    assert.notEqual(await storedUnihash(await reading.hash(), 'fresh'), null);
  });
});

describe('on a read-only mount', { concurrency: true, skip: cannotMount() }, () => {
  /** The databases under a second, read-only path; the socket needs a folder that can be written. */
  function readOnlyView(t: Context, folder: string) {
    const databases = temporaryFolder(t);
    mount(t, ['--bind', '-o', 'ro', folder], databases);
    return { folder: temporaryFolder(t), databases };
  }

  test('a read-only server starts and answers', async (t) => {
    const view = readOnlyView(t, await filledFolder(t));
    const server = await serve(t, { ...view, args: ['--read-only'] });
    assert.notEqual(await storedUnihash(await server.hash(), 'a'), null);
    const max = await (await server.pr()).invoke('max-package-pr', { version: 'p', pkgarch: 'core2-64' });
    assert.equal(field(max, 'value'), '0');
  });

  test('a read-only server sees a writer that starts later on another mount of the folder, and loses no row', {
    timeout: 60_000,
  }, async (t) => {
    const folder = await filledFolder(t);
    const view = readOnlyView(t, folder);
    const reading = await serve(t, { ...view, args: ['--read-only'] });
    const [hashClient, prClient] = [await reading.hash(), await reading.pr()];
    assert.notEqual(await storedUnihash(hashClient, 'a'), null);
    const writing = await serve(t, { folder });
    const writer = await writing.hash();
    const names = Array.from({ length: 300 }, (_, i) => `later ${i}`);
    for (const name of names) await report(writer, name);
    await getPr(await writing.pr(), 'p', 'later');
    // Until it has noticed: old rows are there all along.
    while ((await storedUnihash(hashClient, names.at(-1)!)) === null)
      assert.notEqual(await storedUnihash(hashClient, 'a'), null);
    for (const name of ['a', ...names]) assert.notEqual(await storedUnihash(hashClient, name), null, name);
    const max = async () =>
      field(await prClient.invoke('max-package-pr', { version: 'p', pkgarch: 'core2-64' }), 'value');
    while ((await max()) !== '1');
    // From here on SQLite's locks tell, also of what comes after a checkpoint and of the writer's end.
    await report(writer, 'last');
    assert.notEqual(await storedUnihash(hashClient, 'last'), null);
    await writing.stop();
    for (const name of ['a', ...names, 'last']) assert.notEqual(await storedUnihash(hashClient, name), null, name);
  });

  test('a read-only server that is told that nobody writes does not look', async (t) => {
    const folder = await filledFolder(t);
    await assertRefused({ folder, args: ['--immutable'] }, 2, /--immutable is for a --read-only server/);
    const reading = await serve(t, { ...readOnlyView(t, folder), args: ['--read-only', '--immutable'] });
    assert.notEqual(await storedUnihash(await reading.hash(), 'a'), null);
  });

  test('a read-only server refuses a database with a write-ahead log it cannot read, in one line', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder });
    await report(await server.hash(), 'a');
    await server.stop('SIGKILL');
    // After a crash of the whole machine there is no -shm: it is rebuilt from the -wal, which takes write access.
    fs.rmSync(path.join(folder, 'hashserv.db-shm'));
    const view = readOnlyView(t, folder);
    await assertRefused(
      { ...view, args: ['--read-only'] },
      1,
      /hashserv\.db has a write-ahead log that cannot be read here/,
    );
  });

  test('a writing server says so in one line', async (t) => {
    const view = readOnlyView(t, await filledFolder(t));
    await assertRefused(view, 2, /hashserv\.db/);
  });

  test('a writing server that finds a write-ahead log there says so in one line, and does not start', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder });
    await report(await server.hash(), 'a');
    await server.stop('SIGKILL');
    const view = readOnlyView(t, folder);
    await assertRefused(view, 2, /cannot be written: .*hashserv\.db.*--read-only/);
  });

  test('a writing server without a database there says so in one line', async (t) => {
    const view = readOnlyView(t, temporaryFolder(t));
    await assertRefused(view, 2, /cannot be created: .*hashserv\.db: is the folder writable\?/);
  });
});
