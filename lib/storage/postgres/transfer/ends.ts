import { setTimeout as pause } from 'node:timers/promises';
import { InvokeError, StorageError } from '../../../errors.ts';
import type { Logger } from '../../../log.ts';
import type { Added, StoredSource, Target } from '../../../transfer/ends.ts';
import {
  ALL_PARTS,
  CREATED,
  canonicalTime,
  PARTS,
  type Part,
  type Row,
  type ServiceName,
} from '../../../transfer/parts.ts';
import { parsePostgresAddress } from '../engine/address.ts';
import { raiseUsers } from '../engine/coherence.ts';
import { openPostgres } from '../engine/database.ts';
import { type ConnectionPool, createPool } from '../engine/pool.ts';
import { knownVersion, OWN_TABLE } from '../engine/schema.ts';
import { rowFinding } from '../hash/finder.ts';
import { HASH_SCHEMA } from '../hash/schema.ts';
import { PR_SCHEMA } from '../pr/schema.ts';
import {
  compareRows,
  countRows,
  insertRows,
  readById,
  readByKey,
  readRivals,
  readSetting,
  readUnihashes,
  TABLES,
} from './tables.ts';

/** What reads a database: as a source, and to see what a target has. */
type PostgresReader = StoredSource & Pick<Target, 'rivals'>;

/** How long a slice may take to be read. */
const READ_MS = 30_000;
const CONNECTIONS = 2;
/** A process that was killed has a statement to end first. */
const LEAVING_MS = 3000;

const PRESENT = {
  name: '',
  text: 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()',
};

/** Sessions of bakeserv's servers, whatever name theirs goes by: each reads that table all the time. */
const SERVERS = {
  name: '',
  text: `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND (application_name LIKE 'bakeserv%' OR query LIKE '%bakeserv_coherence%')`,
};

/** Opens a database to copy from; servers may have it meanwhile. @throws StorageError, ConfigError */
export async function openPostgresSource(address: string, log: Logger): Promise<PostgresReader> {
  const parsed = parsePostgresAddress(address);
  const pool = createPool({ address: parsed, max: CONNECTIONS, readMs: READ_MS, log });
  try {
    const tables = new Set((await pool.read<{ name: string }>(PRESENT)).map(({ name }) => name));
    if (tables.has('unihashes_v2'))
      throw new StorageError(
        'storage-missing',
        `${parsed.shown} is of an older server (it has a table unihashes_v2): start a server on it once, which moves its rows`,
      );
    if (tables.has(OWN_TABLE))
      await knownVersion({ all: (statement, params) => pool.read(statement, params) }, parsed.shown);
    const parts = ALL_PARTS.filter((part) => tables.has(TABLES[part]));
    return { ...readerOf(parsed.shown, pool, parts), close: () => pool.close() };
  } catch (error) {
    await pool.close();
    throw error;
  }
}

function readerOf(name: string, pool: ConnectionPool, parts: readonly Part[]): Omit<PostgresReader, 'close'> {
  return {
    name,
    parts: new Set(parts),
    count: (part) => countRows(pool, part),
    async slice(part, after, { rows: limit, bytes }) {
      const page =
        part === 'values'
          ? await readByKey(pool, after, limit)
          : await readById(pool, part, after === null ? 0 : Number(after), limit, bytes);
      return { ...page, odd: [] };
    },
    unihashesOf: (tasks) => readUnihashes(pool, tasks),
    findRows: rowFinding(pool),
    setting: async (name) => (parts.includes('config') ? readSetting(pool, name) : null),
    async compare(part, rows) {
      // One that cannot be stored is not there, and would be refused as a question too.
      const storable = rows.filter((row) => faultOf(part, row) === null);
      const found = await compareRows(pool, part, storable);
      let next = 0;
      return rows.map((row) => (row === storable[next] ? found[next++]! : null));
    },
    rivals: (rows) => readRivals(pool, rows),
  };
}

export interface PostgresTargetOptions {
  readonly services: ReadonlySet<ServiceName>;
  /** Also where servers have the database open. */
  readonly inUse: boolean;
  readonly log: Logger;
}

/** Opens a database to copy into; makes the tables that are missing. @throws StorageError when it is in use; ConfigError */
export async function openPostgresTarget(
  address: string,
  { services, inUse, log }: PostgresTargetOptions,
): Promise<Target> {
  if (!inUse) await refuseInUse(address, log);
  const schemas = [...(services.has('hashserv') ? [HASH_SCHEMA] : []), ...(services.has('prserv') ? [PR_SCHEMA] : [])];
  const database = await openPostgres({ address, readOnly: false, schemas, log });
  const reads = createPool({ address: parsePostgresAddress(address), max: CONNECTIONS, readMs: READ_MS, log });
  const store = (part: Part, rows: readonly Row[]) =>
    database.writer!.slice(async (session) => {
      if (part === 'users') await raiseUsers(session);
      return insertRows(session, part, rows);
    });
  const parts = ALL_PARTS.filter((part) => services.has(PARTS[part].service));
  return {
    ...readerOf(database.file, reads, parts),
    faultOf,
    add: (part, rows) => addAll(rows, 0, (some) => store(part, some)),
    async close() {
      await reads.close();
      await database.close();
    },
  };
}

/** A target that is only compared with. */
export async function openPostgresPreview(address: string, log: Logger): Promise<Target> {
  const reader = await openPostgresSource(address, log);
  const add = () => Promise.reject(new StorageError('storage-read-only', `${reader.name} is only compared with`));
  return { ...reader, faultOf, add };
}

/** What the database refuses of many rows is found by halves; the others are stored. */
async function addAll(
  rows: readonly Row[],
  from: number,
  store: (rows: readonly Row[]) => Promise<number>,
): Promise<Added> {
  try {
    return { stored: await store(rows), refused: [] };
  } catch (error) {
    if (!(error instanceof InvokeError)) throw error;
    if (rows.length === 1) return { stored: 0, refused: [{ at: from, why: error.message }] };
    const half = Math.ceil(rows.length / 2);
    const first = await addAll(rows.slice(0, half), from, store);
    const second = await addAll(rows.slice(half), from + half, store);
    return { stored: first.stored + second.stored, refused: [...first.refused, ...second.refused] };
  }
}

async function refuseInUse(address: string, log: Logger): Promise<void> {
  const parsed = parsePostgresAddress(address);
  const pool = createPool({ address: parsed, max: 1, readMs: READ_MS, log });
  try {
    for (const until = performance.now() + LEAVING_MS; ; await pause(200)) {
      const [row] = await pool.read<{ n: number }>(SERVERS);
      if (row!.n === 0) return;
      if (performance.now() < until) continue;
      throw new StorageError(
        'storage-busy',
        `bakeserv servers have ${parsed.shown} open (${row!.n} connections): stop them first; with --in-use it is copied into all the same`,
      );
    }
  } finally {
    await pool.close();
  }
}

function faultOf(part: Part, row: Row): string | null {
  for (const [i, column] of PARTS[part].columns.entries()) {
    const value = row[i] ?? null;
    // Every column of a PR row is part of its primary key.
    if (value === null) {
      if (part === 'values' || !PARTS[part].nullable.includes(column)) return `${column} is missing`;
      continue;
    }
    if (value.includes('\0')) return `${column} holds a NUL character, which PostgreSQL cannot store`;
    if (column === CREATED && canonicalTime(value) === null) return `created is no time in UTC: ${value.slice(0, 40)}`;
  }
  return null;
}
