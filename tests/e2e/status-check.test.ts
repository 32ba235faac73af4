import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { openBinding } from '../../lib/storage/sqlite/engine/binding.ts';
import { eventually } from './helpers.ts';
import { createHome, type Home, output } from './home-helpers.ts';
import { noProc } from './needs.ts';

async function start(t: TestContext, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Home> {
  const home = createHome(t);
  await output(home.start(['serve', '--bind', 'unix://./s', ...args], env), /listening/);
  return home;
}

const check = (home: Home, env?: NodeJS.ProcessEnv) => home.bakeserv(['status', '--check'], env);
const database = async (t: TestContext, home: Home, name: string) => {
  const binding = await openBinding(path.join(home.folder, name), 'create');
  t.after(() => binding.close());
  return binding;
};

describe('status --check', () => {
  test('is content with a server that can be read and written, and changes nothing', async (t) => {
    const home = await start(t);
    const hashes = await database(t, home, 'hashserv.db');
    await hashes.exec('PRAGMA user_version = 7');
    const { status, stderr } = await check(home);
    assert.equal(status, 0, stderr);
    assert.deepEqual(await hashes.all('PRAGMA user_version'), [{ user_version: 7 }]);
    assert.deepEqual(await hashes.all('SELECT count(*) AS n FROM outhashes_v2'), [{ n: 0 }]);
  });

  test('is content with a read-only server', async (t) => {
    const home = createHome(t);
    const first = home.start(['serve', '--bind', 'unix://./s']);
    await output(first, /listening/);
    const over = new Promise((resolve) => first.once('exit', resolve));
    first.kill('SIGTERM');
    await over;
    await output(home.start(['serve', '--bind', 'unix://./s', '--read-only']), /listening/);
    const { status, stderr } = await check(home);
    assert.equal(status, 0, stderr);
  });

  test('names the database whose file was removed: it answers and refuses every write', async (t) => {
    const home = await start(t);
    fs.renameSync(path.join(home.folder, 'prserv.sqlite3'), path.join(home.folder, 'gone'));
    await eventually(20_000, async () => {
      const { status, stderr } = await check(home);
      assert.equal(status, 1);
      assert.match(stderr, /server \d+: PR values: writes are refused: the database file was removed/);
      assert.doesNotMatch(stderr, /hash equivalence/);
    });
  });

  test('names the database that another program has locked', async (t) => {
    const home = await start(t);
    const hashes = await database(t, home, 'hashserv.db');
    await hashes.exec('BEGIN IMMEDIATE');
    const { status, stderr } = await check(home);
    await hashes.exec('ROLLBACK');
    assert.equal(status, 1);
    assert.match(stderr, /server \d+: hash equivalence: writes are refused: .*locked by another program/);
  });

  test('names the database that cannot be looked up in', async (t) => {
    const home = await start(t);
    const values = await database(t, home, 'prserv.sqlite3');
    await values.exec('ALTER TABLE PRMAIN RENAME TO elsewhere');
    const { status, stderr } = await check(home);
    assert.equal(status, 1);
    assert.match(stderr, /server \d+: PR values: a look-up fails: /);
  });
});

describe('status', () => {
  test('says how much of the unihashes is in memory', async (t) => {
    const home = await start(t);
    const told = async () => ({
      json: JSON.parse((await home.bakeserv(['status', '--json'])).stdout)[0].memory,
      text: (await home.bakeserv(['status'])).stdout,
    });
    await eventually(10_000, async () => assert.deepEqual((await told()).json, { state: 'all', rows: 0, share: 1 }));
    assert.match((await told()).text, /^ {2}memory {4}all 0 unihashes$/m);
    const without = await start(t, ['--cache-size', '0']);
    assert.deepEqual(JSON.parse((await without.bakeserv(['status', '--json'])).stdout)[0].memory.state, 'none');
    assert.match((await without.bakeserv(['status'])).stdout, /^ {2}memory {4}no unihashes \(--cache-size\)$/m);
  });

  /** As systemd starts a service: with a folder in /run of its own, and a temporary folder that nobody else sees. */
  async function service(t: TestContext) {
    const base = createHome(t);
    const [runtime, tmp] = ['run', 'private'].map((name) => path.join(base.folder, name)) as [string, string];
    for (const each of [runtime, tmp]) fs.mkdirSync(each);
    const home = await start(t, [], { RUNTIME_DIRECTORY: runtime, TMPDIR: tmp });
    return { home, runtime };
  }

  test('sees a service with a temporary folder of its own by the folder that systemd gave it', async (t) => {
    const { home, runtime } = await service(t);
    const seen = await home.bakeserv(['status', '--json'], { RUNTIME_DIRECTORY: runtime });
    assert.deepEqual(JSON.parse(seen.stdout)[0].addresses, [`unix://${home.folder}/s`]);
    assert.equal((await check(home, { RUNTIME_DIRECTORY: runtime })).status, 0);
    // Everybody may ask, and ask only.
    const { stopRefused, mode } = await askToStop(path.join(runtime, 'status.sock'));
    assert.deepEqual([stopRefused, mode], [true, 0o666]);
    assert.equal((await check(home, { RUNTIME_DIRECTORY: runtime })).status, 0);
  });

  test('says that there is a server it cannot ask', async (t) => {
    const { home } = await service(t);
    const { stdout, stderr } = await home.bakeserv(['status', '--json']);
    assert.deepEqual(JSON.parse(stdout), []);
    assert.match(stderr, /process \d+ of \S+ looks like a server too \(serve\), but does not answer here/);
  });

  test('tells a server that is still starting from one that it cannot ask', { skip: noProc() }, async (t) => {
    const home = await start(t, ['--no-hashserv']);
    const values = await database(t, home, 'prserv.sqlite3');
    await values.exec('BEGIN EXCLUSIVE');
    const waiting = home.start(['serve', '--bind', 'unix://./other', '--no-hashserv', '--init']);
    const first = await eventually(10_000, async () => {
      const { stdout, stderr } = await home.bakeserv(['status', '--json']);
      assert.match(stderr, new RegExp(`process ${waiting.pid} `));
      return { stdout, stderr };
    });
    assert.equal(JSON.parse(first.stdout).length, 1, 'only the one that serves is listed');
    assert.match(
      first.stderr,
      /process \d+ \(serve\) is a server that is still starting, or about to end: ask again\n/,
    );
    // With another temporary folder it is one of those that cannot be asked.
    const elsewhere = path.join(home.folder, 'elsewhere');
    fs.mkdirSync(elsewhere);
    const { stderr } = await home.bakeserv(['status'], { TMPDIR: elsewhere });
    assert.match(stderr, new RegExp(`process ${waiting.pid} of \\S+ looks like a server too`));
    assert.doesNotMatch(stderr, new RegExp(`process ${waiting.pid} \\(`));
    await values.exec('ROLLBACK');
    await output(waiting, /listening/);
    const after = await home.bakeserv(['status', '--json']);
    assert.equal(JSON.parse(after.stdout).length, 2, after.stderr);
    assert.doesNotMatch(after.stderr, new RegExp(`process ${waiting.pid} `));
  });

  async function askToStop(file: string) {
    const { askStop } = await import('../../lib/cli/process/control-client.ts');
    return { stopRefused: (await askStop(file, 10_000)) === null, mode: fs.statSync(file).mode & 0o777 };
  }
});

test('--socket-mode and --socket-group say who may connect', async (t) => {
  const group = process.getgroups!().at(-1)!;
  const home = await start(t, ['--socket-mode', '0660', '--socket-group', String(group)]);
  const { mode, gid } = fs.statSync(path.join(home.folder, 's'));
  assert.deepEqual([mode & 0o777, gid], [0o660, group]);
});
