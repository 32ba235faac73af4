import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { SILENT } from '../../lib/log.ts';
import { openPostgres } from '../../lib/storage/postgres/engine/database.ts';
import { HASH_SCHEMA } from '../../lib/storage/postgres/hash/schema.ts';
import { createHashStore } from '../../lib/storage/postgres/hash/store.ts';
import { PR_SCHEMA } from '../../lib/storage/postgres/pr/schema.ts';
import { createPrStore } from '../../lib/storage/postgres/pr/store.ts';
import { METHOD } from '../helpers.ts';
import { askUntil } from './clients.ts';
import { startCutter } from './cutter.ts';
import { faultsOf, type History, newHistory } from './history.ts';
import { type PostgresServer, startPostgres } from './server.ts';

const CLIENTS = 8;

describe('servers on one PostgreSQL', () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres(['fsync=on']);
  });
  after(() => server.stop());

  async function openServer(address: string, isolation?: string) {
    const database = await openPostgres({
      address,
      readOnly: false,
      schemas: [HASH_SCHEMA, PR_SCHEMA],
      log: SILENT,
      ...(isolation && { isolation }),
    });
    return {
      database,
      hash: await createHashStore(database, 8 << 20),
      pr: createPrStore(database, SILENT),
    };
  }

  /** Has 8 clients ask each server until `meanwhile` is done; then every server must know every answered write. */
  async function record(
    addresses: readonly string[],
    meanwhile: (answered: (count: number) => Promise<void>) => Promise<void>,
    isolation?: string,
  ): Promise<History> {
    const servers = await Promise.all(addresses.map((address) => openServer(address, isolation)));
    const history = newHistory();
    let over = false;
    const clients = servers.flatMap((asked, i) =>
      Array.from({ length: CLIENTS }, (_, n) => askUntil(() => over, asked, i * CLIENTS + n + 1, history)),
    );
    const answered = async (count: number) => {
      const total = () => history.prs.length + history.reports.length;
      for (const wanted = total() + count; total() < wanted; ) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    try {
      await meanwhile(answered);
    } finally {
      over = true;
      await Promise.all(clients);
    }
    try {
      if (isolation) return history;
      for (const { hash, pr } of servers) {
        for (let at = 0; at < history.reports.length; at += 200) {
          const calls = history.reports.slice(at, at + 200);
          const found = await hash.unihashes(calls.map(({ taskhash }) => `${METHOD} ${taskhash}`));
          assert.deepEqual(
            found,
            calls.map(({ unihash }) => unihash),
          );
        }
        for (let at = 0; at < history.prs.length; at += 200) {
          const calls = history.prs.slice(at, at + 200);
          const found = await Promise.all(
            calls.map(({ package: version, checksum, value }) =>
              pr.countRows({ version, pkgarch: 'all', checksum, value }),
            ),
          );
          assert.ok(found.every((count) => count === 1));
        }
      }
      return history;
    } finally {
      await Promise.all(servers.map(({ database }) => database.close()));
    }
  }

  for (const count of [2, 3])
    test(`${count} servers × ${CLIENTS} clients: no value twice, one unihash an output, nothing goes down, all is found`, async (t) => {
      const address = await server.newDatabase();
      const history = await record(new Array(count).fill(address), (answered) => answered(1500));
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
    const history = await record([address, address], async (answered) => {
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
    const history = await record([address, address], async (answered) => {
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
    const history = await record([address, address], (answered) => answered(1500), 'READ COMMITTED');
    assert.notDeepEqual(faultsOf(history), []);
  });
});
