import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { formatAddress } from '../../lib/asyncrpc/transport/address.ts';
import {
  type Context,
  hash,
  LAUNCHER,
  METHOD,
  runToEnd,
  type ServerProcess,
  serve,
  temporaryFolder,
} from './helpers.ts';

const tasks = Array.from({ length: 2500 }, (_, i) => `${METHOD} ${hash(`task ${i}`)}`);
const known = tasks.slice(0, 2000);

/** A server with an empty database whose upstream knows 2,000 of the 2,500 tasks. */
async function chain(t: Context) {
  const folders = { up: temporaryFolder(t), down: temporaryFolder(t) };
  const upstream = await serve(t, { folder: folders.up });
  const up = await upstream.hash();
  await Promise.all(known.map((task) => up.invoke('report-equiv', equivalence(task))));
  up.close();
  const address = formatAddress(upstream.addresses[0]!);
  const server = await serve(t, { folder: folders.down, args: ['--hashserv-upstream', address] });
  return { upstream, server, address: formatAddress(server.addresses[0]!), folders };
}

function equivalence(task: string) {
  const [method, taskhash] = task.split(' ') as [string, string];
  return { method, taskhash, unihash: hash(task) };
}

async function rowsOf(server: ServerProcess): Promise<number> {
  const client = await server.hash();
  const { usage } = (await client.invoke('get-db-usage', {})) as { usage: { unihashes_v3: { rows: number } } };
  client.close();
  return usage.unihashes_v3.rows;
}

test('warm has a server fetch what it misses of the tasks in a file, and says how many', async (t) => {
  const { server, upstream, address, folders } = await chain(t);
  const file = path.join(folders.down, 'tasks.txt');
  fs.writeFileSync(file, `# tasks of last night\n\n${tasks.join('\n')}\n`);
  const run = await runToEnd(['warm', file, '--address', address]);
  assert.deepEqual(run, {
    status: 0,
    stdout: '2500 tasks: 2000 known, of them 2000 fetched; 500 unknown\n',
    stderr: '',
  });
  await upstream.stop();
  const client = await server.hash();
  assert.deepEqual(await client.stream('get-stream', known), known.map(hash), 'they are its own now');
  client.close();
});

test('warm reads tasks from standard input and prints JSON', async (t) => {
  const { address } = await chain(t);
  const child = spawn(process.execPath, [LAUNCHER, 'warm', '--address', address, '--json'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(tasks.join('\n'));
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  assert.deepEqual(JSON.parse(stdout), { tasks: 2500, known: 2000, unknown: 500, fetched: 2000 });
  assert.deepEqual([status, stderr], [0, ''], 'no progress bar in a pipe');
});

test('warm draws a progress bar on a terminal', async (t) => {
  const { address, folders } = await chain(t);
  const file = path.join(folders.down, 'tasks.txt');
  fs.writeFileSync(file, tasks.join('\n'));
  const pretend =
    'Object.assign(process.stderr, { isTTY: true, columns: 100, cursorTo() {}, clearLine() {}, moveCursor() {} });';
  const terminal = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`];
  const child = spawn(process.execPath, [...terminal, LAUNCHER, 'warm', file, '--address', address]);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  assert.match(stderr, /\d+% \| \d+\/2\d+ tasks/);
  assert.match(stdout, /^2500 tasks: 2000 known/);
});

test('warm takes all tasks of another database', async (t) => {
  const { server, address, folders } = await chain(t);
  const run = await runToEnd(['warm', '--from-db', path.join(folders.up, 'hashserv.db'), '--address', address]);
  assert.equal(run.stdout, '2000 tasks: 2000 known, of them 2000 fetched; 0 unknown\n', run.stderr);
  assert.equal(await rowsOf(server), 2000);
});

test('warm leaves nothing beside a stopped database that it reads, however it ends', async (t) => {
  const { address, upstream, folders } = await chain(t);
  const stopped = path.join(folders.up, 'hashserv.db');
  await upstream.stop();
  const before = fs.readdirSync(folders.up).sort();
  assert.ok(!before.some((name) => /-(wal|shm)$/.test(name)), 'it was stopped cleanly');
  const nobody = `unix://${folders.down}/nobody`;
  for (const [to, status] of [
    [nobody, 1],
    [address, 1],
  ] as const) {
    const run = await runToEnd(['warm', '--from-db', stopped, '--address', to]);
    assert.equal(run.status, status, run.stderr);
    assert.deepEqual(fs.readdirSync(folders.up).sort(), before, to);
  }
  const lone = await serve(t, { folder: temporaryFolder(t) });
  const done = await runToEnd(['warm', '--from-db', stopped, '--address', formatAddress(lone.addresses[0]!)]);
  assert.equal(done.status, 0, done.stderr);
  assert.deepEqual(fs.readdirSync(folders.up).sort(), before);
});

test('warm ends with 1 and says so when the upstream does not answer', async (t) => {
  const { upstream, address, folders } = await chain(t);
  await upstream.stop();
  const file = path.join(folders.down, 'tasks.txt');
  fs.writeFileSync(file, tasks.join('\n'));
  const run = await runToEnd(['warm', file, '--address', address]);
  assert.equal(run.status, 1);
  assert.match(run.stderr, /^bakeserv: the upstream left 2500 look-ups unanswered: run it again$/m);
});

test('warm names what is wrong: a bad line, a missing file, no server, another file, wrong usage', async (t) => {
  const folder = temporaryFolder(t);
  const { addresses } = await serve(t, { folder });
  const address = ['--address', formatAddress(addresses[0]!)];
  const bad = path.join(folder, 'bad.txt');
  fs.writeFileSync(bad, `${tasks[0]}\nonly-a-method\n`);
  const cases: [string[], number, RegExp][] = [
    [[bad, ...address], 1, /bad\.txt, line 2: expected "method taskhash"/],
    [[path.join(folder, 'none'), ...address], 1, /cannot read .*none: no such file or directory/],
    [[bad, '--address', `unix://${folder}/nobody`], 1, /cannot connect to unix:.*nobody/],
    [['--from-db', bad, ...address], 1, /bad\.txt is no hash equivalence database/],
    [['--from-db', path.join(folder, 'none.db'), ...address], 1, /no database at .*none\.db/],
    [[bad, 'another', ...address], 2, /unexpected argument "another"/],
    [[bad, '--from-db', bad, ...address], 2, /FILE and --from-db exclude each other/],
  ];
  for (const [args, status, line] of cases) {
    const run = await runToEnd(['warm', ...args]);
    assert.match(run.stderr, line);
    assert.equal(run.status, status, run.stderr);
    assert.equal(run.stdout, '');
    assert.doesNotMatch(run.stderr, /^\s+at /m, 'no stack');
  }
});
