import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import { parseAddress } from '../../lib/asyncrpc/transport/address.ts';
import { freePort } from '../free-port.ts';
import { createHome, type Home, output, ROOT } from './home-helpers.ts';

const UNIHASH = 'a'.repeat(64);
const REPORT = { method: 'm', taskhash: 'b'.repeat(64), outhash: 'c'.repeat(64), unihash: UNIHASH };

/** A home in which the drop-in folder is first in PATH, as migrating.md says. */
function dropInHome(t: TestContext): Home & { sh(script: string, env?: NodeJS.ProcessEnv): ReturnType<Home['run']> } {
  const home = createHome(t);
  home.env.PATH = `${path.join(ROOT, 'contrib/bitbake')}:${home.env.PATH}`;
  return { ...home, sh: (script, env) => home.run('sh', ['-c', script], env) };
}

/** Starts bitbake-hashserv as a supervisor does; resolves once it says at which address it listens. */
async function startHashserv(t: TestContext, home: Home, args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn('bitbake-hashserv', args, { cwd: home.folder, env: { ...home.env, ...env } });
  t.after(() => child.kill('SIGKILL'));
  const log = await output(child, /listening on \S+: /, 'stderr');
  return { child, log, address: /listening on (\S+): /.exec(log)![1]! };
}

const client = (address: string, protocol = 'OEHASHEQUIV 1.1') => connectClient(parseAddress(address), { protocol });

