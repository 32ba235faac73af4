import type { Task } from '../../../transfer/ends.ts';
import { CREATED, isSameTime, NOTE_PREFIX, PARTS, type Part, type Row } from '../../../transfer/parts.ts';
import type { Binding, Param } from '../engine/binding.ts';

export const TABLES: Readonly<Record<Part, string>> = {
  users: 'users',
  unihashes: 'unihashes_v3',
  outhashes: 'outhashes_v2',
  config: 'config',
  values: 'PRMAIN',
};

/** Rows that a copy takes, as a condition. */
const taken = (part: Part) =>
  part === 'config' ? `substr(name, 1, ${NOTE_PREFIX.length}) IS NOT '${NOTE_PREFIX}'` : 'true';

/** Reads, for as long as it takes. */
export type Read = <R>(sql: string, params: readonly Param[]) => Promise<R[]>;

const quoted = (columns: readonly string[]) => columns.map((column) => `"${column}"`).join(', ');
const bytesOf = (columns: readonly string[]) =>
  columns.map((column) => `coalesce(octet_length("${column}"), 0)`).join(' + ');
/** The first columns of a row of the JSON list, as a condition: IS, as a PR value may be NULL. */
const keyed = (part: Part, table: string) =>
  PARTS[part].columns
    .slice(0, PARTS[part].keys)
    .map((column, i) => `${table}."${column}" ${PARTS[part].nullable.includes(column) ? 'IS' : '='} q.value->>${i}`)
    .join(' AND ');

export async function countRows(read: Read, part: Part): Promise<number> {
  const [row] = await read<{ n: number }>(`SELECT count(*) AS n FROM ${TABLES[part]} WHERE ${taken(part)}`, []);
  return row!.n;
}

/** Rows of a table in the order of their rowids. Names are constants of ours. */
export interface RowQuery {
  readonly table: string;
  readonly columns: readonly string[];
  /** About how long a row is, as an expression. */
  readonly bytes: string;
  /** Which rows, as a condition. */
  readonly condition: string;
}

/** Every table has a rowid, and it is the id where there is one: rows come in the order they were stored. */
export const rowsOf = (part: Part): RowQuery => ({
  table: TABLES[part],
  columns: PARTS[part].columns,
  bytes: `64 + ${bytesOf(PARTS[part].columns)}`,
  condition: taken(part),
});

/** A row as it is stored: not only texts, in another program's file. */
export type StoredRow = { readonly at: number } & { readonly [column: string]: string | number | Uint8Array | null };

export const readRows = (read: Read, part: Part, after: number, last: number) =>
  read<StoredRow>(
    `SELECT rowid AS at, ${quoted(PARTS[part].columns)} FROM ${TABLES[part]}
      WHERE rowid > ? AND rowid <= ? AND ${taken(part)} ORDER BY rowid`,
    [after, last],
  );

/** The bytes of the texts of one row, in hex. */
export async function readHex(read: Read, part: Part, at: number): Promise<Readonly<Record<string, string>>> {
  const columns = PARTS[part].columns.map((column) => `hex("${column}") AS "${column}"`).join(', ');
  const [row] = await read<Record<string, string>>(`SELECT ${columns} FROM ${TABLES[part]} WHERE rowid = ?`, [at]);
  return row ?? {};
}

/** Relies on the unique index of each table; a PR row's key is all of it. */
export async function compareRows(read: Read, part: Part, rows: readonly Row[]): Promise<(readonly string[] | null)[]> {
  const { columns, keys } = PARTS[part];
  const rest = columns.slice(keys).filter((column) => column !== CREATED);
  const same = rest.map((column) => `, t."${column}" IS q.value->>${columns.indexOf(column)} AS "${column}"`).join('');
  const timed = columns.includes(CREATED);
  const sql = `SELECT q.key AS i${same}${timed ? `, CAST(t.${CREATED} AS TEXT) AS ${CREATED}` : ''}
    FROM json_each(?) q CROSS JOIN ${TABLES[part]} t ON ${keyed(part, 't')}`;
  const found: (readonly string[] | null)[] = rows.map(() => null);
  for (const row of await read<{ i: number } & Record<string, string | number | null>>(sql, [JSON.stringify(rows)])) {
    const other = rest.filter((column) => row[column] !== 1);
    const created = rows[row.i]![columns.indexOf(CREATED)] ?? null;
    if (timed && !isSameTime(created, row[CREATED] as string | null)) other.push(CREATED);
    found[row.i] = other;
  }
  return found;
}

