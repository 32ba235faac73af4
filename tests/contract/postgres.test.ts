import { after, before, describe } from 'node:test';
import { SILENT } from '../../lib/log.ts';
import { openPostgres } from '../../lib/storage/postgres/engine/database.ts';
import { HASH_SCHEMA } from '../../lib/storage/postgres/hash/schema.ts';
import { createHashStore } from '../../lib/storage/postgres/hash/store.ts';
import { PR_SCHEMA } from '../../lib/storage/postgres/pr/schema.ts';
import { createPrStore } from '../../lib/storage/postgres/pr/store.ts';
import { type PostgresServer, startPostgres } from '../postgres/server.ts';
import { hashStoreContract } from './hash-store.ts';
import type { PrEngine } from './helpers.ts';
import { prMomentsContract } from './pr-moments.ts';
import { prPublishContract } from './pr-publish.ts';
import { prStoreContract } from './pr-store.ts';

/**
 * Databases that are kept once nobody has them open, for tests that open theirs again. Each is 8 MB: when all were kept,
 * 1 GB waited for the disk, and so did every other test that syncs.
 */
const KEPT = 4;

describe('PostgreSQL', () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  const databases = new Map<string, { address: Promise<string>; opened: number }>();

  /** A name that is new is a new database. */
  async function databaseOf(name: string) {
    const known = databases.get(name);
    if (known) return known;
    const closed = [...databases].filter(([, { opened }]) => opened === 0);
    const made = { address: server.newDatabase(), opened: 0 };
    databases.set(name, made);
    for (const [old, { address }] of closed.slice(0, -KEPT)) {
      databases.delete(old);
      await server.drop(await address);
    }
    return made;
  }

  async function open(name: string, readOnly: boolean) {
    const of = await databaseOf(name);
    of.opened++;
    const address = await of.address;
    const database = await openPostgres({ address, readOnly, schemas: [HASH_SCHEMA, PR_SCHEMA], log: SILENT });
    const close = async () => {
      await database.close();
      of.opened--;
    };
    return { database, close };
  }

  hashStoreContract('PostgreSQL', {
    async open(name, { readOnly = false } = {}) {
      const { database, close } = await open(name, readOnly);
      return { store: await createHashStore(database, 4 << 20), close };
    },
  });

  const pr: PrEngine = {
    async open(name, { readOnly = false } = {}) {
      const { database, close } = await open(name, readOnly);
      return { store: createPrStore(database, SILENT), close };
    },
  };
  prStoreContract('PostgreSQL', pr);
  prPublishContract('PostgreSQL', pr);
  prMomentsContract('PostgreSQL', pr);
});