describe('bitbake-hashserv', () => {
  test('serves with its flags', async (t) => {
    const home = dropInHome(t);
    const args = ['-b', '127.0.0.1:0', '--database', 'mine.db', '--log', 'INFO', '--anon-perms', '@read'];
    const { address, child } = await startHashserv(t, home, args);
    const asked = await client(address);
    // Without @report a report is answered and not stored.
    const { outhash: _, ...answered } = REPORT;
    assert.deepEqual(await asked.invoke('report', REPORT), answered);
    assert.equal(await asked.invoke('get', { method: 'm', taskhash: REPORT.taskhash }), null);
    asked.close();
    const over = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    assert.equal(await over, 0);
    assert.ok(fs.existsSync(path.join(home.folder, 'mine.db')));
  });

  test('serves with its environment, and flags are stronger', async (t) => {
    const home = dropInHome(t);
    const environment = {
      HASHSERVER_BIND: 'unix://./env.sock',
      HASHSERVER_DB: './env.db',
      HASHSERVER_LOG_LEVEL: 'DEBUG',
      HASHSERVER_READ_ONLY: '0',
      HASHSERVER_ANON_PERMS: '@read @report',
      HASHSERVER_ADMIN_USER: 'boss',
      HASHSERVER_ADMIN_PASSWORD: 'pass word',
      HASHSERVER_DB_USERNAME: 'nobody',
      HASHSERVER_DB_PASSWORD: 'hidden',
    };
    const { log } = await startHashserv(t, home, ['-d', 'flag.db', '--reuseport'], environment);
    const asked = await client(`unix://${home.folder}/env.sock`);
    assert.deepEqual(await asked.invoke('auth', { username: 'boss', token: 'pass word' }), {
      result: true,
      username: 'boss',
      permissions: ['@all'],
    });
    asked.close();
    assert.match(log, /stands for: bakeserv serve --bind unix:\/\/\.\/env\.sock .*--no-prserv --hashserv-db flag\.db/);
    assert.match(log, /--anon-perms @read @report --admin-user boss --admin-password …/);
    assert.match(log, /--db-username is not needed/);
    assert.doesNotMatch(log, /pass word|hidden/);
    assert.ok(fs.existsSync(path.join(home.folder, 'flag.db')) && !fs.existsSync(path.join(home.folder, 'env.db')));
  });

  test('listens on ./hashserve.sock without flags, and serves what was there read-only when the variable is 1', async (t) => {
    const home = dropInHome(t);
    const first = await startHashserv(t, home, ['-l', 'INFO']);
    assert.equal(first.address, 'unix://./hashserve.sock');
    const writer = await client(`unix://${home.folder}/hashserve.sock`);
    await writer.invoke('report', REPORT);
    writer.close();
    const over = new Promise((resolve) => first.child.once('exit', resolve));
    first.child.kill('SIGTERM');
    await over;
    await startHashserv(t, home, ['-l', 'INFO'], { HASHSERVER_READ_ONLY: '1' });
    const reader = await client(`unix://${home.folder}/hashserve.sock`);
    assert.equal(((await reader.invoke('get', REPORT)) as { unihash: string }).unihash, UNIHASH);
    await assert.rejects(reader.invoke('remove', { where: { method: 'm' } }), /read-only/);
    reader.close();
  });

  test('takes flags shortened to where only one is meant, and refuses them where two are', async (t) => {
    const home = dropInHome(t);
    const { address } = await startHashserv(t, home, [
      '--bi',
      'unix://./short.sock',
      '--data=short.db',
      '--lo',
      'INFO',
    ]);
    assert.equal(address, 'unix://./short.sock');
    assert.ok(fs.existsSync(path.join(home.folder, 'short.db')));
    const both = await home.sh('bitbake-hashserv --db nobody');
    assert.equal(both.status, 2);
    assert.match(both.stderr, /--db could be --db-username or --db-password/);
  });

  test('advises what it has itself: its own options, and variables for the rest', async (t) => {
    const home = dropInHome(t);
    fs.writeFileSync(path.join(home.folder, 'empty.db'), '');
    const said = async (line: string, env: NodeJS.ProcessEnv = {}) => {
      const { status, stderr } = await home.sh(line, env);
      assert.equal(status, 2, stderr);
      return stderr;
    };
    assert.equal(
      await said('bitbake-hashserv --admin-user boss'),
      'bakeserv: --admin-user without a password: set --admin-password or HASHSERVER_ADMIN_PASSWORD, or name a file that holds it (BAKESERV_ADMIN_PASSWORD_FILE)\n',
    );
    assert.match(await said('bitbake-hashserv --upstream nope:'), /^bakeserv: --upstream: address "nope:"/);
    const variable = await said('bitbake-hashserv', { HASHSERVER_UPSTREAM: 'nope:' });
    assert.match(variable, /^bakeserv: HASHSERVER_UPSTREAM: address "nope:"/);
    assert.match(await said('bitbake-hashserv -d empty.db'), /start with BAKESERV_INIT=true to begin a new database/);
    assert.match(await said('bitbake-prserv --start --upstream nope:'), /^bakeserv: --upstream: address "nope:"/);
    assert.match(await said('bitbake-prserv --foreground --port 99999'), /^bakeserv: --host and --port: address/);
    const other = await said('bitbake-prserv --foreground', { PRSERV_UPSTREAM: 'nope:' });
    assert.match(other, /^bakeserv: PRSERV_UPSTREAM: address "nope:"/);
  });

  test('refuses what it cannot serve', async (t) => {
    const home = dropInHome(t);
    const noPassword = await home.sh('bitbake-hashserv --admin-user boss');
    assert.deepEqual([noPassword.status, noPassword.stdout], [2, '']);
    assert.match(noPassword.stderr, /--admin-user without a password/);
    const noDatabase = await home.sh('bitbake-hashserv -r');
    assert.equal(noDatabase.status, 2);
    assert.match(noDatabase.stderr, /no database at \S+hashserv\.db; a read-only server creates nothing/);
    assert.deepEqual(fs.readdirSync(home.folder), []);
    const postgres = await home.sh('bitbake-hashserv --database postgresql+asyncpg://db/hash');
    assert.deepEqual([postgres.status, postgres.stdout], [2, '']);
    assert.match(postgres.stderr, /postgresql\+asyncpg databases are not served; name an SQLite file/);
    const level = await home.sh('bitbake-hashserv --log LOUD');
    assert.equal(level.status, 2);
    assert.match(level.stderr, /"LOUD" is not one of CRITICAL/);
  });
});

