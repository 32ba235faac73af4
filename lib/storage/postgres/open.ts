import { parsePostgresAddress } from './engine/address.ts';
import { openPostgres, planOf } from './engine/database.ts';
import type { PostgresSchema } from './engine/schema.ts';
import { HASH_SCHEMA } from './hash/schema.ts';
import { createHashStore } from './hash/store.ts';
import { PR_SCHEMA } from './pr/schema.ts';
import { createPrStore } from './pr/store.ts';

/** All of the engine that others use: what they import of it is loaded together, and only where it is used. */
export { createHashStore as openHashStore, createPrStore as openPrStore, openPostgres, parsePostgresAddress, planOf };

/** The tables that services need. */
export function schemasOf(services: { hashserv: boolean; prserv: boolean }): PostgresSchema[] {
  return [...(services.hashserv ? [HASH_SCHEMA] : []), ...(services.prserv ? [PR_SCHEMA] : [])];
}
