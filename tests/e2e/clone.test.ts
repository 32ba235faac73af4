import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { connectHashClient, connectPrClient } from '../../lib/index.ts';
import { type Context, LAUNCHER, runToEnd, temporaryFolder } from './helpers.ts';
import { createHome, output } from './home-helpers.ts';
import { openOther } from './sqlite.ts';

const ROWS = 60_000;
const METHOD = 'oe.sstatesig.OEOuthashBasic';
const hash = (n: number) => n.toString(16).padStart(64, '0');
const ZLIB = { version: 'zlib-1.3-r0', pkgarch: 'core2-64' };

/** A database of hash equivalence with that many rows. */
async function database(t: Context, file: string, rows: number): Promise<void> {
  const other = await openOther(t, file);
  await other.exec(`
    CREATE TABLE unihashes_v3 (id INTEGER PRIMARY KEY AUTOINCREMENT, method TEXT NOT NULL, taskhash TEXT NOT NULL,
      unihash TEXT NOT NULL, gc_mark TEXT NOT NULL, UNIQUE(method, taskhash));
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
      INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark) SELECT 'm', printf('%064x', i), printf('%064x', i), '' FROM n`);
  await other.close();
}

/** Starts a clone, and resolves once there is something of it. */
async function underWay(t: Context, source: string, folder: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [LAUNCHER, 'clone', source, folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => void child.kill('SIGKILL'));
  const file = path.join(path.dirname(folder), `.new~clone-${child.pid}`, 'hashserv.db-wal');
  while ((fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0) < 1024 * 1024) {
    assert.equal(child.exitCode, null, 'it goes on');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return child;
}

test('a clone of a running server starts by the command it says, and answers as that server does', async (t) => {
  const home = createHome(t);
  const address = `unix://${home.folder}/first.sock`;
  await output(home.start(['serve', '--bind', 'unix://./first.sock']), /listening/);
  const [hashes, prs] = await Promise.all([connectHashClient(address), connectPrClient(address)]);
  await hashes.report({ taskhash: hash(1), method: METHOD, outhash: hash(101), unihash: hash(1) });
  for (const checksum of ['one', 'two']) await prs.getPr({ ...ZLIB, checksum });
  hashes.close();
  prs.close();

  const folder = path.join(home.folder, "deep/it's, a clone");
  const made = await home.bakeserv(['clone', address, folder, '--json']);
  assert.equal(made.status, 0, made.stderr);
  const { start, config, unihashes, values } = JSON.parse(made.stdout);
  assert.deepEqual([unihashes.rows, values.rows, unihashes.checked_by, values.checked_by], [1, 2, 'hash', 'hash']);
  assert.deepEqual(fs.readdirSync(folder).sort(), ['bakeserv.yaml', 'hashserv.db', 'prserv.sqlite3']);
  assert.deepEqual(fs.readdirSync(path.dirname(folder)), [path.basename(folder)]);
  assert.equal(config, path.join(folder, 'bakeserv.yaml'));
  assert.match(fs.readFileSync(config, 'utf8'), new RegExp(`^# A clone of "${address}", made 20`));

  const words = await home.run('sh', ['-c', `printf '%s\\n' ${start}`]);
  await output(home.start(words.stdout.trim().split('\n').slice(1)), /listening/);
  const second = `unix://${folder}/hashserve.sock`;
  const [theirHashes, theirPrs] = await Promise.all([connectHashClient(second), connectPrClient(second)]);
  assert.equal((await theirHashes.get(METHOD, hash(1)))?.unihash, hash(1));
  assert.equal((await theirHashes.getOuthash(METHOD, hash(101), hash(1)))?.unihash, hash(1));
  assert.equal(await theirPrs.getPr({ ...ZLIB, checksum: 'two' }), '1');
  assert.equal(await theirPrs.getPr({ ...ZLIB, checksum: 'three' }), '2');
  theirHashes.close();
  theirPrs.close();
});

describe('a clone', () => {
  test('that was killed or interrupted has left no folder of that name, and the next one removes what it left', async (t) => {
    const folder = temporaryFolder(t);
    const [source, to] = [path.join(folder, 'from.db'), path.join(folder, 'new')];
    await database(t, source, ROWS);
    fs.mkdirSync(to);
    const killed = await underWay(t, source, to);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    assert.deepEqual(fs.readdirSync(to), []);
    assert.ok(fs.existsSync(path.join(folder, `.new~clone-${killed.pid}`)));

    const interrupted = await underWay(t, source, to);
    const said = text(interrupted.stderr!);
    const ended = once(interrupted, 'exit');
    interrupted.kill('SIGINT');
    assert.deepEqual(await ended, [130, null]);
    assert.equal(await said, `bakeserv: interrupted; nothing is in ${to}\n`);
    assert.deepEqual(fs.readdirSync(folder).sort(), ['from.db', 'new']);

    const run = await runToEnd(['clone', source, to]);
    assert.deepEqual([run.status, run.stderr], [0, '']);
    assert.match(run.stdout, new RegExp(`^unihashes: ${ROWS} rows: ${ROWS} copied, .*equal by a hash over all rows\n`));
    assert.ok(run.stdout.endsWith(`start it with: bakeserv serve --config ${to}/bakeserv.yaml\n`), run.stdout);
    assert.match(fs.readFileSync(path.join(to, 'bakeserv.yaml'), 'utf8'), /\nprserv: false\n/);
    assert.deepEqual(fs.readdirSync(folder).sort(), ['from.db', 'new']);
  });

  test('goes into a new or empty folder only, and says what is wrong with a source', async (t) => {
    const folder = temporaryFolder(t);
    const at = (name: string) => path.join(folder, name);
    fs.mkdirSync(at('site'));
    for (const name of ['a.db', 'b.sqlite3']) await database(t, at(`site/${name}`), 1);
    fs.writeFileSync(at('site/notes.txt'), 'text');
    const full = await runToEnd(['clone', at('site/a.db'), at('site')]);
    assert.deepEqual(
      [full.status, full.stderr],
      [2, `bakeserv: DIR: ${at('site')} is not empty: a clone goes into a new or empty folder\n`],
    );
    const file = await runToEnd(['clone', at('site/a.db'), at('site/notes.txt')]);
    assert.match(file.stderr, /notes\.txt is there already, and is not a folder/);
    const both = await runToEnd(['clone', at('site'), at('new')]);
    assert.deepEqual([both.status, both.stdout], [2, '']);
    assert.match(both.stderr, /several databases in .* are of one service, name one: .*a\.db, .*b\.sqlite3\n$/);
    fs.rmSync(at('site/b.sqlite3'));
    assert.equal((await runToEnd(['clone', at('site'), at('new')])).status, 0);
    const none = await runToEnd(['clone', at('none.db'), at('other')]);
    assert.deepEqual([none.status, none.stderr], [1, `bakeserv: no database at ${at('none.db')}\n`]);
    // Through a link, and not the link in its place.
    fs.mkdirSync(at('behind'));
    fs.symlinkSync('behind', at('link'));
    assert.equal((await runToEnd(['clone', at('site'), at('link')])).status, 0);
    assert.ok(fs.lstatSync(at('link')).isSymbolicLink());
    assert.ok(fs.existsSync(at('behind/bakeserv.yaml')));
    assert.deepEqual(fs.readdirSync(folder).sort(), ['behind', 'link', 'new', 'site']);
  });
});
