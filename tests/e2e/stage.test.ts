import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { connectHashClient, connectPrClient } from '../../lib/index.ts';
import { openBinding } from '../../lib/storage/sqlite/engine/binding.ts';
import { createHome, ended, type Home, output } from './home-helpers.ts';

const METHOD = 'oe.sstatesig.OEOuthashBasic';
const hash = (n: number) => n.toString(16).padStart(64, '0');
const ZLIB = { version: 'zlib-1.3-r0', pkgarch: 'core2-64' };
const control = (told: Told) => path.join(told.folder, '.bakeserv/control.sock');

interface Told {
  readonly folder: string;
  readonly BB_HASHSERVE: string;
  readonly PRSERV_HOST: string;
}

/** A shared server that knows one task and one package, and how to make stages of it. */
async function openShared(t: TestContext) {
  const home = createHome(t);
  const start = async () => {
    const server = home.start(['serve', '--bind', 'unix://./shared.sock']);
    await output(server, /listening/);
    return server;
  };
  const server = await start();
  const address = `unix://${home.folder}/shared.sock`;
  const [hashes, prs] = await Promise.all([connectHashClient(address), connectPrClient(address)]);
  await hashes.report({ taskhash: hash(1), method: METHOD, outhash: hash(101), unihash: hash(1) });
  await prs.getPr({ ...ZLIB, checksum: 'main1' });
  hashes.close();
  prs.close();
  return { home, server, start, rows: () => rowsOf(home) };
}

/** Every row that the shared server has. */
async function rowsOf({ folder }: Home) {
  const rows: unknown[][] = [];
  for (const [file, tables] of [
    ['hashserv.db', ['unihashes_v3', 'outhashes_v2']],
    ['prserv.sqlite3', ['PRMAIN']],
  ] as const) {
    const binding = await openBinding(path.join(folder, file), 'read');
    for (const table of tables) rows.push(await binding.all(`SELECT * FROM ${table}`));
    await binding.close();
  }
  return rows;
}

async function stage(home: Home, name: string): Promise<Told> {
  const made = await home.bakeserv(['stage', name, '--json']);
  assert.equal(made.status, 0, made.stderr);
  return JSON.parse(made.stdout);
}

/** What a validation build does, with an unmerged change. */
async function build(told: Told) {
  const [hashes, prs] = await Promise.all([connectHashClient(told.BB_HASHSERVE), connectPrClient(told.PRSERV_HOST)]);
  const answers = {
    known: await hashes.get(METHOD, hash(1)),
    equivalent: await hashes.report({ taskhash: hash(2), method: METHOD, outhash: hash(101), unihash: hash(2) }),
    fresh: await hashes.report({ taskhash: hash(3), method: METHOD, outhash: hash(103), unihash: hash(3) }),
    same: await prs.getPr({ ...ZLIB, checksum: 'main1' }),
    next: await prs.getPr({ ...ZLIB, checksum: 'bundle1' }),
    unknown: await prs.getPr({ ...ZLIB, version: 'jq-1.7-r0', checksum: 'bundle2' }),
  };
  hashes.close();
  prs.close();
  return answers;
}

