import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SILENT } from '../../lib/log.ts';
import { parsePostgresAddress } from '../../lib/storage/postgres/engine/address.ts';
import { openPostgres } from '../../lib/storage/postgres/engine/database.ts';
import { createPool } from '../../lib/storage/postgres/engine/pool.ts';
import { HASH_SCHEMA } from '../../lib/storage/postgres/hash/schema.ts';
import { PR_SCHEMA } from '../../lib/storage/postgres/pr/schema.ts';
import { getPr, report, runToEnd, serve, storedUnihash, temporaryFolder } from '../e2e/helpers.ts';
import { openServer } from './recorded.ts';
import { type PostgresServer, startPostgres, startStandby } from './server.ts';
import { until } from './until.ts';

describe('a hot standby of PostgreSQL', () => {
  let primary: PostgresServer;
  let standby: PostgresServer;
  before(async () => {
    primary = await startPostgres(['fsync=off']);
    standby = await startStandby(primary);
  });
  after(() => Promise.all([standby.stop(), primary.stop()]));

  /** A database on both, and the standby's address of it. */
  async function newDatabase(): Promise<{ onPrimary: string; onStandby: string; onBoth: string }> {
    const onPrimary = await primary.newDatabase();
    const name = onPrimary.split('/').at(-1)!;
    await until(async () => (await standby.ask(`SELECT 1 FROM pg_database WHERE datname = '${name}'`)).length === 1);
    const both = `127.0.0.1:${primary.port},127.0.0.1:${standby.port}`;
    return {
      onPrimary,
      onStandby: standby.addressOf(name),
      onBoth: onPrimary.replace(/127\.0\.0\.1:\d+/, both),
    };
  }

  async function hasReplayed(position: unknown): Promise<boolean> {
    const [row] = await standby.ask(`SELECT pg_last_wal_replay_lsn() >= '${position}' AS done`);
    return row!.done === true;
  }

  const poolOf = (address: string, readMs = 15_000) =>
    createPool({ address: parsePostgresAddress(address), max: 4, readMs, log: SILENT });
  const IN_RECOVERY = { name: '', text: 'SELECT pg_is_in_recovery() AS standby' };

  test('prefer-standby: a standby where there is one, and otherwise what there is', async () => {
    const { onBoth } = await newDatabase();
    const asked = async () => {
      const pool = poolOf(`${onBoth}?target_session_attrs=prefer-standby`);
      try {
        // At the same time, so that each finds its way while the others look for theirs.
        const found = await Promise.all([1, 2, 3, 4].map(() => pool.read<{ standby: boolean }>(IN_RECOVERY)));
        return found.map(([row]) => row!.standby);
      } finally {
        await pool.close();
      }
    };
    assert.deepEqual(await asked(), [true, true, true, true]);
    await standby.kill();
    try {
      assert.deepEqual(await asked(), [false, false, false, false]);
    } finally {
      await standby.start();
    }
    assert.deepEqual(await asked(), [true, true, true, true]);
  });

  test('one that hangs is left after the first look-up that had no answer, with every connection to it', async (t) => {
    const { onBoth } = await newDatabase();
    const pool = poolOf(`${onBoth}?target_session_attrs=prefer-standby&connect_timeout=1`, 5000);
    t.after(() => pool.close());
    await Promise.all([1, 2, 3, 4].map(() => pool.read(IN_RECOVERY)));
    standby.signal('SIGSTOP');
    try {
      await assert.rejects(pool.read(IN_RECOVERY), /does not answer/);
      // Otherwise each of the other three would be tried, until its time is over.
      assert.deepEqual(await pool.read(IN_RECOVERY), [{ standby: false }]);
    } finally {
      standby.signal('SIGCONT');
    }
  });

  test('a look-up that the standby cancels, as it has to replay a removal, is made again', async (t) => {
    const { onPrimary, onStandby } = await newDatabase();
    await primary.run(onPrimary, 'CREATE TABLE rows AS SELECT n FROM generate_series(1, 3) n');
    await standby.ask('ALTER SYSTEM SET max_standby_streaming_delay = 0');
    await standby.ask('SELECT pg_reload_conf()');
    const pool = poolOf(onStandby);
    t.after(() => pool.close());
    await until(async () => {
      const there = pool.read({ name: '', text: 'SELECT 1 FROM rows LIMIT 1' });
      return there.then(
        () => true,
        () => false,
      );
    });
    const slow = 'SELECT count(*)::int AS n FROM (SELECT n, pg_sleep(0.3) FROM rows) slowly';
    const reading = pool.read<{ n: number }>({ name: '', text: slow });
    await until(async () => (await standby.ask(`SELECT 1 FROM pg_stat_activity WHERE query = '${slow}'`)).length === 1);
    await primary.run(onPrimary, 'DELETE FROM rows WHERE n = 2', 'VACUUM rows');
    assert.deepEqual(await reading, [{ n: 2 }]);
    assert.match(fs.readFileSync(path.join(standby.folder, 'log'), 'utf8'), /due to conflict with recovery/);
  });

  test('a read-only server answers for both services, and says how far it is behind', async (t) => {
    const { onPrimary, onStandby } = await newDatabase();
    const on = (address: string) => ['--hashserv-db', address, '--prserv-db', address];
    const writer = await serve(t, { folder: temporaryFolder(t), files: on(onPrimary) });
    const unihash = await report(await writer.hash(), 'a');
    assert.equal(await getPr(await writer.pr(), 'p-1-r0', 'c1'), '0');
    const [written] = await primary.ask('SELECT pg_current_wal_lsn() AS at');
    await until(() => hasReplayed(written!.at));

    const args = ['--read-only', '--bind', 'http://127.0.0.1:0'];
    const reader = await serve(t, { folder: temporaryFolder(t), files: on(onStandby), args });
    assert.equal(await storedUnihash(await reader.hash(), 'a'), unihash);
    assert.equal(await getPr(await reader.pr(), 'p-1-r0', 'c1'), '0');
    await report(await reader.hash(), 'not stored');
    assert.equal(await storedUnihash(await reader.hash(), 'not stored'), null);

    const lagOf = async () => {
      const { stdout } = await runToEnd(['status', '--json']);
      return JSON.parse(stdout).find(({ pid }: { pid: number }) => pid === reader.child.pid).standbys.hashserv;
    };
    const http = reader.addresses.find(({ kind }) => kind === 'http') as { port: number };
    const metric = async (name: string) => {
      const text = await (await fetch(`http://127.0.0.1:${http.port}/metrics`)).text();
      const found = new RegExp(`^${name}\\{database="hashserv"\\} (.*)$`, 'm').exec(text);
      return found ? Number(found[1]) : null;
    };
    await until(async () => (await lagOf()).seconds === 0);
    assert.deepEqual(await lagOf(), { seconds: 0, bytes: 0, streaming: true });
    assert.equal(await metric('bakeserv_standby_lag_seconds'), 0);

    await standby.ask('SELECT pg_wal_replay_pause()');
    await until(async () => (await standby.ask('SELECT pg_get_wal_replay_pause_state() AS s'))[0]!.s === 'paused');
    await report(await writer.hash(), 'later');
    await until(async () => ((await metric('bakeserv_standby_lag_bytes')) ?? 0) > 0);
    await until(async () => ((await metric('bakeserv_standby_lag_seconds')) ?? 0) > 1);
    assert.equal(await storedUnihash(await reader.hash(), 'later'), null);
    const shown = (await runToEnd(['status'])).stdout.split('\n\n').join('\n');
    assert.match(shown, /standby {3}\d+\.\d s behind, [\d,]+ bytes to replay \(hashserv, prserv\)/);
    await standby.ask('SELECT pg_wal_replay_resume()');
    await until(async () => (await storedUnihash(await reader.hash(), 'later')) !== null);
    await until(async () => (await lagOf()).seconds === 0);

    await primary.kill();
    try {
      await until(async () => (await metric('bakeserv_standby_streaming')) === 0);
      await until(async () => ((await metric('bakeserv_standby_lag_seconds')) ?? 0) > 1);
      assert.match((await runToEnd(['status'])).stdout, /standby {3}.* behind; its primary sends nothing/);
      assert.equal(await storedUnihash(await reader.hash(), 'a'), unihash);
    } finally {
      await primary.start();
    }
    await until(async () => (await metric('bakeserv_standby_streaming')) === 1);
    const [writers] = JSON.parse((await runToEnd(['status', '--json'])).stdout).filter(
      ({ pid }: { pid: number }) => pid === writer.child.pid,
    );
    assert.deepEqual(writers.standbys, { hashserv: null, prserv: null });
  });

  test('a read-only server refuses tables of a newer bakeserv', async () => {
    const { onPrimary, onStandby } = await newDatabase();
    const opened = await openServer(onPrimary);
    await opened.database.close();
    await primary.run(onPrimary, "UPDATE bakeserv_coherence SET value = 99 WHERE name = 'schema'");
    const [at] = await primary.ask('SELECT pg_current_wal_lsn() AS at');
    await until(() => hasReplayed(at!.at));
    const options = { address: onStandby, readOnly: true, schemas: [HASH_SCHEMA, PR_SCHEMA], log: SILENT };
    await assert.rejects(openPostgres(options), /version 99/);
  });
});
