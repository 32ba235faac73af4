import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startCutter } from './cutter.ts';
import { faultsOf } from './history.ts';
import { CLIENTS, record } from './recorded.ts';
import { type PostgresServer, startPostgres } from './server.ts';

describe('servers on one PostgreSQL', () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres(['fsync=on']);
  });
  after(() => server.stop());

  for (const count of [2, 3])
    test(`${count} servers × ${CLIENTS} clients: no value twice, one unihash an output, nothing goes down, all is found`, async (t) => {
      const address = await server.newDatabase();
      const history = await record(new Array(count).fill(address), ({ answered }) => answered(1500));
      assert.deepEqual(faultsOf(history), []);
      assert.equal(history.failed, 0);
      t.diagnostic(
        `${history.prs.length} get-pr, ${history.reports.length} reports, longest ${Math.round(history.longestMs)} ms`,
      );
    });

  test('the same while connections are cut', async (t) => {
    const cutter = await startCutter(server.port);
    t.after(() => cutter.close());
    const address = (await server.newDatabase()).replace(/:\d+\//, `:${cutter.port}/`);
    const history = await record([address, address], async ({ answered }) => {
      for (let i = 0; i < 8; i++) {
        await answered(150);
        assert.ok(cutter.cut() > 0);
      }
      await answered(150);
    });
    assert.deepEqual(faultsOf(history), []);
    t.diagnostic(
      `${history.prs.length + history.reports.length} answers, ${history.failed} failed, longest ${Math.round(history.longestMs)} ms`,
    );
    assert.ok(history.longestMs < 12_000);
  });

  test('the same while the database is killed and started again', async (t) => {
    const address = await server.newDatabase();
    const history = await record([address, address], async ({ answered }) => {
      for (let i = 0; i < 3; i++) {
        await answered(200);
        await server.kill();
        await server.start();
      }
      await answered(200);
    });
    assert.deepEqual(faultsOf(history), []);
    t.diagnostic(
      `${history.prs.length + history.reports.length} answers, ${history.failed} failed, longest ${Math.round(history.longestMs)} ms`,
    );
    assert.ok(history.longestMs < 12_000);
  });

  test('the checker notices when transactions are not serializable', async () => {
    const address = await server.newDatabase();
    const history = await record(
      [address, address],
      ({ answered }) => answered(1500),
      async () => {},
      'READ COMMITTED',
    );
    assert.notDeepEqual(faultsOf(history), []);
  });
});
