import { isUtf8 } from 'node:buffer';
import { StorageError } from '../../../errors.ts';
import type { OddRow, Slice, SliceLimits, StoredSource, Target } from '../../../transfer/ends.ts';
import { ALL_PARTS, PARTS, type Part, type Row } from '../../../transfer/parts.ts';
import { patiently } from '../engine/connections.ts';
import { tableNames } from '../engine/database.ts';
import { rowFinding } from '../hash/row-finder.ts';
import { openUnwritten } from '../upkeep/look.ts';
import {
  compareRows,
  countRows,
  missingColumns,
  type Read,
  readHex,
  readRivals,
  readRows,
  readSetting,
  readUnihashes,
  rowsOf,
  type StoredRow,
  TABLES,
} from './tables.ts';
import { nextRows, readTexts } from './text-rows.ts';

/** What reads a file: as a source, and to see what a target has. */
export type SqliteReader = StoredSource & Pick<Target, 'rivals'>;

/** How the tables of hash equivalence are called, with the number that a new form gets. */
const NUMBERED = /^(unihashes|outhashes|tasks)_v(\d+)$/;

/** Tables of older servers, and those that a server moves their rows into when it opens the file. */
const OLDER: Readonly<Record<string, string>> = {
  unihashes_v2: '',
  tasks_v2: TABLES.unihashes,
  PRMAIN_nohist: TABLES.values,
  PRMAIN_hist: TABLES.values,
};

/**
 * Opens a database file to copy from; a server may have it meanwhile.
 * @throws StorageError when there is none, or it is of an older server
 */
export async function openSqliteSource(file: string): Promise<SqliteReader> {
  const { connection, unchanged } = await openUnwritten(file);
  try {
    const read: Read = async (sql, params) => {
      const rows = await patiently(() => connection.all<never>(sql, params));
      await unchanged();
      return rows;
    };
    const tables = await patiently(() => tableNames(connection));
    const fault = await faultOfTables(tables, read);
    if (fault !== null) throw new StorageError('storage-missing', `${file} ${fault}`);
    return { ...readerOf(file, read, tables), close: () => connection.close() };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Why the tables cannot be read as ours, and what to do; null where they can. */
async function faultOfTables(tables: ReadonlySet<string>, read: Read): Promise<string | null> {
  const older = Object.keys(OLDER).find((name) => tables.has(name) && !tables.has(OLDER[name]!));
  if (older !== undefined)
    return `is of an older server (it has a table ${older}): start a server on it once, which moves its rows`;
  const newer = [...tables].find((name) => {
    const [, kind, number] = NUMBERED.exec(name) ?? [];
    const known = Object.values(TABLES).find((each) => NUMBERED.exec(each)?.[1] === kind);
    return kind !== undefined && known !== undefined && Number(number) > Number(NUMBERED.exec(known)![2]);
  });
  if (newer !== undefined) return `is of a newer server (it has a table ${newer}): install a bakeserv that knows it`;
  for (const part of ALL_PARTS) {
    const missing = tables.has(TABLES[part]) ? await missingColumns(read, part) : [];
    if (missing.length > 0)
      return `is of another program or a newer server: its table ${TABLES[part]} has no column ${missing.join(', ')}`;
  }
  return null;
}

/** What reads the tables that are there. */
export function readerOf(file: string, read: Read, tables: ReadonlySet<string>): Omit<SqliteReader, 'close'> {
  const find = rowFinding(read);
  return {
    name: file,
    parts: new Set(ALL_PARTS.filter((part) => tables.has(TABLES[part]))),
    count: (part) => countRows(read, part),
    slice: (part, after, limits) => readSlice(read, part, after === null ? 0 : Number(after), limits),
    unihashesOf: (tasks) => readUnihashes(read, tasks),
    findRows: async (search, after, limits) =>
      (await hasIndex(read, TABLES.unihashes, 'unihash')) ? find(search, after, limits) : null,
    setting: async (name) => (tables.has(TABLES.config) ? readSetting(read, name) : null),
    compare: (part, rows) => compareRows(read, part, rows),
    rivals: (rows) => readRivals(read, rows),
  };
}

/** Whether rows can be looked up by a column: another program may have made the file. */
async function hasIndex(read: Read, table: string, column: string): Promise<boolean> {
  const sql = `SELECT 1 FROM pragma_index_list(?) l, pragma_index_info(l.name) i WHERE i.seqno = 0 AND i.name = ? LIMIT 1`;
  return (await read(sql, [table, column])).length > 0;
}

async function readSlice(read: Read, part: Part, after: number, limits: SliceLimits): Promise<Slice> {
  const query = rowsOf(part);
  const found = await nextRows(read, query, after, limits);
  if (!found) return { rows: [], odd: [], next: null };
  const next = found.more ? String(found.last) : null;
  const texts = await readTexts(read, query, after, found);
  if (texts) return { rows: texts, odd: [], next };
  const rows: Row[] = [];
  const odd: OddRow[] = [];
  const { columns } = PARTS[part];
  for (const stored of await readRows(read, part, after, found.last)) {
    const row = columns.map((column) => textOf(stored[column]!));
    // Nothing is waited for where nothing is doubtful, which is so of nearly all rows.
    const why = isDoubtful(stored, columns) ? await faultIn(read, part, stored) : null;
    if (why === null) rows.push(row);
    else odd.push({ row, why });
  }
  return { rows, odd, next };
}

/** A blob is shown as far as it is a text. */
function textOf(value: string | number | Uint8Array | null): string | null {
  if (value === null || typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : Buffer.from(value).toString();
}

/** Whether a value may be no text as it is stored. */
function isDoubtful(stored: StoredRow, columns: readonly string[]): boolean {
  for (const column of columns) {
    const value = stored[column];
    if (typeof value === 'string' ? value.includes('\ufffd') : value instanceof Uint8Array) return true;
  }
  return false;
}

/** What the driver cannot give as a text. It reads what is no UTF-8 as U+FFFD: only then the bytes are looked at. */
async function faultIn(read: Read, part: Part, stored: StoredRow): Promise<string | null> {
  const { columns } = PARTS[part];
  const blob = columns.find((column) => stored[column] instanceof Uint8Array);
  if (blob !== undefined) return `${blob} is a blob, not a text`;
  const doubtful = columns.filter((column) => {
    const value = stored[column];
    return typeof value === 'string' && value.includes('\ufffd');
  });
  if (doubtful.length === 0) return null;
  const hex = await readHex(read, part, stored.at);
  const bad = doubtful.find((column) => !isUtf8(Buffer.from(hex[column] ?? '', 'hex')));
  return bad === undefined ? null : `${bad} is not UTF-8`;
}
