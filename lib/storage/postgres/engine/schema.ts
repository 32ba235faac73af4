import { StorageError } from '../../../errors.ts';
import { COHERENCE_TABLE } from './coherence.ts';
import type { ConnectionPool, Session } from './pool.ts';

/** The tables of a service. */
export interface PostgresSchema {
  readonly name: string;
  readonly tables: readonly string[];
  /** The statements that make what is missing beside the tables that are there. */
  missing(present: ReadonlySet<string>): readonly string[];
}

/** Raised when a table changes its form; a server refuses a database whose version it does not know. */
const VERSION = 1;
export const OWN_TABLE = 'bakeserv_coherence';

/** The tables of the schema that names without one lead to. */
const TABLES = {
  name: '',
  text: 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()',
};

const STORED_VERSION = { name: '', text: `SELECT value FROM ${OWN_TABLE} WHERE name = 'schema'` };

/** Sets the version, and has others wait that do the same until this transaction is over. */
const SET_VERSION = `INSERT INTO ${OWN_TABLE} (name, value) VALUES ('schema', ${VERSION})
  ON CONFLICT (name) DO UPDATE SET value = excluded.value`;

async function tablesOf(session: Pick<Session, 'all'>): Promise<ReadonlySet<string>> {
  return new Set((await session.all<{ name: string }>(TABLES)).map(({ name }) => name));
}

/**
 * The statements by which a database gets what is missing, in their order; none where all is there.
 * @throws StorageError for a database of a newer bakeserv
 */
export async function planMigration(
  session: Session,
  schemas: readonly PostgresSchema[],
  shown: string,
): Promise<readonly string[]> {
  const present = await tablesOf(session);
  const missing = schemas.flatMap((schema) => schema.missing(present));
  if (!present.has(OWN_TABLE)) return [COHERENCE_TABLE.trim(), SET_VERSION, ...missing];
  const version = await knownVersion(session, shown);
  return version !== null && missing.length === 0 ? [] : [SET_VERSION, ...missing];
}

/** The version of the tables; null where it is not set yet. @throws StorageError for that of a newer bakeserv */
export async function knownVersion(session: Pick<Session, 'all'>, shown: string): Promise<number | null> {
  const [row] = await session.all<{ value: string }>(STORED_VERSION);
  if (!row) return null;
  const version = Number(row.value);
  if (version <= VERSION) return version;
  throw new StorageError(
    'storage-missing',
    `the tables are of version ${version}, and this bakeserv knows version ${VERSION}: install the newer one: ${shown}`,
  );
}

/** Makes what is missing, all in one transaction, one server after the other. */
export async function migrate(session: Session, schemas: readonly PostgresSchema[], shown: string): Promise<void> {
  for (const statement of await planMigration(session, schemas, shown)) await session.exec(statement);
}

/** @throws StorageError naming the tables that a read-only server would need, or for those of a newer bakeserv */
export async function requireTables(
  pool: ConnectionPool,
  schemas: readonly PostgresSchema[],
  shown: string,
): Promise<void> {
  const session: Pick<Session, 'all'> = { all: (statement, params) => pool.read(statement, params) };
  const present = await tablesOf(session);
  for (const { name, tables } of schemas) {
    const missing = [...tables, OWN_TABLE].filter((table) => !present.has(table));
    if (missing.length > 0)
      throw new StorageError(
        'storage-missing',
        `the ${name} tables ${missing.join(', ')} are missing, and a read-only server creates none: ${shown}`,
      );
  }
  await knownVersion(session, shown);
}
