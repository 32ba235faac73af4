import path from 'node:path';
import { after } from 'node:test';
import { SILENT } from '../../lib/log.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createHashStore } from '../../lib/storage/sqlite/hash/store.ts';
import { createPrStore } from '../../lib/storage/sqlite/pr/store.ts';
import { hashStoreContract } from './hash-store.ts';
import { type PrEngine, temporaryFolder } from './helpers.ts';
import { prMomentsContract } from './pr-moments.ts';
import { prPublishContract } from './pr-publish.ts';
import { prStoreContract } from './pr-store.ts';

const folder = temporaryFolder({ after });
const open = (name: string, { readOnly = false } = {}) => {
  const rest = { readOnly, init: false, syncMode: { kind: 'on_shutdown' }, log: SILENT, onFatal: () => {} } as const;
  return openDatabase({ file: path.join(folder, `${name}.db`), ...rest });
};

hashStoreContract('SQLite', {
  async open(name, options) {
    const database = await open(name, options);
    const store = await createHashStore({ database, cacheBytes: 4 * 1024 * 1024, log: SILENT });
    return { store, close: () => database.close(1000) };
  },
});

const pr: PrEngine = {
  async open(name, options) {
    const database = await open(name, options);
    return { store: await createPrStore(database, SILENT), close: () => database.close(1000) };
  },
};
prStoreContract('SQLite', pr);
prPublishContract('SQLite', pr);
prMomentsContract('SQLite', pr);
