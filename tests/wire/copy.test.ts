import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Login } from '../../lib/asyncrpc/client/options.ts';
import { SILENT } from '../../lib/log.ts';
import { startServer } from '../../lib/server.ts';
import type { Row } from '../../lib/transfer/parts.ts';
import { openServerSource, openServerTarget } from '../../lib/transfer/server.ts';
import { type CopyWishes, contentOf, copyBetween, fill } from '../contract/copy-helpers.ts';
import { configIn, hash, temporaryFolder } from './helpers.ts';

const AT = '2026-11-21T19:00:00.000000+00:00';
const unihash = (task: string, n: number, mark = ''): Row => ['m', task, hash(n), mark];
const outhash = (task: string, out: string): Row => ['m', task, out, AT, 'somebody', null, null, null, 'do_x', 'info'];
const value = (version: string, checksum: string, pr: string): Row => [version, 'core2', checksum, pr];
const ROWS = {
  unihashes: Array.from({ length: 30 }, (_, i) => unihash(`t${i}`, i, i % 3 === 0 ? 'kept' : '')),
  outhashes: Array.from({ length: 30 }, (_, i) => outhash(`t${29 - i}`, `o${i % 4}`)),
  config: [['gc-mark', 'kept'] as const],
  values: Array.from({ length: 30 }, (_, i) => value(`p${i % 3}-1-r0`, `c${i}`, String(i))),
};

/** A server on a Unix socket in a folder with its databases. */
async function start(t: TestContext, flags: object = {}) {
  const after: (() => void)[] = [];
  const folder = temporaryFolder({ after: (fn) => after.push(fn) });
  const bind = [`unix://${folder}/s`];
  const server = await startServer(configIn(folder, { bind, 'sync-mode': 'on_shutdown', ...flags }), SILENT);
  t.after(async () => {
    await server.close();
    for (const fn of after) fn();
  });
  return { server, folder, address: bind[0]! };
}

const both = new Set(['hashserv', 'prserv'] as const);
const ADVICE = 'log in with --from-user';
const fromServer = (login?: Login): NonNullable<CopyWishes['open']> => ({
  source: (address) => openServerSource(address, { services: both, advice: ADVICE, login }),
});
const toServer: NonNullable<CopyWishes['open']> = {
  target: (address, { services, inUse, dryRun }) =>
    openServerTarget(address, { services, inUse, dryRun, advice: 'log in' }),
};

test('a copy into a running server and one from it have every row, in its order, with its mark', async (t) => {
  const { address, folder } = await start(t);
  const from = await fill(path.join(folder, 'from.db'), ROWS);
  const preview = await copyBetween(from, address, { open: toServer, dryRun: true });
  assert.deepEqual([preview.get('unihashes')!.added, preview.get('values')!.added], [30, 30]);
  const there = await copyBetween(from, address, { open: toServer });
  for (const [part, { rows, added }] of there) assert.deepEqual([part, added], [part, rows]);
  assert.equal(there.get('outhashes')!.checkedBy, 'hash');
  const to = path.join(folder, 'to.db');
  await copyBetween(address, to, { open: fromServer() });
  assert.deepEqual(await contentOf(to), await contentOf(from));
});

test('a server that is not empty is refused, unless that is asked for; what differs there stays', async (t) => {
  const { address, folder } = await start(t);
  const first = {
    unihashes: [unihash('t1', 99), unihash('t2', 2)],
    config: [['gc-mark', 'other'] as const],
    values: [value('p1-1-r0', 'another', '4')],
  };
  const mine = await fill(path.join(folder, 'mine.db'), first);
  await copyBetween(mine, address, { open: toServer });
  const from = await fill(path.join(folder, 'from.db'), ROWS);
  await assert.rejects(copyBetween(from, address, { open: toServer }), /has 2 unihashes already; with --in-use/);
  const reports = await copyBetween(from, address, { open: toServer, inUse: true });
  const named = [...reports.values()].flatMap((report) => report.named);
  assert.deepEqual(named, [
    'unihash row m t1: has another unihash there',
    'setting gc-mark: has another value there',
    'PR row p1-1-r0 core2 c4 4: the value is that of checksum another there',
  ]);
  const to = path.join(folder, 'to.db');
  await copyBetween(address, to, { open: fromServer() });
  const { unihashes, config, values } = await contentOf(to);
  assert.deepEqual(unihashes.slice(0, 2), first.unihashes);
  assert.deepEqual([unihashes.length, values.length], [30, 30]);
  assert.deepEqual(config, first.config);
});

