import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createHome, LAUNCHER, output } from './home-helpers.ts';

const sh = (script: string) => ['run', '--', 'sh', '-c', script];

test('a command runs with its own server, which is gone afterwards', async (t) => {
  const home = createHome(t);
  const script =
    'test -S "$1/hashserve.sock"; echo "$?|$BB_HASHSERVE|$PRSERV_HOST|$BB_ENV_PASSTHROUGH_ADDITIONS"; exit 7';
  const args = [...sh(script), 'sh', home.folder];
  const { status, stdout } = await home.bakeserv(args, { BB_ENV_PASSTHROUGH_ADDITIONS: 'SSTATE_DIR PRSERV_HOST' });
  assert.equal(status, 7);
  const [found, hashserve, prserv, passed] = stdout.trim().split('|');
  assert.deepEqual([found, hashserve], ['0', `unix://${home.folder}/hashserve.sock`]);
  assert.match(prserv!, /^127\.0\.0\.1:\d+$/);
  assert.equal(passed, 'SSTATE_DIR PRSERV_HOST BB_HASHSERVE');
  assert.deepEqual(await home.servers(), []);
  assert.ok(!fs.existsSync(path.join(home.folder, 'hashserve.sock')));
});

test('a server that ran before stays', async (t) => {
  const home = createHome(t);
  await home.bakeserv(['auto']);
  const before = await home.servers();
  assert.equal((await home.bakeserv(sh('exit 0'))).status, 0);
  assert.deepEqual(
    (await home.servers()).map(({ pid }) => pid),
    before.map(({ pid }) => pid),
  );
});

test('signals reach the command, and the server is stopped all the same', async (t) => {
  const home = createHome(t);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const script = `process.on('${signal}', () => { console.log('got ${signal}'); process.exit(3); });
      setInterval(() => {}, 1000); console.log('ready');`;
    const child = home.start(['run', '--', process.execPath, '-e', script]);
    await output(child, /ready/);
    const heard = output(child, /got/);
    const status = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    assert.equal((await heard).trim(), `got ${signal}`);
    assert.equal(await status, 3);
    assert.deepEqual(await home.servers(), []);
  }
});

test('a command that a signal ends, that is not there, or that cannot be run: the status a shell would give', async (t) => {
  const home = createHome(t);
  fs.writeFileSync(path.join(home.folder, 'plain'), '');
  assert.equal((await home.bakeserv(sh('kill -TERM $$'))).status, 143);
  assert.equal((await home.bakeserv(['run', '--', 'no-such-command'])).status, 127);
  assert.equal((await home.bakeserv(['run', '--', './plain'])).status, 126);
});

test('without a command it says how to write one', async (t) => {
  const { status, stderr } = await createHome(t).bakeserv(['run']);
  assert.equal(status, 2);
  assert.match(stderr, /write it after --, as in: bakeserv run -- bitbake world/);
});

test('the command has the environment that run was given: no size of a thread pool of ours', async (t) => {
  const home = createHome(t);
  const print = sh('env | grep -c UV_THREADPOOL_SIZE; echo "$UV_THREADPOOL_SIZE"');
  assert.equal((await home.bakeserv(print)).stdout, '0\n\n');
  assert.equal((await home.bakeserv(print, { UV_THREADPOOL_SIZE: '7' })).stdout, '1\n7\n');
});

describe('on a terminal', () => {
  /** A command that counts SIGINTs, and says a second after the first how many came. */
  const COUNT = `let count = 0;
    process.on('SIGINT', () => { if (++count === 1) setTimeout(() => { console.log('heard ' + count); process.exit(4); }, 1500); });
    setInterval(() => {}, 1000); console.log('ready under ' + process.ppid);`;

  /** One that has its parent signalled before it does anything else. */
  const AT_ONCE = 'trap "echo heard 1; exit 4" INT; kill -INT $PPID; sleep 5 & wait';

  function onTerminal(t: TestContext, command = [process.execPath, 'count.cjs']) {
    const home = createHome(t);
    fs.writeFileSync(path.join(home.folder, 'count.cjs'), COUNT);
    fs.writeFileSync(path.join(home.folder, 'at-once'), AT_ONCE);
    const words = [process.execPath, LAUNCHER, 'run', '--', ...command];
    // util-linux's script gives it a terminal of its own.
    const child = spawn('script', ['-qec', words.map((word) => `'${word}'`).join(' '), '/dev/null'], {
      cwd: home.folder,
      env: { ...home.env, SHELL: '/bin/sh' },
    });
    t.after(() => void child.kill('SIGKILL'));
    return { home, child };
  }

  test('Ctrl-C reaches the command once', async (t) => {
    const { home, child } = onTerminal(t);
    await output(child, /ready/);
    const heard = output(child, /heard \d/);
    child.stdin.write('\x03');
    assert.match(await heard, /heard 1\r\n/);
    await once(child, 'exit');
    assert.deepEqual(await home.servers(), []);
  });

  test('so does a SIGINT that is sent to run alone', async (t) => {
    const { home, child } = onTerminal(t);
    const pid = Number(/ready under (\d+)/.exec(await output(child, /ready under \d+\r\n/))![1]);
    const heard = output(child, /heard \d/);
    const over = once(child, 'exit');
    process.kill(pid, 'SIGINT');
    assert.match(await heard, /heard 1\r\n/);
    assert.deepEqual(await over, [4, null]);
    assert.deepEqual(await home.servers(), []);
  });

  test('so does one that comes as soon as the command runs', async (t) => {
    const { child } = onTerminal(t, ['sh', 'at-once']);
    const over = once(child, 'exit');
    assert.match(await output(child, /heard \d/), /heard 1\r\n/);
    assert.deepEqual(await over, [4, null]);
  });
});
