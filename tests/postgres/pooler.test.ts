import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { noPooler } from '../e2e/needs.ts';
import { MEMORY, recordings, replay, temporaryFolder } from '../wire/helpers.ts';
import { faultsOf } from './history.ts';
import { type Pooler, poolerPrepares, startPooler } from './pooler.ts';
import { openServer, record } from './recorded.ts';
import { LIGHT, type PostgresServer, startPostgres } from './server.ts';
import { until } from './until.ts';

/** How a pooler may treat prepared statements; older ones know only the first. */
const SETTINGS: Readonly<Record<string, readonly string[]>> = poolerPrepares()
  ? {
      'without prepared statements': ['max_prepared_statements = 0'],
      'with prepared statements': ['max_prepared_statements = 50'],
    }
  : { 'without prepared statements': [] };

/** What uses each kind of statement. */
const REPLAYED = ['hash-equivalence', 'hash-gc', 'hash-streams', 'hash-users', 'pr-basic', 'pr-import-export'];

describe('behind PgBouncer in transaction mode', { skip: noPooler() }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres([...LIGHT, 'max_connections=200']);
  });
  after(() => server.stop());

  for (const [how, settings] of Object.entries(SETTINGS)) {
    describe(how, () => {
      let pooler: Pooler;
      const cleanUps: (() => void)[] = [];
      before(async () => {
        const folder = temporaryFolder({ after: (cleanUp) => void cleanUps.push(cleanUp as () => void) });
        pooler = await startPooler(server.port, folder, settings);
      });
      after(async () => {
        await pooler.stop();
        for (const cleanUp of cleanUps) cleanUp();
      });

      const addresses = new Map<string, Promise<string>>();
      const throughPooler = async () =>
        (await server.newDatabase()).replace(`127.0.0.1:${server.port}`, `127.0.0.1:${pooler.port}`);
      const databaseOf = async (folder: string) => {
        if (!addresses.has(folder)) addresses.set(folder, throughPooler());
        const address = await addresses.get(folder)!;
        return { 'hashserv-db': address, 'prserv-db': address };
      };

      for (const recording of recordings().filter(({ name }) => REPLAYED.includes(name)))
        test(`the recording ${recording.name} replays`, (t) => replay(t, recording, MEMORY, { databaseOf }));

      test('what is answered is true while it is restarted under load', async (t) => {
        const address = await throughPooler();
        const history = await record([address, address], async ({ answered }) => {
          for (let i = 0; i < 4; i++) {
            await answered(150);
            await pooler.restart();
          }
          await answered(150);
        });
        assert.deepEqual(faultsOf(history), []);
        t.diagnostic(
          `${history.prs.length + history.reports.length} answers, ${history.failed} failed, longest ${Math.round(history.longestMs)} ms`,
        );
        assert.ok(history.longestMs < 12_000);
      });

      test('its waiting for a removal by another server ends', async (t) => {
        const address = await throughPooler();
        const [one, other] = await Promise.all([openServer(address), openServer(address)]);
        t.after(() => Promise.all([one.database.close(), other.database.close()]));
        await one.hash.createUser('somebody', 'token', '@read');
        const known = other.hash.usersVersion;
        await one.hash.setPermissions('somebody', '@report');
        await until(() => other.hash.usersVersion > known);
      });
    });
  }
});
