import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import { parseAddress } from '../../lib/asyncrpc/transport/address.ts';
import { createHome, variablesOf } from './home-helpers.ts';

const ODD_NAMES = ["it's a build", 'häuser ~ и 建', '~', 'a "quoted" $HOME `one`', 'two  blanks', '-dash;&|*'];

describe('eval "$(bakeserv auto)"', () => {
  for (const shell of ['sh', 'bash']) {
    test(`exports the variables to what ${shell} starts, whatever the folder is called`, async (t) => {
      const home = createHome(t);
      for (const name of ODD_NAMES) {
        const folder = path.join(home.folder, name);
        fs.mkdirSync(folder);
        const printed = await home.bakeserv(['auto', `--dir=./${name}`], {
          BB_ENV_PASSTHROUGH_ADDITIONS: 'SSTATE_DIR PRSERV_HOST',
        });
        assert.equal(printed.status, 0, printed.stderr);
        const child = 'sh -c \'printf "%s|%s|%s" "$BB_HASHSERVE" "$PRSERV_HOST" "$BB_ENV_PASSTHROUGH_ADDITIONS"\'';
        const { stdout, stderr } = await home.run(shell, ['-c', `eval "$1"; ${child}`, shell, printed.stdout]);
        const [hashserve, prserv, passed] = stdout.split('|').slice(-3);
        assert.equal(stdout.split('|').slice(0, -2).join('|'), `unix://${folder}/hashserve.sock`, stderr);
        assert.ok(hashserve !== undefined);
        assert.match(prserv!, /^127\.0\.0\.1:\d+$/);
        assert.equal(passed, 'SSTATE_DIR PRSERV_HOST BB_HASHSERVE');
        await home.bakeserv(['auto', '--dir', folder, '--stop']);
      }
    });
  }
});

test('a relative --dir and --db-dir are those of the caller’s folder, for auto, run and --stop', async (t) => {
  const home = createHome(t);
  fs.mkdirSync(path.join(home.folder, 'sub'));
  const at = ['--dir', 'sub', '--db-dir', 'db'];
  const auto = await home.bakeserv(['auto', ...at]);
  assert.equal(auto.status, 0, auto.stderr);
  assert.equal(variablesOf(auto.stdout).BB_HASHSERVE, `unix://${home.folder}/sub/hashserve.sock`);
  assert.ok(fs.existsSync(path.join(home.folder, 'db/hashserv.db')));
  const run = await home.bakeserv(['run', ...at, '--', 'sh', '-c', 'echo $BB_HASHSERVE']);
  assert.deepEqual([run.status, run.stdout], [0, `unix://${home.folder}/sub/hashserve.sock\n`]);
  assert.match((await home.bakeserv(['auto', '--dir', 'sub', '--stop'])).stdout, /^stopped/);
  const alone = await home.bakeserv(['run', ...at, '--', 'true']);
  assert.deepEqual([alone.status, alone.stderr], [0, '']);
});

describe('the port of the PR service', () => {
  test('is the same for each server of a build folder', async (t) => {
    const home = createHome(t);
    const first = variablesOf((await home.bakeserv(['auto'])).stdout);
    await home.bakeserv(['auto', '--stop']);
    const run = await home.bakeserv(['run', '--', 'sh', '-c', 'echo $PRSERV_HOST']);
    assert.equal(run.stdout.trim(), first.PRSERV_HOST);
    assert.equal(variablesOf((await home.bakeserv(['auto'])).stdout).PRSERV_HOST, first.PRSERV_HOST);
  });

  test('is another one, and stays that, when somebody else has taken it', async (t) => {
    const home = createHome(t);
    const first = variablesOf((await home.bakeserv(['auto'])).stdout);
    await home.bakeserv(['auto', '--stop']);
    const stranger = net.createServer();
    t.after(() => stranger.close());
    const port = Number(first.PRSERV_HOST!.split(':')[1]);
    await new Promise<void>((resolve) => stranger.listen(port, '127.0.0.1', resolve));
    const second = variablesOf((await home.bakeserv(['auto'])).stdout);
    assert.notEqual(second.PRSERV_HOST, first.PRSERV_HOST);
    await home.bakeserv(['auto', '--stop']);
    await new Promise((resolve) => stranger.close(resolve));
    assert.equal(variablesOf((await home.bakeserv(['auto'])).stdout).PRSERV_HOST, second.PRSERV_HOST);
  });
});

test('a build folder that was moved gets a server at its new place, with what the old one knew', async (t) => {
  const home = createHome(t);
  const [old, now] = [path.join(home.folder, 'old'), path.join(home.folder, 'new')];
  fs.mkdirSync(old);
  const before = variablesOf((await home.bakeserv(['auto', '--dir', old])).stdout);
  const getPr = async (address: string, checksum: string) => {
    const client = await connectClient(parseAddress(address), { protocol: 'PRSERVICE 1.0' });
    const value = await client.invoke('get-pr', { version: 'p-1-r0', pkgarch: 'all', checksum, history: false });
    client.close();
    return (value as { value: string }).value;
  };
  await getPr(before.PRSERV_HOST!, 'a');
  assert.equal(await getPr(before.PRSERV_HOST!, 'b'), '1');
  fs.renameSync(old, now);
  const told = variablesOf((await home.bakeserv(['auto', '--dir', now])).stdout);
  assert.equal(told.BB_HASHSERVE, `unix://${now}/hashserve.sock`);
  assert.equal((await home.servers()).length, 1);
  assert.equal(told.PRSERV_HOST, before.PRSERV_HOST);
  assert.deepEqual([await getPr(told.PRSERV_HOST!, 'b'), await getPr(told.PRSERV_HOST!, 'c')], ['1', '2']);
});

test('a .bakeserv that is a link, or that others can write to, is not used', async (t) => {
  const home = createHome(t);
  const own = path.join(home.folder, '.bakeserv');
  const elsewhere = path.join(home.tmp, 'elsewhere');
  fs.mkdirSync(elsewhere, { mode: 0o700 });
  fs.symlinkSync(elsewhere, own);
  for (const args of [['auto'], ['auto', '--stop'], ['run', '--', 'true']]) {
    const { status, stderr } = await home.bakeserv(args);
    assert.equal(status, 2, stderr);
    assert.match(stderr, /\.bakeserv is not a folder but a link: remove it/);
  }
  assert.deepEqual(fs.readdirSync(elsewhere), []);
  fs.rmSync(own);
  fs.mkdirSync(own);
  fs.chmodSync(own, 0o777);
  assert.match((await home.bakeserv(['auto'])).stderr, /other users can write to .*\.bakeserv/);
});

describe('a TMPDIR that cannot be used is named', () => {
  for (const folder of ['/proc/self/nope', '/proc', '/nowhere/at/all']) {
    test(folder, async (t) => {
      const home = createHome(t);
      const { status, stderr } = spawnSync(
        process.execPath,
        [path.join(import.meta.dirname, '../../dist/bin/launch.cjs'), 'status'],
        { env: { ...home.env, TMPDIR: folder }, encoding: 'utf8', timeout: 60_000 },
      );
      assert.equal(status, 2, stderr);
      assert.match(stderr, new RegExp(`cannot make the folder ${folder}/bakeserv-\\d+: .*TMPDIR`));
      assert.ok(!fs.existsSync('/nowhere'));
      // A private server needs no temporary folder.
      const auto = await home.bakeserv(['auto'], { TMPDIR: folder });
      assert.equal(auto.status, 0, auto.stderr);
      assert.match((await home.bakeserv(['auto', '--stop'])).stdout, /^stopped/);
    });
  }
});
