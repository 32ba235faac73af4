import { isUtf8 } from 'node:buffer';
import { StorageError } from '../../../errors.ts';
import type { OddRow, Slice, SliceLimits, Target } from '../../../transfer/ends.ts';
import { ALL_PARTS, PARTS, type Part, type Row } from '../../../transfer/parts.ts';
import { patiently } from '../engine/connections.ts';
import { tableNames } from '../engine/database.ts';
import { openToLook } from '../upkeep/look.ts';
import {
  compareRows,
  countRows,
  type Read,
  readHex,
  readIds,
  readRivals,
  readRows,
  type StoredRow,
  TABLES,
} from './tables.ts';

/** What reads a file: as a source, and to see what a target has. */
export type SqliteReader = Omit<Target, 'faultOf' | 'add'>;

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
  const connection = await openToLook(file);
  try {
    const tables = await patiently(() => tableNames(connection));
    const older = Object.keys(OLDER).find((name) => tables.has(name) && !tables.has(OLDER[name]!));
    if (older !== undefined)
      throw new StorageError(
        'storage-missing',
        `${file} is of an older server (it has a table ${older}): start a server on it once, which moves its rows`,
      );
    const read: Read = (sql, params) => patiently(() => connection.all(sql, params));
    return { ...readerOf(file, read, tables), close: () => connection.close() };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** What reads the tables that are there. */
export function readerOf(file: string, read: Read, tables: ReadonlySet<string>): Omit<SqliteReader, 'close'> {
  return {
    name: file,
    parts: new Set(ALL_PARTS.filter((part) => tables.has(TABLES[part]))),
    count: (part) => countRows(read, part),
    slice: (part, after, limits) => readSlice(read, part, after === null ? 0 : Number(after), limits),
    compare: (part, rows) => compareRows(read, part, rows),
    rivals: (rows) => readRivals(read, rows),
  };
}

async function readSlice(read: Read, part: Part, after: number, limits: SliceLimits): Promise<Slice> {
  const ids = await readIds(read, part, after, limits.rows);
  let bytes = 0;
  const fitting = ids.filter((row, i) => {
    bytes += row.bytes;
    return i === 0 || bytes <= limits.bytes;
  });
  const last = fitting.at(-1);
  if (!last) return { rows: [], odd: [], next: null };
  const rows: Row[] = [];
  const odd: OddRow[] = [];
  for (const stored of await readRows(read, part, after, last.at)) {
    const row = PARTS[part].columns.map((column) => textOf(stored[column]!));
    const why = await faultIn(read, part, stored);
    if (why === null) rows.push(row);
    else odd.push({ row, why });
  }
  const more = fitting.length < ids.length || ids.length === limits.rows;
  return { rows, odd, next: more ? String(last.at) : null };
}

/** A blob is shown as far as it is a text. */
function textOf(value: string | number | Uint8Array | null): string | null {
  if (value === null || typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : Buffer.from(value).toString();
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