test('rows that a server refuses end the copy with their names, or are left out', async (t) => {
  const { address, folder } = await start(t);
  const from = await fill(path.join(folder, 'from.db'), {
    unihashes: [unihash('t1', 1), ['m', 't2', 'short', ''], unihash('t3', 3)],
    values: [value('a-1-r0', 'c', '1'), value('a-1-r0', 'd', 'many')],
  });
  await assert.rejects(
    copyBetween(from, address, { open: toServer }),
    /unihash row m t2: unihash is not 64 lower-case hex digits\n.*--skip-unstorable/,
  );
  const reports = await copyBetween(from, address, { open: toServer, inUse: true, skipUnstorable: true });
  const counts = [...reports].map(([part, { leftOut, checkedBy }]) => [part, leftOut, checkedBy]);
  assert.deepEqual(counts, [
    ['unihashes', 1, 'rows'],
    ['outhashes', 0, 'hash'],
    ['config', 0, 'hash'],
    ['values', 1, 'rows'],
  ]);
  assert.match(reports.get('values')!.named.join(), /PR row a-1-r0 core2 d many: value must be/);
});

test('whoever may not read all hashes is told which right is lacking, and how to log in', async (t) => {
  const flags = { 'anon-perms': '@read', 'admin-user': 'admin', 'admin-password': 'secret' };
  const { address, folder } = await start(t, flags);
  const to = path.join(folder, 'to.db');
  await assert.rejects(copyBetween(address, to, { open: fromServer() }), (error: Error) => {
    assert.match(error.message, /\/s: Anonymous user is not allowed to access permissions\(s\) @db-admin; log in with/);
    return true;
  });
  const open = fromServer({ username: 'admin', token: 'secret' });
  const reports = await copyBetween(address, to, { open });
  assert.deepEqual([...reports.keys()], ['unihashes', 'outhashes', 'config', 'values']);
});

test('a service that a server does not have is left out of what it gives, and refused of what it gets', async (t) => {
  const { address, folder } = await start(t, { prserv: false });
  const source = await openServerSource(address, { services: both, advice: ADVICE });
  assert.deepEqual([...source.parts], ['unihashes', 'outhashes', 'config']);
  await source.close();
  const from = await fill(path.join(folder, 'from.db'), ROWS);
  await assert.rejects(copyBetween(from, address, { open: toServer }), /serves no PR values: --hashes copies/);
});

test('a server of another make, which does not know the commands, is told as such', async (t) => {
  const folder = temporaryFolder(t);
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      // As BitBake's does: a ping is answered, and it hangs up on what it does not know.
      for (const line of String(data).split('\n')) {
        if (line.startsWith('{"ping"')) socket.write('{"alive": true}\n');
        else if (line.startsWith('{')) socket.end();
      }
    });
  });
  const place = path.join(folder, 's');
  await new Promise<void>((resolve) => server.listen(place, resolve));
  t.after(() => void server.close());
  const options = { advice: ADVICE, inUse: true, dryRun: false };
  const hashes = { ...options, services: new Set(['hashserv'] as const) };
  await assert.rejects(openServerSource(`unix://${place}`, hashes), /\/s: the server does not know export-rows/);
  const prs = { ...options, services: new Set(['prserv'] as const) };
  await assert.rejects(openServerTarget(`unix://${place}`, prs), /\/s: the server does not know import-rows/);
});
