import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { createHome, output } from './home-helpers.ts';

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
  assert.match(stderr, /write it behind --, as: bakeserv run -- bitbake world/);
});
