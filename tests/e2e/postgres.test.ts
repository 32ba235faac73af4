import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { faultsOf, newHistory } from '../postgres/history.ts';
import { type PostgresServer, startPostgres } from '../postgres/server.ts';
import {
  eventually,
  getPr,
  LAUNCHER,
  report,
  runToEnd,
  type ServerProcess,
  serve,
  storedUnihash,
  temporaryFolder,
} from './helpers.ts';
import { WITHIN_MS, workersOf } from './workers-helpers.ts';

describe('servers on one PostgreSQL, as processes', () => {
  let postgres: PostgresServer;
  before(async () => {
    postgres = await startPostgres(['fsync=on']);
  });
  after(() => postgres.stop());

  const onDatabase = (address: string) => ['--hashserv-db', address, '--prserv-db', address];

  /** A server whose databases are there, whatever its folder holds. */
  const start = (t: Parameters<typeof serve>[0], address: string, args: readonly string[] = []) =>
    serve(t, { folder: temporaryFolder(t), files: onDatabase(address), args });

  test('what one stores the other has; status and the log name the database without its password', async (t) => {
    const address = (await postgres.newDatabase()).replace('bakeserv@', 'bakeserv:secret@');
    const [one, other] = [await start(t, address), await start(t, address)];
    const unihash = await report(await one.hash(), 'a');
    assert.equal(await storedUnihash(await other.hash(), 'a'), unihash);
    assert.equal(await getPr(await one.pr(), 'p-1-r0', 'c1'), '0');
    assert.equal(await getPr(await other.pr(), 'p-1-r0', 'c2'), '1');
    const config = await runToEnd(['config', 'print', ...onDatabase(address)]);
    for (const said of [one.stderr(), other.stderr(), config.stdout]) {
      assert.match(said, /postgres:\/\/bakeserv:…@/);
      assert.doesNotMatch(said, /secret/);
    }
    assert.deepEqual(await one.stop(), { status: 0, signal: null });
  });

  test('two workers on it are one server: no value twice, and one finds what the other stored, also after one was killed', async (t) => {
    const server = await start(t, await postgres.newDatabase(), ['--workers', '2']);
    const [one, other] = [await server.pr(), await server.pr()];
    for (let i = 0; i < 10; i += 2) {
      assert.equal(await getPr(one, 'p-1-r0', `c${i}`), String(i));
      assert.equal(await getPr(other, 'p-1-r0', `c${i + 1}`), String(i + 1));
    }
    const hashes = [await server.hash(), await server.hash()];
    const told = await report(hashes[0]!, 'of one');
    assert.equal(await storedUnihash(hashes[1]!, 'of one'), told);
    const before = await workersOf(server);
    process.kill(before[0]!.pid, 'SIGKILL');
    await eventually(WITHIN_MS, async () => {
      const now = await workersOf(server);
      assert.ok(now.length === 2 && now[0]!.pid !== before[0]!.pid);
    });
    // Whoever has fewest gets them: the one that came last.
    assert.equal(await storedUnihash(await server.hash(), 'of one'), told);
    assert.equal(await getPr(await server.pr(), 'p-1-r0', 'c10'), '10');
    assert.deepEqual(await server.stop(), { status: 0, signal: null });
  });

  test('killed again and again under load, nothing answered is lost and no value is given twice', async (t) => {
    const address = await postgres.newDatabase();
    const history = newHistory();
    let over = false;
    let server: ServerProcess = await start(t, address);
    const steady = await start(t, address);
    const ask = async (of: () => ServerProcess, seed: number) => {
      for (let n = 0; !over; n++) {
        const asked = performance.now();
        try {
          const [hashes, values] = [await of().hash(), await of().pr()];
          for (; !over; n++) {
            const began = performance.now();
            const checksum = `c${seed}-${n}`;
            const value = await getPr(values, 'p-1-r0', checksum);
            history.prs.push({ package: 'p', checksum, asked: began, answered: performance.now(), value });
            const name = `${seed}-${n}`;
            const unihash = await report(hashes, name);
            history.reports.push({ taskhash: name, outhash: name, asked: began, answered: performance.now(), unihash });
          }
        } catch {
          history.failed++;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        history.longestMs = Math.max(history.longestMs, performance.now() - asked);
      }
    };
    const clients = [1, 2, 3, 4].map((seed) => ask(() => (seed % 2 ? server : steady), seed));
    const answered = async (more: number) => {
      for (const wanted = history.prs.length + more; history.prs.length < wanted; )
        await new Promise((resolve) => setTimeout(resolve, 10));
    };
    try {
      for (let i = 0; i < 5; i++) {
        await answered(40);
        await server.stop('SIGKILL');
        server = await start(t, address);
      }
      await answered(40);
    } finally {
      over = true;
      await Promise.all(clients);
    }
    assert.deepEqual(faultsOf(history), []);
    assert.ok(history.failed > 0, 'somebody was cut off');
    for (const asked of [server, steady]) {
      const client = await asked.hash();
      for (const { taskhash, unihash } of history.reports) assert.equal(await storedUnihash(client, taskhash), unihash);
    }
  });

  test('a server that cannot reach its database says so and does not start', async () => {
    const ended = await runToEnd([
      'serve',
      '--bind',
      'localhost:0',
      ...onDatabase('postgres://nobody@127.0.0.1:1/none'),
    ]);
    assert.equal(ended.status, 1);
    assert.match(ended.stderr, /the database does not answer .*127\.0\.0\.1:1/);
  });

  test('db migrate shows the statements, runs them once, and an old table is carried over', async (t) => {
    const address = await postgres.newDatabase();
    const old = `CREATE TABLE unihashes_v2 (id serial PRIMARY KEY, method text, taskhash text, unihash text);
      INSERT INTO unihashes_v2 (method, taskhash, unihash) VALUES ('m', 't1', '${'a'.repeat(64)}')`;
    await postgres.run(address, old);
    const shown = await runToEnd(['db', 'migrate', '--dry-run', ...onDatabase(address)]);
    assert.match(shown.stdout, /CREATE TABLE IF NOT EXISTS unihashes_v3[\s\S]*DROP TABLE unihashes_v2;/);
    const again = await runToEnd(['db', 'migrate', '--dry-run', '--json', ...onDatabase(address)]);
    const [{ done, statements }] = JSON.parse(again.stdout);
    assert.ok(!done && statements.length > 5, 'it has only been shown');
    assert.equal((await runToEnd(['db', 'migrate', ...onDatabase(address)])).status, 0);
    const after = await runToEnd(['db', 'migrate', ...onDatabase(address)]);
    assert.match(after.stdout, /nothing is missing/);
    const client = await (await start(t, address)).hash();
    assert.deepEqual(await client.invoke('get', { method: 'm', taskhash: 't1' }), {
      method: 'm',
      taskhash: 't1',
      unihash: 'a'.repeat(64),
    });
    await postgres.run(address, "UPDATE bakeserv_coherence SET value = 99 WHERE name = 'schema'");
    const newer = await runToEnd(['db', 'migrate', ...onDatabase(address)]);
    assert.equal(newer.status, 1);
    assert.match(newer.stderr, /version 99/);
  });

  test('a mistyped address is refused before anything is opened', async () => {
    const ended = await runToEnd(['config', 'check', ...onDatabase('postgres://u@h/d?sslmod=require')]);
    assert.equal(ended.status, 2);
    assert.match(ended.stderr, /the parameter "sslmod" is unknown/);
  });

  test('backup leaves it to PostgreSQL’s own programs', async (t) => {
    const ended = await runToEnd(['backup', temporaryFolder(t), ...onDatabase('postgres://u@h/d')]);
    assert.notEqual(ended.status, 0);
    assert.match(ended.stderr, /pg_dump/);
  });

  test('the driver is not loaded by a server on files', () => {
    const script = `
      const { createApp } = await import(${JSON.stringify(LAUNCHER.replace('bin/launch.cjs', 'lib/server.js'))});
      const loaded = Object.keys((await import('node:module')).default._cache);
      console.log(typeof createApp, loaded.some((file) => /node_modules.pg./.test(file)));`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    assert.equal(stdout.trim(), 'function false');
  });
});
