import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { StorageError } from '../../lib/errors.ts';
import { Readiness } from '../../lib/http/readiness.ts';
import { probeOf } from '../../lib/start/stores.ts';
import { reportOf } from '../contract/helpers.ts';
import type { Context } from '../e2e/helpers.ts';
import { cannotMount } from '../e2e/needs.ts';
import { hash, METHOD } from '../helpers.ts';
import { type OpenServer, openServer } from './recorded.ts';
import { type PostgresServer, startPostgres, unprivileged } from './server.ts';
import { until } from './until.ts';

const TASK = (n: number) => `${METHOD} ${hash(n)}` as const;
const failsAs = (code: string, text: RegExp) => (error: unknown) =>
  error instanceof StorageError && error.code === code && text.test(error.message);

/** What /readyz says of the service. */
function readyOf({ database, hash: store }: OpenServer) {
  const read = () => store.outhashes([{ method: 'm', outhash: 'none', withUnihash: true }]);
  const readiness = new Readiness([probeOf('hashserv', database, null, read)]);
  return async () => {
    const { status, stores } = await readiness.report();
    const { read: reading, write: writing } = stores.hashserv!;
    return { status, reading, writing };
  };
}

/** What a database cannot press together. */
const incompressible = () => randomBytes(100_000).toString('hex');

describe('a PostgreSQL database that lets nobody in, or takes nothing more', () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
    // Not a superuser, for whom neither limits nor passwords count here.
    await server.ask("CREATE ROLE app LOGIN PASSWORD 'first'");
    const rules = path.join(server.folder, 'data', 'pg_hba.conf');
    fs.writeFileSync(rules, `host all app 127.0.0.1/32 scram-sha-256\n${fs.readFileSync(rules, 'utf8')}`);
    await server.ask('SELECT pg_reload_conf()');
  });
  after(() => server.stop());

  /** A server on a database of its own, as a user without any other right, with a password file. */
  async function open(t: Context, tablespace = '') {
    const own = await server.newDatabase(tablespace);
    await server.run(own, 'GRANT ALL ON SCHEMA public TO app');
    const passFile = path.join(server.folder, `pass-${path.basename(own)}`);
    const setPassword = (text: string) => fs.writeFileSync(passFile, `*:*:*:app:${text}\n`, { mode: 0o600 });
    setPassword('first');
    const opened = await openServer(`${own.replace('bakeserv@', 'app@')}?passfile=${passFile}`);
    t.after(() => opened.database.close());
    assert.deepEqual(await opened.hash.report([reportOf(hash(1), 'o1', hash(2))]), [hash(2)]);
    const drop = () => server.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
    return { ...opened, own, setPassword, drop, ready: readyOf(opened) };
  }

  /** All goes on, without anybody doing anything. */
  async function heals({ hash: store, ready }: Awaited<ReturnType<typeof open>>, n: number): Promise<void> {
    await until(() =>
      store.report([reportOf(hash(n), `o${n}`, hash(n + 1))]).then(
        () => true,
        () => false,
      ),
    );
    assert.deepEqual(await store.unihashes([TASK(n)]), [hash(n + 1)]);
    await until(async () => (await ready()).status === 'ready');
  }

  test('without a connection left: what is in memory is answered, the rest fails in time, and /readyz says so', async (t) => {
    const opened = await open(t);
    const { hash: store, ready, drop } = opened;
    assert.equal((await ready()).status, 'ready');
    t.after(async () => void (await server.ask('ALTER ROLE app CONNECTION LIMIT -1')));
    await server.ask('ALTER ROLE app CONNECTION LIMIT 0');
    await drop();
    const asked = performance.now();
    const missed = assert.rejects(store.unihashes([TASK(9)]), failsAs('storage-busy', /no connection left/));
    const waiting = store.report([reportOf(hash(3), 'o3', hash(4))]);
    waiting.catch(() => {});
    assert.equal(store.knownUnihash(TASK(1)), hash(2));
    await until(async () => (await ready()).status === 'not ready');
    assert.notEqual((await ready()).reading, 'ok');
    await missed;
    assert.ok(performance.now() - asked < 10_000);
    await server.ask('ALTER ROLE app CONNECTION LIMIT -1');
    assert.deepEqual(await waiting, [hash(4)]);
    await heals(opened, 5);
  });

  test('whose password was changed: a clear error at once, until the password file has the new one', async (t) => {
    const opened = await open(t);
    const { hash: store, ready, drop, setPassword } = opened;
    t.after(async () => void (await server.ask("ALTER ROLE app PASSWORD 'first'")));
    await server.ask("ALTER ROLE app PASSWORD 'second'");
    await drop();
    assert.equal(store.knownUnihash(TASK(1)), hash(2));
    const refused = failsAs('storage-away', /refuses the password/);
    // The first may only find out that its connection is gone.
    await Promise.all([
      assert.rejects(store.unihashes([TASK(9)]), refused),
      assert.rejects(store.report([reportOf(hash(3), 'o3', hash(4))]), refused),
    ]);
    await until(async () => (await ready()).status === 'not ready');
    setPassword('second');
    await heals(opened, 5);
    assert.equal(opened.database.lag, null);
  });

  test('whose disk is full: look-ups go on, a write fails at once, and works when there is room', {
    skip: cannotMount(),
  }, async (t) => {
    const folder = path.join(server.folder, 'small');
    fs.mkdirSync(folder);
    const mount = (...options: string[]) => {
      const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', ...options, 'bakeserv-test', folder]);
      assert.equal(status, 0, String(stderr));
    };
    mount('-o', 'size=16m');
    unprivileged(folder);
    await server.ask(`CREATE TABLESPACE small LOCATION '${folder}'`);
    const opened = await open(t, 'TABLESPACE small');
    const { hash: store, ready } = opened;
    t.after(async () => void spawnSync('umount', ['-l', folder]));
    const large = (n: number) => ({ ...reportOf(hash(n), `o${n}`, hash(n + 1)), outhash_siginfo: incompressible() });
    let n = 100;
    await assert.rejects(
      async () => {
        for (; n < 1000; n += 2) await store.report([large(n)]);
      },
      failsAs('storage-full', /disk of the database is full/),
    );
    assert.deepEqual(await store.unihashes([TASK(1)]), [hash(2)]);
    assert.equal(await store.unihash(METHOD, hash(100)), hash(101));
    assert.equal((await ready()).reading, 'ok');
    mount('-o', 'remount,size=64m');
    assert.deepEqual(await store.report([large(n)]), [hash(n + 1)]);
    await heals(opened, 5);
  });
});
