import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { openBinding } from '../../lib/storage/sqlite/engine/binding.ts';
import {
  afterwards,
  eventually,
  LAUNCHER,
  METHOD,
  pause,
  report,
  reportOf,
  serve,
  serveArgs,
  storedUnihash,
  temporaryFolder,
} from './helpers.ts';
import { statusOf, WITHIN_MS, workersOf } from './workers-helpers.ts';

const CLEAN = { status: 0, signal: null };

/** What a client reads that says all it has to say, and ends its side before anybody has looked at it. */
async function halfClosed(folder: string, name: string): Promise<string> {
  const socket = net.connect({ path: path.join(folder, 's'), allowHalfOpen: true });
  // The answer waits for the disk.
  socket.end(`OEHASHEQUIV 1.1\nneeds-headers: false\n\n${JSON.stringify({ report: reportOf(name) })}\n`);
  const said = await text(socket);
  socket.destroy();
  return said;
}

test('a worker that hangs is replaced, its newcomers are served, and neither status, metrics nor the end wait for one', async (t) => {
  const folder = temporaryFolder(t);
  const args = ['--workers', '2', '--worker-timeout', '4', '--drain-timeout', '2', '--bind', 'http://127.0.0.1:0'];
  const server = await serve(t, { folder, args });
  const [, http] = server.addresses;
  assert.ok(http?.kind === 'http');
  // A worker each.
  const before = [await server.hash(), await server.hash()];
  await report(before[0]!, 'known');
  const [victim] = await workersOf(server);
  process.kill(victim!.pid, 'SIGSTOP');
  const halves = Promise.all(['a', 'b', 'c', 'd'].map((name) => halfClosed(folder, name)));
  const asking = Promise.all([
    ...['/healthz', '/metrics'].map(async (name) => (await fetch(`http://127.0.0.1:${http.port}${name}`)).status),
    // On either worker, as far as anybody can know by now.
    ...Array.from({ length: 4 }, async () => storedUnihash(await server.hash(), 'known')),
  ]);
  assert.ok((await statusOf(server)).clients >= 2);
  await server.logged(/a worker does not answer any more: it is ended worker=1/);
  const [health, metrics, ...found] = await asking;
  assert.deepEqual([health, metrics], [200, 200]);
  // Nothing of what had arrived before is lost, and the end of a client's side is not that of ours.
  for (const said of await halves) assert.match(said, /"unihash"/);
  assert.deepEqual(new Set(found).size, 1);
  assert.notEqual(found[0], null);
  await eventually(WITHIN_MS, async () => {
    const now = await workersOf(server);
    assert.equal(now.length, 2);
    assert.ok(!now.some(({ pid }) => pid === victim!.pid));
  });
  const [again] = await workersOf(server);
  process.kill(again!.pid, 'SIGSTOP');
  assert.deepEqual(await server.stop(), CLEAN);
  assert.throws(() => process.kill(again!.pid, 0));
  assert.equal(server.stderr().match(/does not answer any more/g)!.length, 2);
});

/** A conversation with the server on a socket, from the moment it listens. */
async function firstAnswer(file: string, request: object): Promise<net.Socket> {
  for (;;) {
    const socket = net.connect(file);
    const connected = await once(socket, 'connect').catch(() => null);
    if (!connected) {
      await pause();
      continue;
    }
    socket.write(`OEHASHEQUIV 1.1\nneeds-headers: false\n\n${JSON.stringify(request)}\n`);
    await once(socket, 'data');
    return socket;
  }
}

test('SIGTERM while further workers are starting: whoever is served already is served to the end, and no file is left', async (t) => {
  const folder = temporaryFolder(t);
  const child = spawn(process.execPath, [LAUNCHER, ...serveArgs({ folder, args: ['--workers', '4'] })], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'close');
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (piece) => {
    said += piece;
  });
  afterwards(t, () => void child.kill('SIGKILL'));
  const socket = await firstAnswer(path.join(folder, 's'), { get: { method: METHOD, taskhash: 'none' } });
  child.kill('SIGTERM');
  // An orderly end, no reset.
  socket.resume();
  await once(socket, 'end');
  socket.destroy();
  assert.deepEqual(await ended, [0, null], said);
  assert.match(said, /stopping on SIGTERM/);
  assert.deepEqual(fs.readdirSync(folder).sort(), ['hashserv.db', 'prserv.db']);
});

/** Waits for a job with the command for that. */
async function waited(...args: readonly string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [LAUNCHER, 'jobs', 'wait', ...args, '--json']);
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status, stdout, stderr };
}

test('a job goes on over a reload and the end of the worker that runs it, and whoever waits for it is told its end', async (t) => {
  const folder = temporaryFolder(t);
  const server = await serve(t, { folder, args: ['--workers', '2', '--drain-timeout', '2'] });
  const binding = await openBinding(path.join(folder, 'hashserv.db'), 'write');
  await binding.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
    INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark)
    SELECT 'm', 't' || i, printf('%064x', i), CASE WHEN i % 100 = 0 THEN 'keep' ELSE '' END FROM n;
    INSERT INTO config (name, value) VALUES ('gc-mark', 'keep')`);
  await binding.close();
  // A connection to each: one of them is lost.
  const clients = [await server.hash(), await server.hash()];
  const { id } = (await clients[0]!.invoke('job-start', { kind: 'gc', parameters: { mark: 'keep' } })) as {
    id: number;
  };
  const waiting = [
    waited(String(id), '--pid', String(server.child.pid)),
    waited(String(id), '--address', `unix://${folder}/s`),
  ];
  server.child.kill('SIGHUP');
  await server.logged(/SIGHUP: /);
  const [victim] = await workersOf(server);
  process.kill(victim!.pid, 'SIGKILL');
  for (const { status, stdout, stderr } of await Promise.all(waiting)) {
    assert.equal(status, 0, stderr + stdout);
    assert.equal((JSON.parse(stdout) as { state: string }).state, 'done');
  }
  const left = await openBinding(path.join(folder, 'hashserv.db'), 'read');
  assert.deepEqual(await left.all('SELECT count(*) AS n FROM unihashes_v3'), [{ n: 400 }]);
  await left.close();
  const [first] = await eventually(WITHIN_MS, async () => {
    const now = await workersOf(server);
    assert.equal(now.length, 2);
    return now;
  });
  // The end comes while it is being replaced.
  process.kill(first!.pid, 'SIGKILL');
  assert.deepEqual(await server.stop(), CLEAN);
});
