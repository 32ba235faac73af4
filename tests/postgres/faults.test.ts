import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { StorageError } from '../../lib/errors.ts';
import { reportOf } from '../contract/helpers.ts';
import { hash, METHOD } from '../helpers.ts';
import { type OpenServer, openServer } from './recorded.ts';
import { type PostgresServer, startPostgres } from './server.ts';

describe('PostgreSQL with faults', () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres(['max_connections=12']);
  });
  after(() => server.stop());

  const failsAs = (code: string) => (error: unknown) => error instanceof StorageError && error.code === code;
  const getPr = (pr: OpenServer['pr'], checksum: string) =>
    pr.getPr([{ version: 'p-1-r0', pkgarch: 'all', checksum, history: false }]);

  test('one that hangs: what is in memory goes on, the rest fails in time, and all goes on when it does', async (t) => {
    const { database, hash: store, pr } = await openServer(await server.newDatabase());
    t.after(() => database.close());
    await store.report([reportOf(hash(1), 'o1', hash(2))]);
    assert.deepEqual(await getPr(pr, 'c1'), ['0']);
    server.signal('SIGSTOP');
    try {
      const started = performance.now();
      assert.equal(store.knownUnihash(`${METHOD} ${hash(1)}`), hash(2));
      assert.equal(await store.unihash(METHOD, hash(1)), hash(2));
      await Promise.all([
        assert.rejects(store.unihashes([`${METHOD} ${hash(9)}`]), failsAs('storage-away')),
        assert.rejects(store.report([reportOf(hash(3), 'o3', hash(4))]), failsAs('storage-away')),
        assert.rejects(getPr(pr, 'c2'), failsAs('storage-away')),
      ]);
      assert.ok(performance.now() - started < 12_000);
    } finally {
      server.signal('SIGCONT');
    }
    assert.deepEqual(await store.report([reportOf(hash(3), 'o3', hash(4))]), [hash(4)]);
    assert.deepEqual(await getPr(pr, 'c2'), ['1']);
  });

  test('one that is away for a while: writes wait for it', async (t) => {
    const { database, hash: store, pr } = await openServer(await server.newDatabase());
    t.after(() => database.close());
    await getPr(pr, 'c1');
    await server.kill();
    const asked = [store.report([reportOf(hash(1), 'o1', hash(2))]), getPr(pr, 'c2')] as const;
    await new Promise((resolve) => setTimeout(resolve, 300));
    await server.start();
    assert.deepEqual(await Promise.all(asked), [[hash(2)], ['1']]);
  });

  test('one that takes no writes after a failover: look-ups go on, writes fail with the reason, then work again', async (t) => {
    const address = await server.newDatabase();
    const name = address.split('/').at(-1)!;
    const { database, hash: store } = await openServer(address);
    t.after(() => database.close());
    await store.report([reportOf(hash(1), 'o1', hash(2))]);
    const admin = server.addressOf('postgres');
    const drop = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`;
    await server.run(admin, `ALTER DATABASE ${name} SET default_transaction_read_only = on`, drop);
    assert.deepEqual(await store.unihashes([`${METHOD} ${hash(1)}`]), [hash(2)]);
    await assert.rejects(store.report([reportOf(hash(3), 'o3', hash(4))]), failsAs('storage-read-only'));
    const waiting = store.report([reportOf(hash(5), 'o5', hash(6))]);
    await server.run(admin, `ALTER DATABASE ${name} SET default_transaction_read_only = off`);
    assert.deepEqual(await waiting, [hash(6)]);
  });

  test('one without a connection left: a write waits until there is one', async (t) => {
    const address = await server.newDatabase();
    const name = address.split('/').at(-1)!;
    const { database, hash: store } = await openServer(address);
    t.after(() => database.close());
    const admin = server.addressOf('postgres');
    await server.run(
      admin,
      `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
    );
    const waiting = store.report([reportOf(hash(1), 'o1', hash(2))]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await server.run(admin, `ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
    assert.deepEqual(await waiting, [hash(2)]);
  });

  test('a removal that another server made is known here within a second or so', async (t) => {
    const address = await server.newDatabase();
    const [ours, theirs] = [await openServer(address), await openServer(address)];
    t.after(() => Promise.all([ours.database.close(), theirs.database.close()]));
    await ours.hash.report([reportOf(hash(1), 'o1', hash(2))]);
    const task = { kind: 'remove', table: 'unihashes', where: [['taskhash', hash(1)]] } as const;
    const { ids } = await theirs.hash.gcFind(task, 0, 10);
    assert.equal(await theirs.hash.gcApply(task, ids), 1);
    for (const until = performance.now() + 20_000; ours.hash.knownUnihash(`${METHOD} ${hash(1)}`) !== undefined; ) {
      assert.ok(performance.now() < until);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  test('a key that is too long for an index is refused, and takes nobody with it', async (t) => {
    const { database, hash: store } = await openServer(await server.newDatabase());
    t.after(() => database.close());
    // Random, as an index would press a repeated text together.
    const long = randomBytes(6000).toString('base64');
    const results = await Promise.allSettled([
      store.report([reportOf(hash(1), 'o1', hash(2))]),
      store.report([reportOf(long, 'o2', hash(3))]),
      store.report([reportOf(hash(4), 'o3', hash(5))]),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.match(String((results[1] as PromiseRejectedResult).reason), /too long for an index/);
  });
});
