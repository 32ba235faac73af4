import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { getPr, report, serve, temporaryFolder } from './helpers.ts';
import { cannotFilter, cannotNotify } from './needs.ts';
import { fakeNotify, receiver } from './notify-helpers.ts';

/** systemd's groups of system calls, as `systemd-analyze syscall-filter` of systemd 252 lists them. */
const GROUPS: Readonly<Record<string, readonly string[]>> = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, 'syscall-groups.json'), 'utf8'),
);
const UNIT = fs.readFileSync(path.join(import.meta.dirname, '../../contrib/systemd/bakeserv.service'), 'utf8');

/** The lines of the unit that set something. */
const settings = (name: string) => [...UNIT.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value]) => value!);

function callsIn(group: string): string[] {
  if (!group.startsWith('@')) return [group];
  assert.ok(GROUPS[group], `${group} is in no table of this test`);
  return GROUPS[group].flatMap(callsIn);
}

/** What systemd.exec(5) makes of the lines: the first says that it is a list of what is allowed, later ones add or take away. */
function allowedCalls(): Set<string> {
  const allowed = new Set(callsIn('@default'));
  for (const line of settings('SystemCallFilter')) {
    const names = line.replace(/^~/, '').split(/\s+/).flatMap(callsIn);
    for (const name of names)
      if (line.startsWith('~')) allowed.delete(name);
      else allowed.add(name);
  }
  // Those that every program needs stay.
  for (const name of callsIn('@default')) allowed.add(name);
  return allowed;
}

/** Compiles the program that runs another under the unit's filter. */
function compileFilter(t: TestContext): readonly string[] {
  const folder = temporaryFolder(t);
  const lines = [...allowedCalls()].map((name) => `#ifdef SYS_${name}\nallow(SYS_${name});\n#endif\n`);
  fs.writeFileSync(path.join(folder, 'allowed.h'), lines.join(''));
  const program = path.join(folder, 'seccomp');
  const source = path.join(import.meta.dirname, 'seccomp.c');
  const { status, stderr } = spawnSync('cc', ['-I', folder, '-o', program, source], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const [error] = settings('SystemCallErrorNumber');
  return [program, error === 'EPERM' ? '1' : 'kill'];
}

describe('under the filter of system calls in contrib/systemd', { skip: cannotFilter() }, () => {
  test('Node runs', (t) => {
    const [program, ...args] = compileFilter(t);
    const script = 'new Worker("", { eval: true }).on("exit", () => console.log("done"))';
    const node = [process.execPath, '-e', `const { Worker } = require("node:worker_threads"); ${script}`];
    const { status, signal, stdout } = spawnSync(program!, [...args, ...node], { encoding: 'utf8' });
    assert.deepEqual([status, signal, stdout], [0, null, 'done\n']);
  });

  test('a server serves, stores, lets a group in and ends', async (t) => {
    const under = compileFilter(t);
    const folder = temporaryFolder(t);
    const group = String(process.getgroups!().at(-1)!);
    const server = await serve(t, {
      folder,
      under,
      args: ['--bind', '127.0.0.1:0', '--socket-mode', '0660', '--socket-group', group],
    });
    await report(await server.hash(), 'a');
    assert.equal(await getPr(await server.pr(), 'p-1-r0', 'c'), '0');
    assert.deepEqual(await server.stop(), { status: 0, signal: null });
  });

  test('a server tells the service manager that it is ready', async (t) => {
    const under = compileFilter(t);
    const folder = temporaryFolder(t);
    const manager = fakeNotify(t);
    const env = ['env', `PATH=${manager.path}`, 'NOTIFY_SOCKET=/run/systemd/notify'];
    await serve(t, { folder, under: [...env, ...under] });
    await manager.said(/ READY=1 /);
  });

  test('systemd’s own program reaches it', { skip: cannotNotify() }, async (t) => {
    const under = compileFilter(t);
    const folder = temporaryFolder(t);
    const address = path.join(folder, 'notify');
    const manager = await receiver(t, address);
    await serve(t, { folder, under: ['env', `NOTIFY_SOCKET=${address}`, ...under] });
    await manager.said(/^READY=1 /);
  });

  test('what the unit does not allow is refused, and not by the end of the process', (t) => {
    const [program, ...args] = compileFilter(t);
    const { status, signal, stderr } = spawnSync(program!, [...args, '/bin/mount', '-t', 'tmpfs', 'x', '/mnt'], {
      encoding: 'utf8',
    });
    assert.equal(signal, null);
    assert.notEqual(status, 0);
    assert.match(stderr, /permission|permitted|superuser/);
  });
});
