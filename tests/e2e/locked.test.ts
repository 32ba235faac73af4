import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import {
  afterwards,
  askAsBitBake,
  assertRefused,
  type Context,
  eventually,
  field,
  getPr,
  LAUNCHER,
  METHOD,
  pingWhile,
  report,
  reportOf,
  serve,
  serveArgs,
  storedUnihash,
  temporaryFolder,
} from './helpers.ts';
import { noProc } from './needs.ts';
import { openOther } from './sqlite.ts';

/** Each is answered before the next is sent: so many in the time of a lock mean that none waited for it. */
const PINGS = 5;

async function lock(t: Context, folder: string, name: string) {
  const other = await openOther(t, path.join(folder, name));
  await other.exec('BEGIN EXCLUSIVE');
  return other;
}

describe('while another program holds the write lock of a database', { concurrency: true }, () => {
  test('pings and reads of both services are answered, writers wait, and are answered when it lets go', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder });
    const [hashClient, prClient] = [await server.hash(), await server.pr()];
    const known = await report(hashClient, 'known');
    await getPr(prClient, 'p', 'first');
    const locks = [await lock(t, folder, 'hashserv.db'), await lock(t, folder, 'prserv.db')];
    const pings = [pingWhile(await server.hash()), pingWhile(await server.pr())];

    let answered = 0;
    const count = <T>(value: T) => {
      answered++;
      return value;
    };
    const writer = await server.hash();
    const writes = [
      ...Array.from({ length: 50 }, (_, i) => report(writer, `waiting${i}`).then(count)),
      getPr(prClient, 'p', 'second').then(count),
    ];
    const reader = await server.hash();
    const prReader = await server.pr();
    const held = performance.now();
    while (performance.now() - held < 1500) {
      assert.equal(await storedUnihash(reader, 'known'), known);
      assert.equal(await storedUnihash(reader, 'unknown'), null);
      const max = await prReader.invoke('max-package-pr', { version: 'p', pkgarch: 'core2-64' });
      assert.equal(field(max, 'value'), '0');
      assert.equal(answered, 0);
    }
    for (const held of locks) await held.exec('ROLLBACK');
    await Promise.all(writes);
    assert.equal(await writes.at(-1), '1');
    for (const ping of pings) {
      const { worstMs, count: pinged } = await ping.stop();
      t.diagnostic(`${pinged} pings, the slowest ${worstMs.toFixed(1)} ms`);
      assert.ok(pinged >= PINGS, `only ${pinged} pings were answered while the lock was held`);
    }
  });

  test('writers of both services get an error after 10 s, and all is well once it lets go', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder });
    const [hashClient, prClient] = [await server.hash(), await server.pr()];
    const locks = [await lock(t, folder, 'hashserv.db'), await lock(t, folder, 'prserv.db')];
    const ping = pingWhile(await server.hash());
    const started = performance.now();
    const locked = { message: /locked by another program/, code: 'invoke-error' };
    await Promise.all([
      assert.rejects(report(hashClient, 'a'), locked),
      assert.rejects(getPr(prClient, 'p', 'c'), locked),
      askAsBitBake(server, { report: reportOf('of a build') }).then((end) => assert.equal(end, 'without')),
      assert.rejects((await server.hash()).invoke('gc-mark', { mark: 'm', where: { method: METHOD } }), locked),
    ]);
    const waited = performance.now() - started;
    assert.ok(waited > 9000 && waited < 20_000, `writers waited ${waited} ms`);
    const { worstMs, count } = await ping.stop();
    t.diagnostic(`${count} pings in ${Math.round(waited)} ms, the slowest ${worstMs.toFixed(1)} ms`);
    assert.ok(count >= PINGS, `only ${count} pings were answered while the lock was held`);
    for (const held of locks) await held.exec('ROLLBACK');

    // The same connections go on.
    assert.equal(await report(hashClient, 'a'), reportOf('a').unihash);
    assert.equal(await getPr(prClient, 'p', 'c'), '0');
    for (const held of locks) await held.close();
    assert.deepEqual(await server.stop(), { status: 0, signal: null });
  });

  test('a server waits with its start, and starts when it lets go', async (t) => {
    const folder = temporaryFolder(t);
    await (await serve(t, { folder })).stop();
    const other = await lock(t, folder, 'hashserv.db');
    const starting = serve(t, { folder });
    let started = false;
    const noted = starting.then(() => {
      started = true;
    });
    await Promise.race([noted, new Promise((resolve) => setTimeout(resolve, 2000))]);
    assert.ok(!started);
    await other.exec('ROLLBACK');
    await other.close();
    await report(await (await starting).hash(), 'a');
  });

  test('a read-only server waits with its start for a program that keeps all others from reading', async (t) => {
    const folder = temporaryFolder(t);
    await (await serve(t, { folder })).stop();
    const other = await openOther(t, path.join(folder, 'hashserv.db'));
    await other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE theirs (n)');
    const starting = serve(t, { folder, args: ['--read-only'] });
    // Longer than the second for which the driver itself waits at each statement.
    await Promise.race([starting, new Promise((resolve) => setTimeout(resolve, 3000))]);
    await other.exec('ROLLBACK');
    await other.close();
    assert.equal(await storedUnihash(await (await starting).hash(), 'a'), null);
  });

  test('a server that waits with its start ends at once on SIGTERM', { skip: noProc() }, async (t) => {
    const folder = temporaryFolder(t);
    await (await serve(t, { folder })).stop();
    await lock(t, folder, 'hashserv.db');
    const child = spawn(process.execPath, [LAUNCHER, ...serveArgs({ folder })], { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = once(child, 'close');
    const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
    afterwards(t, () => void child.kill('SIGKILL'));
    // It holds the file open once it waits.
    const descriptors = `/proc/${child.pid}/fd`;
    const files = () => fs.readdirSync(descriptors).map((name) => fs.readlinkSync(path.join(descriptors, name)));
    await eventually(10_000, async () => assert.ok(files().includes(path.join(folder, 'hashserv.db'))));
    const told = performance.now();
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
    assert.ok(performance.now() - told < 3000);
    assert.equal(await stdout, '');
    assert.match(await stderr, /stopping on SIGTERM before the start was complete/);
  });

  test('a server that cannot start says so in one line after 10 s', async (t) => {
    const folder = temporaryFolder(t);
    await (await serve(t, { folder })).stop();
    await lock(t, folder, 'prserv.db');
    await assertRefused({ folder }, 1, /the database is locked by another program: .*prserv\.db/);
  });
});