const UNIHASHES = `SELECT q.key AS i, t.unihash FROM json_each(?) q
  CROSS JOIN ${TABLES.unihashes} t ON t.method = q.value->>0 AND t.taskhash = q.value->>1`;

/** Relies on the unique index. What is no text is no unihash. */
export async function readUnihashes(read: Read, tasks: readonly Task[]): Promise<(string | null)[]> {
  const found: (string | null)[] = tasks.map(() => null);
  for (const { i, unihash } of await read<{ i: number; unihash: unknown }>(UNIHASHES, [JSON.stringify(tasks)]))
    if (typeof unihash === 'string') found[i] = unihash;
  return found;
}

export async function readSetting(read: Read, name: string): Promise<string | null> {
  const [row] = await read<{ value: unknown }>(`SELECT value FROM ${TABLES.config} WHERE name = ?`, [name]);
  return typeof row?.value === 'string' ? row.value : null;
}

/** What a part needs that its table has not. */
export async function missingColumns(read: Read, part: Part): Promise<readonly string[]> {
  const there = await read<{ name: string }>('SELECT name FROM pragma_table_info(?)', [TABLES[part]]);
  return PARTS[part].columns.filter((column) => !there.some(({ name }) => name === column));
}

/** Rows with NULL in their key are never in each other's way: those are looked for. */
export function insertRows(connection: Binding, part: Part, rows: readonly Row[]): Promise<number> {
  const { columns, keys } = PARTS[part];
  const key = columns.slice(0, keys);
  const values = columns.map((_, i) => `q.value->>${i}`).join(', ');
  const open = key.filter((column) => PARTS[part].nullable.includes(column)).map((column) => columns.indexOf(column));
  const isNew =
    open.length === 0
      ? 'true'
      : `(${open.map((i) => `q.value->>${i} IS NOT NULL`).join(' AND ')}
        OR NOT EXISTS (SELECT 1 FROM ${TABLES[part]} t WHERE ${keyed(part, 't')}))`;
  const sql = `INSERT INTO ${TABLES[part]} (${quoted(columns)}) SELECT ${values} FROM json_each(?) q WHERE ${isNew}
    ON CONFLICT (${quoted(key)}) DO NOTHING`;
  return connection.run(sql, [JSON.stringify(rows)]);
}

/** All values of a package are gone through once a call, however many rows of it are asked for. */
export async function readRivals(read: Read, rows: readonly Row[]): Promise<Row[]> {
  const packages = new Set(rows.map(([version, pkgarch]) => JSON.stringify([version, pkgarch])));
  const asked = new Map(rows.map((row) => [JSON.stringify([row[0], row[1], row[3]]), row]));
  const sql = `SELECT m.version, m.pkgarch, m.checksum, m.value FROM json_each(?) q
    CROSS JOIN PRMAIN m ON m.version = q.value->>0 AND m.pkgarch = q.value->>1
    WHERE typeof(m.value) = 'text' AND m.value IN (SELECT v.value FROM json_each(?) v)`;
  const params = [`[${[...packages].join()}]`, JSON.stringify([...new Set(rows.map((row) => row[3]))])];
  const found = await read<Record<'version' | 'pkgarch' | 'checksum' | 'value', string>>(sql, params);
  return found
    .map(({ version, pkgarch, checksum, value }): Row => [version, pkgarch, checksum, value])
    .filter((row) => {
      const one = asked.get(JSON.stringify([row[0], row[1], row[3]]));
      return one !== undefined && one[2] !== row[2];
    });
}
