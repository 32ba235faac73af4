import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { StorageError } from '../../lib/errors.ts';
import { reportOf } from '../contract/helpers.ts';
import { hash, METHOD } from '../helpers.ts';
import { startCutter } from './cutter.ts';
import { faultsOf, type History } from './history.ts';
import { allIsFound, missingIn, openServer, record } from './recorded.ts';
import { type PostgresServer, startPostgres, startStandby } from './server.ts';
import { until } from './until.ts';

/** An answer would come after the client has given up, so that nothing may be answered later than this. */
const PATIENCE_MS = 12_000;

describe('a standby of PostgreSQL that is promoted', () => {
  let first: PostgresServer;
  let second: PostgresServer;
  let third: PostgresServer | null = null;
  let primary: PostgresServer;
  before(async () => {
    first = await startPostgres(['fsync=off', 'synchronous_commit=remote_apply']);
    second = await startStandby(first, ['fsync=off']);
    primary = first;
  });
  after(() => Promise.all([third?.stop(), second.stop(), first.stop()]));

  /** The address of a database of `primary` that leads to whichever of two hosts takes writes. */
  const eitherOf = (database: string, ...hosts: PostgresServer[]) =>
    `postgres://bakeserv@${hosts.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${database}?target_session_attrs=read-write`;
  const nameOf = (address: string) => address.split('/').at(-1)!;
  const told = ({ prs, reports, failed, longestMs }: History) =>
    `${prs.length} get-pr, ${reports.length} reports, ${failed} failed, longest ${Math.round(longestMs)} ms`;

  async function setSynchronous(primary: PostgresServer, names: string): Promise<void> {
    await primary.ask(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
    await primary.ask('SELECT pg_reload_conf()');
    if (names === '') return;
    const chosen = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'";
    await until(async () => (await primary.ask(chosen)).length === 1);
  }

  test('synchronous, and the standby hangs: nothing is answered as stored that only the primary has', async (t) => {
    await setSynchronous(first, '*');
    const server = await openServer(await first.newDatabase());
    t.after(() => server.database.close());
    await server.hash.report([reportOf(hash(1), 'o1', hash(2))]);
    second.signal('SIGSTOP');
    const asked = performance.now();
    try {
      await assert.rejects(
        server.hash.report([reportOf(hash(3), 'o3', hash(4))]),
        (error: unknown) => error instanceof StorageError && error.code === 'storage-away',
      );
      assert.ok(performance.now() - asked < PATIENCE_MS);
    } finally {
      second.signal('SIGCONT');
    }
    assert.deepEqual(await server.hash.report([reportOf(hash(3), 'o3', hash(4))]), [hash(4)]);
  });

  test('synchronous, under load: nothing answered is lost, and every rule holds', async (t) => {
    await setSynchronous(first, '*');
    const address = eitherOf(nameOf(await first.newDatabase()), first, second);
    const history = await record([address, address], async ({ answered }) => {
      await answered(400);
      await first.kill();
      await second.ask('SELECT pg_promote(false)');
      primary = second;
      await answered(400);
    });
    t.diagnostic(told(history));
    assert.deepEqual(faultsOf(history), []);
    assert.ok(history.longestMs < PATIENCE_MS);
  });

  test('asynchronous, under load: what it did not have is lost, and everything else is as promised', async (t) => {
    const way = await startCutter(primary.port);
    t.after(() => way.close());
    third = await startStandby(primary, ['fsync=off'], way.port);
    const promoted = third;
    const address = eitherOf(nameOf(await primary.newDatabase()), primary, promoted);
    let settled = 0;
    let promotedAt = 0;
    let lost = 0;
    await record(
      [address, address],
      async ({ answered, history }) => {
        await answered(400);
        const [at] = await primary.ask('SELECT pg_current_wal_lsn() AS lsn');
        settled = performance.now();
        await until(async () => {
          const [row] = await promoted.ask(`SELECT pg_last_wal_replay_lsn() >= '${at!.lsn}' AS done`);
          return row!.done === true;
        });
        await way.close();
        await answered(400);
        await primary.kill();
        await promoted.ask('SELECT pg_promote(false)');
        await until(async () => (await promoted.ask('SELECT pg_is_in_recovery() AS still'))[0]!.still === false);
        promotedAt = performance.now();
        await answered(400);
        t.diagnostic(told(history));
        assert.ok(history.longestMs < PATIENCE_MS);
      },
      async ({ servers, history }) => {
        for (const server of servers) {
          const missing = await missingIn(server, history);
          lost = missing.reports.length + missing.prs.length;
          const early = [...missing.reports, ...missing.prs].filter(({ answered }) => answered < settled);
          assert.deepEqual(early, []);
          const tasks = missing.reports.map(({ taskhash }) => `${METHOD} ${taskhash}`);
          const stored = await server.hash.unihashes(tasks);
          // A server notices within a second or so, and forgets what it held of it.
          const { knownUnihash } = server.hash;
          await until(() => tasks.every((task, i) => [undefined, stored[i]].includes(knownUnihash(task))));
        }
        const [{ hash: a }, { hash: b }] = servers as [(typeof servers)[0], (typeof servers)[0]];
        const tasks = history.reports.map(({ taskhash }) => `${METHOD} ${taskhash}`).slice(0, 2000);
        assert.deepEqual(await a.unihashes(tasks), await b.unihashes(tasks));
        assert.deepEqual(
          tasks.map((task) => a.knownUnihash(task) ?? null),
          tasks.map((task) => b.knownUnihash(task) ?? null),
        );
        // Between them is what may be lost, or was given again.
        const isKept = ({ asked, answered }: { asked: number; answered: number }) =>
          answered < settled || asked > promotedAt;
        const kept = { ...history, prs: history.prs.filter(isKept), reports: history.reports.filter(isKept) };
        await allIsFound({ servers, history: kept });
        assert.deepEqual(faultsOf(kept), []);
      },
    );
    t.diagnostic(`${lost} answered writes lost`);
    assert.ok(lost > 0, 'nothing was lost: the standby had everything');
  });
});
