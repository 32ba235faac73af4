import fs from 'node:fs';
import { errorText, StorageError } from '../../../errors.ts';
import type { Logger } from '../../../log.ts';
import type { Target } from '../../../transfer/ends.ts';
import { ALL_PARTS, PARTS, type Part, type Row, type ServiceName } from '../../../transfer/parts.ts';
import { openDatabase } from '../file/open.ts';
import { HASH_SCHEMA } from '../hash/schema.ts';
import { PR_SCHEMA } from '../pr/schema.ts';
import { requireUnused } from '../upkeep/restore.ts';
import { openSqliteSource, readerOf, type SqliteReader } from './source.ts';
import { insertRows, type Read, TABLES } from './tables.ts';

export interface SqliteTargetOptions {
  readonly services: ReadonlySet<ServiceName>;
  /** Also where somebody has the file open. */
  readonly inUse: boolean;
  readonly log: Logger;
}

const CLOSE_MS = 10_000;
/** A slice has thousands of rows, each in several places of a large file. */
const STATEMENT_MS = 60_000;

/**
 * Opens a database file to copy into; makes it, and the tables of the services, where they are not there.
 * @throws StorageError when it is in use, or cannot be written
 */
export async function openSqliteTarget(file: string, { services, inUse, log }: SqliteTargetOptions): Promise<Target> {
  if (!inUse) await refuseInUse(file);
  let fatal: StorageError | null = null;
  const onFatal = (error: StorageError) => {
    fatal = error;
  };
  // On disk at the end: what a power cut takes before that is copied by the next run.
  const database = await openDatabase({
    file,
    readOnly: false,
    init: false,
    syncMode: { kind: 'on_shutdown' },
    statementTimeoutMs: STATEMENT_MS,
    log,
    onFatal,
  });
  const close = async () => {
    await database.close(CLOSE_MS);
    if (fatal) throw fatal;
  };
  try {
    if (services.has('hashserv')) await database.addSchema(HASH_SCHEMA);
    if (services.has('prserv')) await database.addSchema(PR_SCHEMA);
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
  const read: Read = (sql, params) => database.read(database.maintenance, sql, params);
  const tables = new Set(ALL_PARTS.filter((part) => services.has(PARTS[part].service)).map((part) => TABLES[part]));
  return {
    ...readerOf(file, read, tables),
    faultOf,
    async add(part, rows) {
      const stored = await database.writer!.slice((connection) => insertRows(connection, part, rows));
      return { stored, refused: [] };
    },
    close,
  };
}

/** A target that is only compared with; it need not be there. */
export async function openSqlitePreview(file: string): Promise<Target> {
  const add = () => Promise.reject(new StorageError('storage-read-only', `${file} is only compared with`));
  const reader = fs.existsSync(file) ? await openSqliteSource(file) : nothingAt(file);
  return { ...reader, faultOf, add };
}

const nothingAt = (file: string): SqliteReader => ({
  name: file,
  parts: new Set(),
  count: async () => 0,
  slice: async () => ({ rows: [], odd: [], next: null }),
  compare: async (_part, rows) => rows.map(() => null),
  rivals: async () => [],
  unihashesOf: async (tasks) => tasks.map(() => null),
  findRows: async () => ({ rows: [], next: null }),
  setting: async () => null,
  close: async () => {},
});

async function refuseInUse(file: string): Promise<void> {
  try {
    await requireUnused(file);
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'storage-busy') throw error;
    const text = `${errorText(error)}; with --in-use it is copied into all the same`;
    throw new StorageError('storage-busy', text, error);
  }
}

function faultOf(part: Part, row: Row): string | null {
  const { columns, nullable } = PARTS[part];
  const missing = columns.find((column, i) => row[i] === null && !nullable.includes(column));
  return missing === undefined ? null : `${missing} is missing`;
}
