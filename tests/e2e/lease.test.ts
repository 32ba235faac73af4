import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import { parseAddress } from '../../lib/asyncrpc/transport/address.ts';
import { eventually } from './helpers.ts';
import { createHome, ended, type Home, output, variablesOf } from './home-helpers.ts';

const control = (home: Home) => path.join(home.folder, '.bakeserv/control.sock');

/** A build that goes on until it is let go. */
async function startBuild(home: Home, name: string, args: readonly string[] = []) {
  const gate = path.join(home.folder, `${name}.gate`);
  execFileSync('mkfifo', [gate]);
  const script = 'echo "$BB_HASHSERVE $PRSERV_HOST ready"; read line < "$1"; exit 0';
  const child = home.start(['run', ...args, '--', 'sh', '-c', script, 'sh', gate]);
  const [BB_HASHSERVE, PRSERV_HOST] = (await output(child, /ready\n/)).split(' ');
  const over = once(child, 'exit').then(([status]) => status as number);
  return {
    child,
    told: { BB_HASHSERVE: BB_HASHSERVE!, PRSERV_HOST: PRSERV_HOST! },
    finish() {
      fs.writeFileSync(gate, 'go\n');
      return over;
    },
  };
}

async function assertAnswers({ BB_HASHSERVE, PRSERV_HOST }: Record<string, string>): Promise<void> {
  for (const [address, protocol] of [
    [BB_HASHSERVE!, 'OEHASHEQUIV 1.1'],
    [PRSERV_HOST!, 'PRSERVICE 1.0'],
  ] as const) {
    const client = await connectClient(parseAddress(address), { protocol });
    assert.deepEqual(await client.invoke('ping', {}), { alive: true });
    client.close();
  }
}

describe('a server lives as long as a build needs it', () => {
  test('of two builds in one folder the first to finish leaves the server to the second, which ends it', async (t) => {
    const home = createHome(t);
    const first = await startBuild(home, 'first');
    const second = await startBuild(home, 'second');
    assert.deepEqual(second.told, first.told);
    assert.equal(await first.finish(), 0);
    await assertAnswers(second.told);
    assert.equal(await second.finish(), 0);
    assert.deepEqual(await home.servers(), []);
  });

  test('the second to start may also be the first to finish', async (t) => {
    const home = createHome(t);
    const first = await startBuild(home, 'first');
    const second = await startBuild(home, 'second');
    assert.equal(await second.finish(), 0);
    await assertAnswers(first.told);
    assert.equal(await first.finish(), 0);
    assert.deepEqual(await home.servers(), []);
  });

  test('a run on a server that auto started outlives its idle time, which then counts from the end of the run', async (t) => {
    const home = createHome(t);
    await home.bakeserv(['auto', '--idle', '1']);
    // Longer without a client than the server would wait alone.
    const quiet = await home.bakeserv(['run', '--', 'sh', '-c', 'sleep 3; test -S hashserve.sock']);
    assert.equal(quiet.status, 0, quiet.stderr);
    assert.equal(quiet.stderr, '');
    await eventually(20_000, async () => assert.deepEqual(await home.servers(), []));
  });

  test('a build that auto handed the addresses of a run’s server to keeps them after the run', async (t) => {
    const home = createHome(t);
    const build = await startBuild(home, 'build');
    const told = variablesOf((await home.bakeserv(['auto', '--idle', '3'])).stdout);
    assert.equal(told.BB_HASHSERVE, build.told.BB_HASHSERVE);
    const over = ended(control(home));
    assert.equal(await build.finish(), 0);
    await assertAnswers(told);
    await over;
    assert.deepEqual(await home.servers(), []);
  });

  test('a run that is killed gives its server up', async (t) => {
    const home = createHome(t);
    const build = await startBuild(home, 'build');
    const over = ended(control(home));
    build.child.kill('SIGKILL');
    await over;
    void build.finish();
  });
});

describe('a server that dies during a build', () => {
  test('is started again at the same addresses, and ends with the build', async (t) => {
    const home = createHome(t);
    const build = await startBuild(home, 'build');
    for (let kill = 0; kill < 2; kill++) {
      const { pid } = (await home.servers())[0]!;
      const said = output(build.child, /ended while the build was running, and is started again/, 'stderr');
      process.kill(pid, 'SIGKILL');
      await said;
      await eventually(30_000, async () => {
        assert.notEqual((await home.servers())[0]?.pid ?? pid, pid);
        await assertAnswers(build.told);
      });
    }
    assert.equal(await build.finish(), 0);
    assert.deepEqual(await home.servers(), []);
  });

  test('stays away when somebody stopped it on purpose', async (t) => {
    const home = createHome(t);
    const build = await startBuild(home, 'build');
    const said = output(build.child, /was stopped by somebody else/, 'stderr');
    assert.equal((await home.bakeserv(['auto', '--stop'])).status, 0);
    await said;
    assert.equal(await build.finish(), 0);
    assert.deepEqual(await home.servers(), []);
  });
});
