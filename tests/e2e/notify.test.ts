import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { eventually, temporaryFolder } from './helpers.ts';
import { createHome, LAUNCHER, output } from './home-helpers.ts';
import { cannotNotify } from './needs.ts';
import { fakeNotify, receiver } from './notify-helpers.ts';

/** A server that was started as a service. */
async function service(t: TestContext, env: NodeJS.ProcessEnv, command = '"$0" "$@"') {
  const home = createHome(t);
  // As systemd does: its variables name this very process.
  const script = `export SYSTEMD_EXEC_PID=\${EXEC_PID:-$$} WATCHDOG_PID=\${DOG_PID:-$$}; exec ${command}`;
  const child = spawn('/bin/sh', ['-c', script, process.execPath, LAUNCHER, 'serve', '--bind', 'unix://./s'], {
    cwd: home.folder,
    env: { ...home.env, NOTIFY_SOCKET: '/run/systemd/notify', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (piece) => {
    stderr += piece;
  });
  await output(child, /listening/);
  return {
    home,
    child,
    stderr: () => stderr,
    logged: (pattern: RegExp) => eventually(20_000, async () => assert.match(stderr, pattern)),
    async stop() {
      child.kill('SIGTERM');
      assert.deepEqual(await once(child, 'close'), [0, null]);
    },
  };
}

describe('a service manager', { concurrency: true }, () => {
  test('is told when every address answers, that settings are read, and that the server stops', async (t) => {
    const manager = fakeNotify(t);
    const server = await service(t, { PATH: manager.path });
    await manager.said(/READY=1/);
    server.child.kill('SIGHUP');
    await manager.said(/RELOADING=1/);
    await eventually(20_000, async () => assert.equal(manager.lines().length, 3));
    await server.stop();
    await manager.said(/STOPPING=1/);
    const [ready, reloading, again, stopping] = manager.lines();
    assert.match(
      ready!,
      /^\/run\/systemd\/notify READY=1 STATUS=0 clients; logged since the start: 0 warnings, 0 errors$/,
    );
    const [, at] = /^\S+ RELOADING=1 MONOTONIC_USEC=(\d+)$/.exec(reloading!)!;
    const now = process.hrtime.bigint() / 1000n;
    assert.ok(BigInt(at!) < now && BigInt(at!) > now - 120_000_000n, 'microseconds of the clock that systemd uses');
    assert.match(again!, / READY=1$/);
    assert.match(stopping!, / STOPPING=1 STATUS=/);
    assert.equal(manager.lines().length, 4);
  });

  test('hears from the server while it waits for that, and not for a watchdog of another process', async (t) => {
    const [watched, unwatched] = [fakeNotify(t), fakeNotify(t)];
    const server = await service(t, { PATH: watched.path, WATCHDOG_USEC: '200000' });
    await eventually(20_000, async () => assert.match(watched.lines().join('\n'), /( WATCHDOG=1.*){3}/s));
    await server.stop();
    const other = await service(t, { PATH: unwatched.path, WATCHDOG_USEC: '2000', DOG_PID: '1' });
    for (const ready of [2, 3]) {
      other.child.kill('SIGHUP');
      await eventually(20_000, async () =>
        assert.equal(unwatched.lines().filter((line) => / READY=1/.test(line)).length, ready),
      );
    }
    assert.ok(!unwatched.lines().some((line) => /WATCHDOG/.test(line)));
  });

  test('is not told by a server that is not its service: of a CI job, of a build folder', async (t) => {
    const manager = fakeNotify(t);
    const server = await service(t, { PATH: manager.path, EXEC_PID: '1' });
    const env = { PATH: manager.path, NOTIFY_SOCKET: '/run/systemd/notify' };
    assert.equal((await server.home.bakeserv(['auto'], env)).status, 0);
    assert.equal((await server.home.bakeserv(['auto', '--stop'], env)).status, 0);
    await server.stop();
    assert.deepEqual(manager.lines(), []);
  });

  test('that cannot be told is one warning, and no reason not to serve', async (t) => {
    const server = await service(t, { PATH: temporaryFolder(t), WATCHDOG_USEC: '20000' }, '"$0" "$@"');
    await server.logged(/warn: systemd-notify: .*no such file.* use Type=exec and no WatchdogSec/);
    server.child.kill('SIGHUP');
    await server.logged(/SIGHUP: the log was opened again/);
    await server.stop();
    assert.equal(server.stderr().match(/systemd-notify:/g)!.length, 1);
  });
});

describe('systemd’s own program', { skip: cannotNotify() }, () => {
  for (const kind of ['path', 'abstract name'] as const) {
    test(`reaches a manager by its ${kind}`, async (t) => {
      const folder = temporaryFolder(t);
      const address = kind === 'path' ? path.join(folder, 'notify') : `@bakeserv-test-${process.pid}`;
      const manager = await receiver(t, address);
      const server = await service(t, { NOTIFY_SOCKET: address });
      await manager.said(/^READY=1 STATUS=0 clients; .*$/);
      await server.stop();
      await manager.said(/^STOPPING=1 /);
      assert.equal(fs.existsSync(address), kind === 'path');
      assert.doesNotMatch(server.stderr(), /systemd-notify/);
    });
  }
});