describe('bitbake-prserv', () => {
  test('--start answers when it returns, leaves a pid file, and --stop ends it cleanly', async (t) => {
    const home = dropInHome(t);
    const port = await freePort();
    const at = `--host 127.0.0.1 --port ${port}`;
    const started = await home.sh(`bitbake-prserv --start -f mine.sqlite3 -l mine.log ${at}`);
    assert.equal(started.status, 0, started.stderr);
    const asked = await client(`127.0.0.1:${port}`, 'PRSERVICE 1.0');
    const request = { version: 'p-1-r0', pkgarch: 'all', checksum: 'c', history: false };
    assert.deepEqual(await asked.invoke('get-pr', request), { value: '0' });
    asked.close();
    const pidFile = path.join(home.tmp, `PRServer_127.0.0.1_${port}.pid`);
    const [server] = await home.servers();
    assert.equal(fs.readFileSync(pidFile, 'utf8').trim(), String(server!.pid));

    const again = await home.sh(`bitbake-prserv --start ${at}`);
    assert.equal(again.status, 1);
    assert.match(again.stderr, new RegExp(`already runs on 127\\.0\\.0\\.1:${port}, pid ${server!.pid}`));

    const stopped = await home.sh(`bitbake-prserv --stop ${at}`);
    assert.equal(stopped.status, 0, stopped.stderr);
    assert.ok(!fs.existsSync(pidFile));
    assert.ok(!fs.existsSync(path.join(home.folder, 'mine.sqlite3-wal')));
    assert.match(fs.readFileSync(path.join(home.folder, 'mine.log'), 'utf8'), /stopping on request/);
  });

  test('--host localhost and --port 0: pid file and --stop go by the number of the host and the port as given', async (t) => {
    const home = dropInHome(t);
    const at = '--host localhost --port 0';
    const started = await home.sh(`bitbake-prserv --start ${at}`);
    assert.equal(started.status, 0, started.stderr);
    const [server] = await home.servers();
    const pidFile = path.join(home.tmp, 'PRServer_127.0.0.1_0.pid');
    assert.equal(fs.readFileSync(pidFile, 'utf8').trim(), String(server!.pid));
    const asked = await client(server!.addresses[0]!, 'PRSERVICE 1.0');
    assert.deepEqual(await asked.invoke('ping', {}), { alive: true });
    asked.close();
    assert.match((await home.sh(`bitbake-prserv --start ${at}`)).stderr, /already runs on 127\.0\.0\.1:0, pid/);
    assert.equal((await home.sh('bitbake-prserv --stop --host 127.0.0.1 --port 0')).status, 0);
    assert.ok(!fs.existsSync(pidFile));
    assert.deepEqual(await home.servers(), []);
    const nobody = await home.sh('bitbake-prserv --start --host no-such-host.invalid');
    assert.equal(nobody.status, 2);
    assert.match(nobody.stderr, /--host: no-such-host\.invalid is no host of this network/);
  });

  test('--stop of a port without a server lists those that have one', async (t) => {
    const home = dropInHome(t);
    const none = await home.sh('bitbake-prserv --stop --port 1');
    assert.deepEqual([none.status, none.stderr], [1, 'bitbake-prserv: no server runs on 0.0.0.0:1; none runs\n']);
    const port = await freePort();
    await home.sh(`bitbake-prserv --start --host 127.0.0.1 --port ${port}`);
    const { status, stderr } = await home.sh('bitbake-prserv --stop --port 1');
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`servers run on 127\\.0\\.0\\.1:${port}; name one`));
  });

  test('a stale pid file is replaced, whether its process is dead or somebody else, who is left alone', async (t) => {
    const home = dropInHome(t);
    const port = await freePort();
    const pidFile = path.join(home.tmp, `PRServer_127.0.0.1_${port}.pid`);
    const stranger = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    t.after(() => stranger.kill('SIGKILL'));
    for (const pid of [stranger.pid!, 4194305]) {
      fs.writeFileSync(pidFile, String(pid));
      const refused = await home.sh(`bitbake-prserv --stop --host 127.0.0.1 --port ${port}`);
      assert.equal(refused.status, 1);
      assert.match(refused.stderr, /\.pid is stale/);
      const started = await home.sh(`bitbake-prserv --start --host 127.0.0.1 --port ${port}`);
      assert.equal(started.status, 0, started.stderr);
      assert.notEqual(fs.readFileSync(pidFile, 'utf8').trim(), String(pid));
      assert.equal((await home.sh(`bitbake-prserv --stop --host 127.0.0.1 --port ${port}`)).status, 0);
    }
    assert.equal(stranger.exitCode, null);
    assert.equal(stranger.signalCode, null);
  });

  test('a port in use is refused with status 1, and the pid file of its server stays', async (t) => {
    const home = dropInHome(t);
    const other = net.createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    t.after(() => other.close());
    const { port } = other.address() as net.AddressInfo;
    const pidFile = path.join(home.tmp, `PRServer_127.0.0.1_${port}.pid`);
    fs.writeFileSync(pidFile, '1');
    const { status, stderr } = await home.sh(`bitbake-prserv --start --host 127.0.0.1 --port ${port}`);
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}: the port is in use`));
    assert.match(stderr, /choose another port \(--host and --port\)$/m);
    assert.equal(fs.readFileSync(pidFile, 'utf8'), '1');
  });

  test('without --start or --stop it says what to say', async (t) => {
    const { status, stderr } = await dropInHome(t).sh('bitbake-prserv');
    assert.equal(status, 2);
    assert.match(stderr, /say --start or --stop/);
  });
});

test('serve opens a database of the Rust PR server where its variables say, and goes on counting', async (t) => {
  const home = createHome(t);
  const { openBinding } = await import('../../lib/storage/sqlite/engine/binding.ts');
  const database = path.join(home.folder, 'rust.db');
  const binding = await openBinding(database, 'create');
  for (const table of ['PRMAIN_nohist', 'PRMAIN_hist'])
    await binding.exec(
      `CREATE TABLE ${table} (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value INTEGER, PRIMARY KEY (version, pkgarch, checksum))`,
    );
  await binding.exec(`INSERT INTO PRMAIN_nohist VALUES ('p-1-r0', 'all', 'old', 11)`);
  await binding.close();
  const child = home.start(['serve', '--no-hashserv'], {
    PRSERV_DATABASE: database,
    PRSERV_BIND_ADDR: '127.0.0.1:0',
    PRSERV_NOHIST: 'true',
    PRSERV_SYNC_MODE: 'on_shutdown',
  });
  const listening = await output(child, /listening \S+\n/);
  const asked = await client(/listening (\S+)\n/.exec(listening)![1]!, 'PRSERVICE 1.0');
  const getPr = (checksum: string) => asked.invoke('get-pr', { version: 'p-1-r0', pkgarch: 'all', checksum });
  assert.deepEqual([await getPr('old'), await getPr('new')], [{ value: '11' }, { value: '12' }]);
  asked.close();
});

test('bitbake-hashclient asks the server that bitbake-hashserv runs', async (t) => {
  const home = dropInHome(t);
  await startHashserv(t, home, ['-l', 'INFO']);
  const asked = await client(`unix://${home.folder}/hashserve.sock`);
  await asked.invoke('report', REPORT);
  asked.close();
  const { status, stdout, stderr } = await home.sh(`bitbake-hashclient get m ${REPORT.taskhash}`);
  assert.equal(status, 0, stderr);
  assert.equal(JSON.parse(stdout).unihash, UNIHASH);
});