describe('a stage', () => {
  test('asks the shared server, keeps what is new to itself, and leaves no trace there when it is discarded', async (t) => {
    const { home, rows } = await openShared(t);
    const before = await rows();
    const told = await stage(home, 'pr-1');
    const { known, equivalent, fresh, same, next, unknown } = await build(told);
    assert.deepEqual([known?.unihash, equivalent.unihash, fresh.unihash], [hash(1), hash(1), hash(3)]);
    assert.deepEqual([same, next, unknown], ['0', '0.0', '0']);
    assert.deepEqual(await rows(), before);

    const over = ended(control(told));
    process.kill((await home.servers()).find(({ command }) => command === 'stage')!.pid, 'SIGKILL');
    await over;
    // What it gave out before it was killed stands, at the same addresses.
    assert.deepEqual(await stage(home, 'pr-1'), told);
    const prs = await connectPrClient(told.PRSERV_HOST);
    assert.equal(await prs.getPr({ ...ZLIB, checksum: 'bundle1' }), '0.0');
    assert.equal(await prs.getPr({ ...ZLIB, checksum: 'bundle3' }), '0.1');

    const refused = await home.bakeserv(['discard', 'pr-1', '--yes']);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /a build is on in the stage pr-1, or its publication \(clients: 1\).*--force/);
    prs.close();
    const unasked = await home.bakeserv(['discard', 'pr-1', '--force']);
    assert.match(unasked.stderr, /nothing was changed: say --yes/);
    const gone = await home.bakeserv(['discard', 'pr-1', '--yes', '--force']);
    assert.deepEqual([gone.status, gone.stdout], [0, 'discarded pr-1\n'], gone.stderr);
    assert.deepEqual(fs.readdirSync(path.dirname(told.folder)), []);
    assert.deepEqual(
      (await home.servers()).map(({ command }) => command),
      ['serve'],
    );
    assert.deepEqual(await rows(), before);
  });

  test('goes on while the shared server is away, as far as nothing needs to be invented', async (t) => {
    const { home, server, start, rows } = await openShared(t);
    const told = await stage(home, 'pr-1');
    await build(told);
    const away = new Promise((resolve) => server.once('close', resolve));
    server.kill('SIGTERM');
    await away;
    const before = await rows();
    const [hashes, prs] = await Promise.all([connectHashClient(told.BB_HASHSERVE), connectPrClient(told.PRSERV_HOST)]);
    const reported = await hashes.report({ taskhash: hash(4), method: METHOD, outhash: hash(104), unihash: hash(4) });
    assert.equal(reported.unihash, hash(4));
    assert.equal(await prs.getPr({ ...ZLIB, checksum: 'bundle4' }), '0.1');
    await assert.rejects(
      prs.getPr({ ...ZLIB, version: 'xz-5.4-r0', checksum: 'bundle5' }),
      /upstream PR server does not answer/,
    );
    hashes.close();
    prs.close();
    await start();
    assert.deepEqual(await rows(), before);
  });

  test('is of one server: its name cannot mean one of another, nor one that must be new', async (t) => {
    const { home } = await openShared(t);
    await stage(home, 'pr-1');
    const other = await home.bakeserv(['stage', 'pr-1', '--address', 'elsewhere:8585']);
    assert.match(other.stderr, /the stage pr-1 is there already, and is of unix:.*, not of elsewhere:8585/);
    const fresh = await home.bakeserv(['stage', 'pr-1', '--new']);
    assert.match(fresh.stderr, /the stage pr-1 is there already, since .*"bakeserv discard pr-1"/);
    const [listed] = JSON.parse((await home.bakeserv(['stages', '--json'])).stdout);
    assert.deepEqual([listed.name, listed.running, listed.clients], ['pr-1', true, 0]);
  });

  test('is published after a look: the shared server then has what is new in it, and gets no row twice', async (t) => {
    const { home, rows } = await openShared(t);
    const before = await rows();
    const told = await stage(home, 'pr-1');
    await build(told);
    const over = ended(control(told));
    process.kill((await home.servers()).find(({ command }) => command === 'stage')!.pid, 'SIGKILL');
    await over;

    const asked = await home.bakeserv(['publish', 'pr-1']);
    assert.equal(asked.status, 1);
    assert.match(asked.stdout, /^PR values of 2 packages: 2 new, 1 here already\nunihashes: 2 new, 1 here already\n/);
    assert.match(asked.stderr, /nothing was changed: say --yes to publish pr-1 into unix:\/\/.*shared\.sock/);
    assert.deepEqual(await rows(), before);

    const published = await home.bakeserv(['publish', 'pr-1', '--yes']);
    assert.equal(published.status, 0, published.stderr);
    assert.match(published.stdout, /\npublished pr-1\n$/);
    const prs = await connectPrClient(`unix://${home.folder}/shared.sock`);
    assert.equal(await prs.testPr({ ...ZLIB, checksum: 'bundle1' }), '0.0');
    assert.equal(await prs.getPr({ ...ZLIB, checksum: 'main2' }), '0.1');
    prs.close();
    const after = await rows();
    assert.deepEqual(
      after.map((table) => table.length),
      [3, 3, 4],
    );

    const again = await home.bakeserv(['publish', 'pr-1']);
    assert.deepEqual([again.status, again.stderr], [0, 'nothing is new in the stage pr-1\n']);
    assert.deepEqual(await rows(), after);
    const looked = JSON.parse((await home.bakeserv(['publish', 'pr-1', '--json'])).stdout);
    assert.deepEqual([looked.state, looked.dry_run, looked.prs.new], ['done', true, 0]);
    const shared = await openBinding(path.join(home.folder, 'hashserv.db'), 'read');
    assert.deepEqual(
      await shared.all("SELECT name FROM config WHERE name LIKE 'bakeserv-pull-%'"),
      [],
      'nothing is noted of what is gone soon',
    );
    await shared.close();
  });

  test('is not published where the shared server gave its values to something else meanwhile, nor into one that is not here', async (t) => {
    const { home, rows } = await openShared(t);
    await build(await stage(home, 'pr-1'));
    const prs = await connectPrClient(`unix://${home.folder}/shared.sock`);
    await prs.getPr({ ...ZLIB, checksum: 'main2' });
    prs.close();
    const before = await rows();
    for (const more of [[], ['--yes']]) {
      const refused = await home.bakeserv(['publish', 'pr-1', ...more]);
      assert.equal(refused.status, 1);
      assert.match(refused.stdout + refused.stderr, /zlib-1\.3-r0 core2-64 bundle1 0\.0: the package is at 1 here/);
      assert.match(refused.stderr, /nothing was published/);
      assert.deepEqual(await rows(), before);
    }
    // Nobody is there yet: a stage can be made all the same.
    const far = await home.bakeserv(['stage', 'far', '--address', '127.0.0.1:1']);
    assert.equal(far.status, 0, far.stderr);
    const elsewhere = await home.bakeserv(['publish', 'far', '--yes']);
    assert.match(elsewhere.stderr, /no server of this user answers on 127\.0\.0\.1:1/);
    const named = await home.bakeserv(['publish', 'far', '--dry-run', '--address', 'unix://./shared.sock']);
    assert.deepEqual(
      [named.status, named.stdout.split('\n')[0]],
      [0, 'PR values of 0 packages: 0 new, 0 here already'],
    );
  });

  test('needs a shared server, or the name of one', async (t) => {
    const home = createHome(t);
    const { status, stderr } = await home.bakeserv(['stage', 'pr-1']);
    assert.equal(status, 1);
    assert.match(stderr, /no shared server runs on this machine: name .* with --address/);
    assert.ok(!fs.existsSync(path.join(home.env.HOME!, '.local/state/bakeserv/stages/pr-1')));
  });
});
