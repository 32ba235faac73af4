import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import { parseAddress } from '../../lib/asyncrpc/transport/address.ts';
import { eventually } from './helpers.ts';
import { createHome, type Home, LAUNCHER, output } from './home-helpers.ts';

const SERVE = ['serve', '--bind', 'unix://./s', '--log-file', 'log'];
const CONFIG = 'bakeserv.yaml';

async function start(t: TestContext, before: readonly string[] = []) {
  const home = createHome(t);
  fs.writeFileSync(path.join(home.folder, CONFIG), 'log-level: info\n');
  const [program, ...args] = [...before, process.execPath, LAUNCHER, ...SERVE];
  const child = spawn(program!, args, { cwd: home.folder, env: home.env, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (piece) => {
    stderr += piece;
  });
  await output(child, /listening/);
  return { home, child, stderr: () => stderr };
}

const log = (home: Home) => fs.readFileSync(path.join(home.folder, 'log'), 'utf8');
const logs = (home: Home, wanted: RegExp) => eventually(20_000, async () => assert.match(log(home), wanted));

async function assertAnswers(home: Home): Promise<void> {
  const client = await connectClient(parseAddress(`unix://${home.folder}/s`), { protocol: 'PRSERVICE 1.0' });
  assert.deepEqual(await client.invoke('ping', {}), { alive: true });
  client.close();
}

describe('SIGHUP', () => {
  test('goes on in a new log file, as after a rotation, and takes over the log level', async (t) => {
    const { home, child } = await start(t);
    await logs(home, /listening on/);
    fs.renameSync(path.join(home.folder, 'log'), path.join(home.folder, 'log.1'));
    fs.writeFileSync(path.join(home.folder, CONFIG), 'log-level: error\ncache-size: 1MiB\n');
    child.kill('SIGHUP');
    // At level error the line about the reload itself is not written any more: the new file is empty.
    await eventually(20_000, async () => assert.ok(fs.existsSync(path.join(home.folder, 'log'))));
    await assertAnswers(home);
    fs.writeFileSync(path.join(home.folder, CONFIG), 'log-level: debug\ncache-size: 1MiB\ndrain-timeout: 1\n');
    child.kill('SIGHUP');
    await logs(
      home,
      /^\S+ info: SIGHUP: the log was opened again and the settings were read; taken over: log-level\n\S+ warn: SIGHUP: this waits for a restart: cache-size, drain-timeout\n$/,
    );
    assert.equal(fs.statSync(path.join(home.folder, 'log')).mode & 0o777, 0o640);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    assert.match(log(home), /stopping on SIGTERM/);
  });

  test('with settings that are wrong says so and changes nothing', async (t) => {
    const { home, child } = await start(t);
    fs.writeFileSync(path.join(home.folder, CONFIG), 'log-level: loud\n');
    child.kill('SIGHUP');
    await logs(home, /error: SIGHUP: the settings are wrong, those from before stay: \.\/bakeserv\.yaml: log-level/);
    await assertAnswers(home);
  });

  test('ends no server under nohup, nor does the end of its terminal', async (t) => {
    const { home, child } = await start(t, ['nohup']);
    child.kill('SIGHUP');
    await logs(home, /SIGHUP: the log was opened again/);
    await assertAnswers(home);
  });
});

test('SIGUSR1 and SIGUSR2 do nothing: no end, no debugger', async (t) => {
  const { home, child, stderr } = await start(t);
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) child.kill(signal);
  child.kill('SIGHUP');
  // Signals are delivered in the order of their numbers at the latest: what these do is done by then.
  await logs(home, /SIGHUP: the log was opened again/);
  await assertAnswers(home);
  assert.equal(child.exitCode, null);
  assert.doesNotMatch(stderr(), /[Dd]ebugger/);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  assert.ok(!fs.existsSync(path.join(home.folder, 's')));
});

test('SIGHUP has a server in the background, too, go on in a new log file', async (t) => {
  const home = createHome(t);
  const { status, stderr } = await home.bakeserv(['auto']);
  assert.equal(status, 0, stderr);
  const file = path.join(home.folder, '.bakeserv/log');
  const [server] = await home.servers();
  assert.match(fs.readFileSync(file, 'utf8'), /info: listening on unix:/);
  fs.renameSync(file, `${file}.1`);
  process.kill(server!.pid, 'SIGHUP');
  await eventually(20_000, async () => {
    const said = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
    assert.match(said, /^\S+ info: SIGHUP: the log was opened again and the settings were read\n$/);
  });
});
