import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import { parseAddress } from '../../lib/asyncrpc/transport/address.ts';
import { connectUnixSocket } from '../../lib/asyncrpc/transport/unix/path.ts';
import { createHome, type Home, output } from './home-helpers.ts';

const write = (home: Home, text: string, mode = 0o644) =>
  fs.writeFileSync(path.join(home.folder, 'bakeserv.yaml'), text, { mode });

/** A server whose settings are in bakeserv.yaml. */
async function running(t: TestContext, settings: string, env: NodeJS.ProcessEnv = {}) {
  const home = createHome(t);
  write(home, settings);
  const child = home.start(['serve'], env);
  await output(child, /listening/);
  return { home, child };
}

async function ask(home: Home, command: string, args: object): Promise<unknown> {
  const client = await connectClient(parseAddress(`unix://${home.folder}/s`), { protocol: 'OEHASHEQUIV 1.1' });
  try {
    return await client.invoke(command, args as never);
  } finally {
    client.close();
  }
}

/** What is answered to a word on a control socket; empty where it hangs up. */
function say(file: string, word: string): Promise<string> {
  const socket = connectUnixSocket(file);
  socket.write(`${word}\n`);
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (piece) => {
      text += piece;
    });
    socket.on('close', () => resolve(text)).on('error', reject);
  });
}

const ended = (child: ChildProcess) => new Promise((resolve) => child.once('exit', resolve));

describe('bakeserv reload', { concurrency: true }, () => {
  test('has the only server of this user take over its settings, and reports', async (t) => {
    const { home } = await running(t, 'bind: unix://./s\n');
    assert.deepEqual(await ask(home, 'gc-mark', { mark: 'm', where: {} }), { count: 0 });
    assert.deepEqual(await home.bakeserv(['reload']), { status: 0, stdout: 'nothing has changed\n', stderr: '' });
    write(home, 'bind: "unix://./s,read-only"\nlog-level: warn\ncache-size: 1MiB\n');
    assert.deepEqual(await home.bakeserv(['reload']), {
      status: 0,
      stdout: 'taken over: log-level\ntaken over: the rights of listeners\nwaits for a restart: cache-size\n',
      stderr: '',
    });
    await assert.rejects(ask(home, 'gc-mark', { mark: 'm', where: {} }), /read-only/);
    assert.match((await home.bakeserv(['status'])).stdout, /\/s: hash equivalence read-only/);
    const { status, stdout } = await home.bakeserv(['reload', '--json']);
    const [{ pid } = { pid: 0 }] = await home.servers();
    assert.deepEqual([status, JSON.parse(stdout)], [0, { pid, taken: [], later: ['cache-size'], faults: [] }]);
  });

  test('with settings that are wrong reports them with status 1, and everything stays', async (t) => {
    const { home } = await running(t, 'bind: unix://./s\n');
    write(home, 'bind: "unix://./s,read-only"\nlog-level: loud\n');
    const { status, stdout, stderr } = await home.bakeserv(['reload']);
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^bakeserv: server \d+: the settings are wrong, those from before stay: .*log-level: "loud"/);
    // Good as a text, and wrong for a start: also what would wait for one is checked.
    write(home, 'bind: "unix://./s,read-only"\nhashserv-db: /no/such/folder/db\n');
    const checked = await home.bakeserv(['reload', '--json']);
    assert.equal(checked.status, 1);
    assert.match(JSON.parse(checked.stdout).faults[0], /the folder of the database does not exist/);
    assert.deepEqual(await ask(home, 'gc-mark', { mark: 'm', where: {} }), { count: 0 });
  });

  test('takes the password of the administrator from its file again', async (t) => {
    const home = createHome(t);
    const password = path.join(home.folder, 'password');
    fs.writeFileSync(password, 'first', { mode: 0o600 });
    write(home, `bind: unix://./s\nadmin-user: admin\nadmin-password-file: ${password}\n`);
    await output(home.start(['serve']), /listening/);
    fs.writeFileSync(password, 'second');
    assert.match((await home.bakeserv(['reload'])).stdout, /taken over: the password of admin/);
    const login = (token: string) => ask(home, 'auth', { username: 'admin', token });
    assert.equal(((await login('second')) as { result: boolean }).result, true);
    await assert.rejects(login('first'), /Unable to authenticate/);
  });

  test('needs the name of one of several servers, and finds the private one of a build folder', async (t) => {
    const { home, child } = await running(t, 'bind: unix://./s\n');
    assert.equal((await home.bakeserv(['auto'], { BAKESERV_CONFIG: '' })).status, 0);
    const { status, stderr } = await home.bakeserv(['reload']);
    assert.equal(status, 2);
    assert.match(stderr, /several servers run here, name one by its PID: \d+ \(.*; \d+ \(/);
    const jobs = await home.bakeserv(['jobs', 'list']);
    assert.match(jobs.stderr, /jobs: several servers run here, name one by its PID \(--pid\): \d+ \(/);
    for (const args of [[String(child.pid)], ['--dir', home.folder], ['--dir', '.']])
      assert.deepEqual(await home.bakeserv(['reload', ...args]), {
        status: 0,
        stdout: 'nothing has changed\n',
        stderr: '',
      });
    assert.equal((await home.bakeserv(['reload', '--dir', '.', String(child.pid)])).status, 2);
    const missing = await home.bakeserv(['reload', '--dir', home.tmp]);
    assert.deepEqual([missing.status, missing.stdout], [1, '']);
    assert.match(missing.stderr, /no server runs for /);
  });

  test('without a server says so with status 1', async (t) => {
    const home = createHome(t);
    for (const args of [[], ['1']]) {
      const { status, stdout, stderr } = await home.bakeserv(['reload', ...args]);
      assert.deepEqual([status, stdout], [1, '']);
      assert.match(stderr, /^bakeserv: no server .*of this user is running: .*(bakeserv serve|bakeserv status).*\n$/);
    }
  });

  test('is not taken on the socket that everybody can ask for the status of a service', async (t) => {
    const home = createHome(t);
    const runtime = path.join(home.folder, 'run');
    fs.mkdirSync(runtime);
    write(home, 'bind: unix://./s\n');
    const child = home.start(['serve'], { RUNTIME_DIRECTORY: runtime });
    await output(child, /listening/);
    const open = path.join(runtime, 'status.sock');
    assert.equal(fs.statSync(open).mode & 0o777, 0o666);
    assert.equal(JSON.parse(await say(open, 'status')).pid, child.pid);
    write(home, 'bind: "unix://./s,read-only"\n');
    assert.equal(await say(open, 'reload'), '');
    const refused = await home.bakeserv(['reload', '--socket', open]);
    assert.equal(refused.status, 1);
    assert.deepEqual(await ask(home, 'gc-mark', { mark: 'm', where: {} }), { count: 0 });
    // As another user sees it: there is only the service's socket.
    const others = await home.bakeserv(['reload'], {
      TMPDIR: fs.mkdtempSync(path.join(home.tmp, 'x')),
      RUNTIME_DIRECTORY: runtime,
    });
    assert.equal(others.status, 1);
    assert.match(others.stderr, /belongs to another user, .* systemctl reload/);
    const own = fs.readdirSync(home.tmp).find((name) => name.startsWith('bakeserv-'))!;
    const file = path.join(home.tmp, own, `${child.pid}.sock`);
    assert.deepEqual(JSON.parse(await say(file, 'reload')).taken, ['the rights of listeners']);
    const over = ended(child);
    child.kill('SIGTERM');
    assert.equal(await over, 0);
  });
});
