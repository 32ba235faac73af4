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

describe('PostgreSQL', () => {
  let server: PostgresServer;
  const addresses = new Map<string, Promise<string>>();
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  async function open(name: string, readOnly: boolean) {
    if (!addresses.has(name)) addresses.set(name, server.newDatabase());
    const address = await addresses.get(name)!;
    return openPostgres({ address, readOnly, schemas: [HASH_SCHEMA, PR_SCHEMA], log: SILENT });
  }

  hashStoreContract('PostgreSQL', {
    async open(name, { readOnly = false } = {}) {
      const database = await open(name, readOnly);
      return { store: await createHashStore(database, 4 << 20), close: () => database.close() };
    },
  });

  const pr: PrEngine = {
    async open(name, { readOnly = false } = {}) {
      const database = await open(name, readOnly);
      return { store: createPrStore(database, SILENT), close: () => database.close() };
    },
  };
  prStoreContract('PostgreSQL', pr);
  prPublishContract('PostgreSQL', pr);
  prMomentsContract('PostgreSQL', pr);
});
