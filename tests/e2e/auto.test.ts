import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import { parseAddress } from '../../lib/asyncrpc/transport/address.ts';
import { tryLock } from '../../lib/lock.ts';
import { openBinding } from '../../lib/storage/sqlite/engine/binding.ts';
import { createHome, ended, type Home, ROOT, variablesOf } from './home-helpers.ts';

const METHOD = 'oe.sstatesig.OEOuthashBasic';
const hash = (n: number) => n.toString(16).padStart(64, '0');
const control = (home: Home) => path.join(home.folder, '.bakeserv/control.sock');

/** A BitBake worker: connects, reports one task, leaves. */
const WORKER = `
import { parseAddress } from '${ROOT}/dist/lib/asyncrpc/transport/address.js';
import { connectClient } from '${ROOT}/dist/lib/asyncrpc/client/client.js';
const client = await connectClient(parseAddress(process.env.BB_HASHSERVE), { protocol: 'OEHASHEQUIV 1.1' });
const [taskhash, outhash, unihash] = process.argv.slice(1);
const reply = await client.invoke('report', { method: '${METHOD}', taskhash, outhash, unihash });
process.stdout.write(reply.unihash);
client.close();
`;

test('a private server of two workers ends by itself when none of them has had a client for so long', async (t) => {
  const home = createHome(t);
  const { stdout, stderr, status } = await home.bakeserv(['auto', '--idle', '2'], { BAKESERV_WORKERS: '2' });
  assert.equal(status, 0, stderr);
  let over = false;
  const ending = ended(control(home)).then(() => {
    over = true;
  });
  const connect = () =>
    connectClient(parseAddress(variablesOf(stdout).BB_HASHSERVE!), { protocol: 'OEHASHEQUIV 1.1', reconnects: 0 });
  const [, second] = [await connect(), await connect()].map((client, i) => {
    if (i === 0) client.close();
    return client;
  });
  const [found] = await home.servers();
  assert.equal(found!.workers!.length, 2);
  // Longer than the idle time: one client of one worker keeps the server.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  assert.deepEqual(await second!.invoke('ping', {}), { alive: true });
  assert.equal(over, false);
  second!.close();
  await ending;
  assert.ok(!fs.existsSync(path.join(home.folder, 'hashserve.sock')));
  for (const { pid } of found!.workers!) assert.throws(() => process.kill(pid, 0));
});

