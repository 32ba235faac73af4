import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { formatAddress } from '../../lib/asyncrpc/transport/address.ts';
import { type Context, hash, LAUNCHER, METHOD, runToEnd, serve, temporaryFolder } from './helpers.ts';
import { openOther } from './sqlite.ts';

const ROWS = 60_000;

/** A file with as many rows as take a while. */
async function large(t: Context, folder: string): Promise<string> {
  const file = path.join(folder, 'from.db');
  const other = await openOther(t, file);
  await other.exec(`
    CREATE TABLE unihashes_v3 (id INTEGER PRIMARY KEY AUTOINCREMENT, method TEXT NOT NULL, taskhash TEXT NOT NULL,
      unihash TEXT NOT NULL, gc_mark TEXT NOT NULL, UNIQUE(method, taskhash));
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
      INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark)
      SELECT 'm', printf('%064x', i * 7919 % ${ROWS}), printf('%064x', i), '' FROM n`);
  await other.close();
  return file;
}

/** Starts a copy, and resolves once it has written some more. Nobody else may have the file open then: only its size is looked at. */
async function underWay(t: Context, from: string, to: string): Promise<ChildProcess> {
  const before = sizeOf(to);
  const child = spawn(process.execPath, [LAUNCHER, 'copy', from, to], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => void child.kill('SIGKILL'));
  while (sizeOf(to) < before + 2 * 1024 * 1024) {
    assert.equal(child.exitCode, null, 'it goes on');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return child;
}

/** Of the file and its log. */
function sizeOf(file: string): number {
  const sizes = [file, `${file}-wal`].map((each) => fs.statSync(each, { throwIfNoEntry: false })?.size ?? 0);
  return sizes[0]! + sizes[1]!;
}

async function count(t: Context, file: string): Promise<number> {
  const other = await openOther(t, file);
  const [row] = await other.all<{ n: number }>('SELECT count(*) AS n FROM unihashes_v3');
  await other.close();
  return row!.n;
}

test('a copy that was killed, and one that was interrupted, go on where they were', async (t) => {
  const folder = temporaryFolder(t);
  const from = await large(t, folder);
  const to = path.join(folder, 'to.db');
  const killed = await underWay(t, from, to);
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  const first = await count(t, to);
  assert.ok(first > 0 && first < ROWS, `${first} rows`);

  const interrupted = await underWay(t, from, to);
  const said = text(interrupted.stderr!);
  const ended = once(interrupted, 'exit');
  interrupted.kill('SIGINT');
  assert.deepEqual(await ended, [130, null]);
  assert.match(await said, /^bakeserv: interrupted; \d+ rows are in .*to\.db: the same command goes on from there\n$/);
  const second = await count(t, to);
  assert.ok(second > first && second < ROWS, `${second} rows`);

  const run = await runToEnd(['copy', from, to, '--json']);
  assert.deepEqual([run.status, run.stderr], [0, '']);
  const { unihashes } = JSON.parse(run.stdout);
  assert.deepEqual(
    [unihashes.rows, unihashes.new, unihashes.equal, unihashes.checked_by],
    [ROWS, ROWS - second, second, 'hash'],
  );
});

test('copy says what differs with status 1, and what is wrong', async (t) => {
  const folder = temporaryFolder(t);
  const [one, two] = [path.join(folder, 'one.db'), path.join(folder, 'two.db')];
  for (const [file, unihash] of [
    [one, 'a'.repeat(64)],
    [two, 'b'.repeat(64)],
  ] as const) {
    const other = await openOther(t, file);
    await other.exec(`
      CREATE TABLE unihashes_v3 (id INTEGER PRIMARY KEY AUTOINCREMENT, method TEXT NOT NULL, taskhash TEXT NOT NULL,
        unihash TEXT NOT NULL, gc_mark TEXT NOT NULL, UNIQUE(method, taskhash));
      INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark) VALUES ('m', 't', '${unihash}', '')`);
    await other.close();
  }
  assert.deepEqual(await runToEnd(['copy', one, two]), {
    status: 1,
    stdout:
      'unihashes: 1 rows: 0 copied, 0 there already, 1 differ and stay as they are; compared row by row\n' +
      '  unihash row m t: has another unihash there\n',
    stderr: '',
  });
  assert.deepEqual(await runToEnd(['copy', path.join(folder, 'none.db'), two]), {
    status: 1,
    stdout: '',
    stderr: `bakeserv: no database at ${path.join(folder, 'none.db')}\n`,
  });
  assert.equal((await runToEnd(['copy', one])).status, 2);
  const none = await runToEnd(['copy', one, two, '--prs']);
  assert.deepEqual([none.status, none.stderr], [2, `bakeserv: ${one} has no PR tables\n`]);
  const link = path.join(folder, 'link.db');
  fs.symlinkSync(one, link);
  const same = await runToEnd(['copy', one, link]);
  assert.deepEqual([same.status, same.stderr.split('\n')[0]], [2, `bakeserv: FROM and TO are the same file: ${one}`]);
  const user = await openOther(t, two);
  await user.all('SELECT * FROM unihashes_v3');
  const refused = await runToEnd(['copy', one, two]);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /two\.db: stop it first.*with --in-use it is copied into all the same\n$/);
});

test('copy says what it waits for, where that takes long', async (t) => {
  const folder = temporaryFolder(t);
  // Accepts, and says nothing.
  const silent = net.createServer();
  await new Promise<void>((resolve) => silent.listen(path.join(folder, '.s.PGSQL.5432'), resolve));
  t.after(() => void silent.close());
  const from = `postgres://anna@/db?host=${folder}`;
  const child = spawn(process.execPath, [LAUNCHER, 'copy', from, path.join(folder, 'to.db')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => void child.kill('SIGKILL'));
  let said = '';
  for await (const piece of child.stderr) {
    said += piece;
    if (said.includes('\n')) break;
  }
  assert.equal(said, `bakeserv: waiting for ${from} to answer\n`);
});

test('copy has what a running server has, and refuses to ask it for its users', async (t) => {
  const folder = temporaryFolder(t);
  const server = await serve(t, { folder });
  const address = formatAddress(server.addresses[0]!);
  const client = await server.hash();
  await client.invoke('report-equiv', { method: METHOD, taskhash: hash('t'), unihash: hash('u') });
  client.close();
  const run = await runToEnd(['copy', address, path.join(folder, 'copy.db'), '--hashes']);
  assert.deepEqual([run.status, run.stderr], [0, '']);
  assert.match(run.stdout, /^unihashes: 1 rows: 1 copied, 0 there already; equal by a hash over all rows\n/);
  const users = await runToEnd(['copy', address, path.join(folder, 'copy.db'), '--users']);
  assert.equal(users.status, 2);
  assert.match(users.stderr, /^bakeserv: --users: a running server gives nobody the tokens of its users/);
});
