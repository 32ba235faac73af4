import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import {
  type Context,
  eventually,
  getPr,
  hash,
  METHOD,
  pingWhile,
  report,
  reportOf,
  serve,
  storedUnihash,
  temporaryFolder,
} from './helpers.ts';
import { openOther } from './sqlite.ts';

/** BAKESERV_TEST_SWEEP_ROWS=400000 for the size of reliability.md section 2. */
const SWEEP_ROWS = Number(process.env.BAKESERV_TEST_SWEEP_ROWS ?? 40_000);

/** A folder with a hash database of that many unmarked rows. */
async function filledFolder(t: Context, rows: number): Promise<string> {
  const folder = temporaryFolder(t);
  await (await serve(t, { folder })).stop();
  const database = await openOther(t, path.join(folder, 'hashserv.db'));
  await database.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark)
      SELECT '${METHOD}', printf('%064x', i * 2654435761), printf('%064x', i * 40503), '' FROM n`);
  await database.close();
  return folder;
}

describe('maintenance', { concurrency: true }, () => {
  test(`a sweep of ${SWEEP_ROWS} rows leaves pings, reads and other writers their turns`, async (t) => {
    const folder = await filledFolder(t, SWEEP_ROWS);
    const server = await serve(t, { folder });
    const [admin, writer, prWriter] = [await server.hash(), await server.hash(), await server.pr()];
    const kept = await report(writer, 'kept');
    assert.deepEqual(await admin.invoke('gc-mark', { mark: 'new', where: { unihash: kept } }), { count: 1 });
    const ping = pingWhile(await server.hash());

    let swept = false;
    const started = performance.now();
    const sweep = admin.invoke('gc-sweep', { mark: 'new' }).then((reply) => {
      swept = true;
      return reply;
    });
    const names: string[] = [];
    let slowest = 0;
    while (!swept) {
      const name = `meanwhile${names.length}`;
      const asked = performance.now();
      await Promise.all([report(writer, name), getPr(prWriter, 'p', name), storedUnihash(writer, 'kept')]);
      slowest = Math.max(slowest, performance.now() - asked);
      names.push(name);
    }
    assert.deepEqual(await sweep, { count: SWEEP_ROWS });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const { worstMs, count } = await ping.stop();
    t.diagnostic(`${seconds} s; ${count} pings, the slowest ${worstMs.toFixed(1)} ms`);
    t.diagnostic(`${names.length} reports meanwhile, the slowest ${slowest.toFixed(1)} ms`);
    assert.ok(names.length > 3, `only ${names.length} reports came through during the sweep`);
    assert.ok(count > 3, `only ${count} pings were answered during the sweep`);
    for (const name of ['kept', ...names]) assert.equal(await storedUnihash(writer, name), reportOf(name).unihash);
  });

  test('a reader outside that keeps the write-ahead log from shrinking is warned about at 64 MB', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder });
    const client = await server.hash();
    const first = await report(client, 'first');
    const wal = path.join(folder, 'hashserv.db-wal');
    const reader = await openOther(t, path.join(folder, 'hashserv.db'));
    await reader.exec('BEGIN');
    await reader.all('SELECT count(*) FROM unihashes_v3');

    const siginfo = { outhash_siginfo: 'x'.repeat(1024 * 1024) };
    for (let i = 0; i < 66; i++) await report(client, `big${i}`, siginfo);
    assert.ok(fs.statSync(wal).size > 64 * 1024 * 1024);
    await server.logged(/warn: the write-ahead log cannot shrink: another program holds a read transaction/);

    await reader.exec('COMMIT');
    await server.logged(/the write-ahead log has been emptied again/);
    await eventually(20_000, async () => assert.ok(fs.statSync(wal).size < 64 * 1024 * 1024));
    await reader.close();
    assert.equal(await storedUnihash(client, 'first'), first);
    assert.equal(await storedUnihash(client, 'big65'), hash('ubig65'));
    assert.equal(server.stderr().match(/cannot shrink/g)!.length, 1);
  });

  test('without such a reader the log stays small', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder });
    const client = await server.hash();
    const siginfo = { outhash_siginfo: 'x'.repeat(1024 * 1024) };
    // Begun anew in the writer's turn, whatever the checkpoints beside it manage.
    for (let i = 0; i < 130; i++) await report(client, `big${i}`, siginfo);
    const { size } = fs.statSync(path.join(folder, 'hashserv.db-wal'));
    assert.ok(size < 96 * 1024 * 1024, `the log holds ${size} bytes of 130 MB written`);
  });
});