test('a build’s life: workers report, the cooker looks up, packages get PRs, and the server ends by itself', async (t) => {
  const home = createHome(t);
  const { stdout, stderr, status } = await home.bakeserv(['auto', '--idle', '2']);
  assert.equal(status, 0, stderr);
  const told = variablesOf(stdout);
  assert.equal(told.BB_HASHSERVE, `unix://${home.folder}/hashserve.sock`);
  const over = ended(control(home));

  // As BitBake's cooker, which stays connected for the whole build.
  const cooker = await connectClient(parseAddress(told.BB_HASHSERVE!), { protocol: 'OEHASHEQUIV 1.1' });
  const worker = (n: number) =>
    home.run(process.execPath, ['--input-type=module', '-e', WORKER, hash(n), hash(500), hash(n)], told);
  const reported = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(worker));
  for (const each of reported) assert.equal(each.status, 0, each.stderr);
  // One output, so one unihash: that of whichever report came first.
  assert.equal(new Set(reported.map((each) => each.stdout)).size, 1);

  const asked = Array.from({ length: 5000 }, (_, i) => `${METHOD} ${hash(i + 1)}`);
  const found = await cooker.stream('get-stream', asked);
  assert.deepEqual(found.slice(0, 8), Array(8).fill(reported[0]!.stdout));
  assert.ok(found.slice(8).every((line) => line === ''));

  const packager = await connectClient(parseAddress(told.PRSERV_HOST!), { protocol: 'PRSERVICE 1.0' });
  const getPr = (n: number) =>
    packager.invoke('get-pr', { version: `p${n}-1.0-r0`, pkgarch: 'core2-64', checksum: hash(n), history: false });
  const values = await Promise.all(Array.from({ length: 200 }, (_, n) => getPr(n)));
  assert.ok(values.every((value) => (value as { value: string }).value === '0'));
  cooker.close();
  packager.close();

  await over;
  assert.ok(!fs.existsSync(path.join(home.folder, 'hashserve.sock')));
  for (const [file, table, rows] of [
    ['hashserv.db', 'unihashes_v3', 8],
    ['prserv.sqlite3', 'PRMAIN', 200],
  ] as const) {
    const database = path.join(home.folder, 'cache', file);
    assert.ok(!fs.existsSync(`${database}-wal`), `${file}-wal was left behind`);
    const binding = await openBinding(database, 'read');
    t.after(() => binding.close());
    assert.deepEqual(await binding.all('PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
    assert.deepEqual(await binding.all(`SELECT count(*) AS n FROM ${table}`), [{ n: rows }]);
  }
});

test('a second call finds the running server, also when four are made at once', async (t) => {
  const home = createHome(t);
  const calls = await Promise.all([1, 2, 3, 4].map(() => home.bakeserv(['auto'])));
  for (const call of calls) assert.equal(call.status, 0, call.stderr);
  calls.push(await home.bakeserv(['auto']));
  assert.equal(new Set(calls.map(({ stdout }) => stdout)).size, 1);
  assert.equal((await home.servers()).length, 1);
});

describe('the variables are printed', () => {
  test('for local.conf and as JSON, and a path with a blank is quoted for the shell', async (t) => {
    const home = createHome(t);
    const folder = path.join(home.folder, "it's a build");
    fs.mkdirSync(folder);
    const [shell, conf, json] = await Promise.all(
      ['shell', 'conf', 'json'].map((format) => home.bakeserv(['auto', '--dir', folder, '--format', format])),
    );
    const told = JSON.parse(json!.stdout);
    assert.equal(told.BB_HASHSERVE, `unix://${folder}/hashserve.sock`);
    assert.match(told.PRSERV_HOST, /^127\.0\.0\.1:\d+$/);
    assert.equal(conf!.stdout, `BB_HASHSERVE = "${told.BB_HASHSERVE}"\nPRSERV_HOST = "${told.PRSERV_HOST}"\n`);
    const evaluated = await home.run('sh', ['-c', 'eval "$1"; printf "%s" "$BB_HASHSERVE"', 'sh', shell!.stdout]);
    assert.equal(evaluated.stdout, told.BB_HASHSERVE);
  });

  test('for the folder that TOPDIR names, else BUILDDIR', async (t) => {
    const home = createHome(t);
    for (const name of ['top', 'build']) fs.mkdirSync(path.join(home.folder, name));
    const [TOPDIR, BUILDDIR] = [path.join(home.folder, 'top'), path.join(home.folder, 'build')];
    const top = await home.bakeserv(['auto'], { TOPDIR, BUILDDIR });
    const build = await home.bakeserv(['auto'], { BUILDDIR });
    assert.equal(variablesOf(top.stdout).BB_HASHSERVE, `unix://${TOPDIR}/hashserve.sock`);
    assert.equal(variablesOf(build.stdout).BB_HASHSERVE, `unix://${BUILDDIR}/hashserve.sock`);
  });
});

describe('the private server ends', () => {
  test('with the process that --parent names', async (t) => {
    const home = createHome(t);
    const parent = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    t.after(() => parent.kill('SIGKILL'));
    await home.bakeserv(['auto', '--idle', '0', '--parent', String(parent.pid)]);
    const over = ended(control(home));
    parent.kill('SIGKILL');
    await over;
    assert.ok(!fs.existsSync(path.join(home.folder, 'hashserve.sock')));
  });

  test('with --stop, which waits for it; without one, --stop has nothing to do', async (t) => {
    const home = createHome(t);
    await home.bakeserv(['auto']);
    const stopped = await home.bakeserv(['auto', '--stop']);
    assert.match(stopped.stdout, /^stopped unix:\/\/\S+\/hashserve\.sock /);
    const lock = await tryLock(path.join(home.folder, '.bakeserv/lock'));
    assert.ok(lock, 'the server still holds its lock');
    await lock.release();
    assert.ok(!fs.existsSync(path.join(home.folder, 'cache/hashserv.db-wal')));
    const again = await home.bakeserv(['auto', '--stop']);
    assert.deepEqual([again.status, again.stdout], [0, '']);
    assert.match(again.stderr, /no server runs for/);
  });
});

test('after a kill the next call starts a new server in the old one’s place', async (t) => {
  const home = createHome(t);
  await home.bakeserv(['auto']);
  const { pid } = (await home.servers())[0]!;
  const over = ended(control(home));
  process.kill(pid, 'SIGKILL');
  await over;
  const { status, stdout, stderr } = await home.bakeserv(['auto']);
  assert.equal(status, 0, stderr);
  const client = await connectClient(parseAddress(variablesOf(stdout).BB_HASHSERVE!), { protocol: 'OEHASHEQUIV 1.1' });
  assert.deepEqual(await client.invoke('ping', {}), { alive: true });
  client.close();
});

test('another server’s socket is not taken: the call says so and fails', async (t) => {
  const home = createHome(t);
  const foreign = net.createServer((socket) => socket.on('error', () => {}).end('still here'));
  await new Promise<void>((resolve) => foreign.listen(path.join(home.folder, 'hashserve.sock'), resolve));
  t.after(() => foreign.close());
  const { status, stderr } = await home.bakeserv(['auto']);
  assert.equal(status, 1);
  assert.match(stderr, /hashserve\.sock: another server is listening there/);
  const socket = net.connect(path.join(home.folder, 'hashserve.sock'));
  const text = await new Promise((resolve) => socket.once('data', (data) => resolve(String(data))));
  assert.equal(text, 'still here');
});

test('what is wrong with the options is said at once', async (t) => {
  const home = createHome(t);
  const wrong = async (args: string[], message: RegExp) => {
    const { status, stderr } = await home.bakeserv(['auto', ...args]);
    assert.equal(status, 2);
    assert.match(stderr, message);
  };
  await wrong(['--dir', '/nowhere'], /the build folder \/nowhere does not exist/);
  await wrong(['--idle', 'long'], /--idle: "long" is not a whole number of seconds/);
  await wrong(['--sync-mode', 'never'], /--sync-mode: "never" is not immediate/);
});

test('status shows address, process, databases and clients of every server', async (t) => {
  const home = createHome(t);
  assert.deepEqual(await home.servers(), []);
  const told = variablesOf((await home.bakeserv(['auto'])).stdout);
  const client = await connectClient(parseAddress(told.BB_HASHSERVE!), { protocol: 'OEHASHEQUIV 1.1' });
  await client.invoke('ping', {});
  const [server] = await home.servers();
  assert.deepEqual(server!.addresses, [told.BB_HASHSERVE, told.PRSERV_HOST]);
  assert.deepEqual(server!.databases, {
    hashserv: path.join(home.folder, 'cache/hashserv.db'),
    prserv: path.join(home.folder, 'cache/prserv.sqlite3'),
  });
  assert.deepEqual([server!.command, server!.clients], ['auto', 1]);
  const { stdout } = await home.bakeserv(['status']);
  assert.match(stdout, new RegExp(`pid ${server!.pid}, up .* s, 1 client\n  address   ${told.BB_HASHSERVE}`));
  client.close();
});

test('status takes away sockets that nobody listens on, and none that something listens on without a word', async (t) => {
  const home = createHome(t);
  assert.equal((await home.bakeserv(['status'])).status, 0);
  const folder = path.join(home.tmp, `bakeserv-${process.getuid!()}`);
  const [silent, dead] = [net.createServer((socket) => socket.on('error', () => {}).destroy()), net.createServer()];
  t.after(() => void silent.close());
  await new Promise<void>((resolve) => silent.listen(path.join(folder, '1.sock'), resolve));
  await new Promise<void>((resolve) => dead.listen(path.join(folder, '2'), resolve));
  fs.renameSync(path.join(folder, '2'), path.join(folder, '2.sock'));
  await new Promise((resolve) => dead.close(resolve));
  assert.deepEqual(await home.servers(), []);
  assert.deepEqual(fs.readdirSync(folder), ['1.sock']);
});
