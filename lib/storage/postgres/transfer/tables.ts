import type { Task } from '../../../transfer/ends.ts';
import { CREATED, isSameTime, NOTE_PREFIX, PARTS, type Part, type Row } from '../../../transfer/parts.ts';
import type { ConnectionPool, Session, Statement } from '../engine/pool.ts';
import { CREATED_TEXT, CREATED_VALUE } from '../hash/schema.ts';

export const TABLES: Readonly<Record<Part, string>> = {
  users: 'users',
  unihashes: 'unihashes_v3',
  outhashes: 'outhashes_v2',
  config: 'config',
  values: 'prmain',
};

const quoted = (columns: readonly string[]) => columns.map((column) => `"${column}"`).join(', ');
const keyOf = (part: Part) => PARTS[part].columns.slice(0, PARTS[part].keys);
const fields = (part: Part) =>
  PARTS[part].columns
    .map((column) => (column === CREATED ? `${CREATED_TEXT(CREATED)} AS ${CREATED}` : `"${column}"`))
    .join(', ');

/** Rows that a copy takes, as a condition. */
const taken = (part: Part) =>
  part === 'config' ? `left(name, ${NOTE_PREFIX.length}) IS DISTINCT FROM '${NOTE_PREFIX}'` : 'true';

export async function countRows(pool: ConnectionPool, part: Part): Promise<number> {
  const text = `SELECT count(*) AS n FROM ${TABLES[part]} WHERE ${taken(part)}`;
  return Number((await pool.read<{ n: string }>({ name: '', text }))[0]!.n);
}

/** Rows as a table of parameters, one array a column; `i` is a row's place, from 1. */
const given = (columns: readonly string[]) =>
  `unnest(${columns.map((_, i) => `$${i + 1}::text[]`).join(', ')}) WITH ORDINALITY q(${columns.map((_, i) => `c${i}`).join(', ')}, i)`;
const arraysOf = (columns: readonly string[], rows: readonly Row[]) => columns.map((_, i) => rows.map((row) => row[i]));

export interface Page {
  readonly rows: readonly Row[];
  readonly next: string | null;
}

const rowsOf = (part: Part, found: readonly Record<string, string | null>[]): Row[] =>
  found.map((row) => PARTS[part].columns.map((column) => row[column]!));

/** Tables with an id, in its order. */
export async function readById(
  pool: ConnectionPool,
  part: Part,
  after: number,
  limit: number,
  maxBytes: number,
): Promise<Page> {
  const bytes = PARTS[part].columns
    .filter((column) => column !== CREATED)
    .map((column) => `coalesce(octet_length("${column}"), 0)`);
  const ids = await pool.read<{ id: number; bytes: number }>(
    {
      name: `bakeserv-copy-ids-${part}`,
      text: `SELECT id, 64 + ${bytes.join(' + ')} AS bytes FROM ${TABLES[part]} WHERE id > $1 AND ${taken(part)} ORDER BY id LIMIT $2`,
    },
    [after, limit],
  );
  let sum = 0;
  const fitting = ids.filter((row, i) => {
    sum += row.bytes;
    return i === 0 || sum <= maxBytes;
  });
  const last = fitting.at(-1);
  if (!last) return { rows: [], next: null };
  const found = await pool.read<Record<string, string | null>>(
    {
      name: `bakeserv-copy-rows-${part}`,
      text: `SELECT ${fields(part)} FROM ${TABLES[part]} WHERE id > $1 AND id <= $2 AND ${taken(part)} ORDER BY id`,
    },
    [after, last.id],
  );
  const more = fitting.length < ids.length || ids.length === limit;
  return { rows: rowsOf(part, found), next: more ? String(last.id) : null };
}

/**
 * PR rows, which have no id, by their key and in the order of its index, whatever language that is for. As all of a row is in
 * the index, it has less than 3 KB.
 */
export async function readByKey(pool: ConnectionPool, after: string | null, limit: number): Promise<Page> {
  const key = quoted(keyOf('values'));
  const bound = after === null ? [] : (JSON.parse(after) as string[]);
  const where = after === null ? '' : `WHERE (${key}) > ($1, $2, $3, $4)`;
  const text = `SELECT ${fields('values')} FROM ${TABLES.values} ${where} ORDER BY ${key} LIMIT ${limit}`;
  const rows = rowsOf('values', await pool.read<Record<string, string | null>>({ name: '', text }, bound));
  return { rows, next: rows.length === limit ? JSON.stringify(rows.at(-1)) : null };
}

/** LATERAL, with a limit: each row is looked up by the unique index, and the table never gone through. */
export async function compareRows(
  pool: ConnectionPool,
  part: Part,
  rows: readonly Row[],
): Promise<(readonly string[] | null)[]> {
  const { columns, keys } = PARTS[part];
  const rest = columns.slice(keys).filter((column) => column !== CREATED);
  const same = rest.map(
    (column) => `, t."${column}" IS NOT DISTINCT FROM q.c${columns.indexOf(column)} AS "${column}"`,
  );
  const timed = columns.includes(CREATED);
  const key = keyOf(part).map((column, i) => `"${column}" = q.c${i}`);
  const found = await pool.read<{ i: string } & Record<string, boolean | string | null>>(
    {
      name: `bakeserv-copy-compare-${part}`,
      text: `SELECT q.i${same.join('')}${timed ? `, ${CREATED_TEXT(`t.${CREATED}`)} AS ${CREATED}` : ''} FROM ${given(columns)}
        CROSS JOIN LATERAL (SELECT * FROM ${TABLES[part]} WHERE ${key.join(' AND ')} LIMIT 1) t`,
    },
    arraysOf(columns, rows),
  );
  const answers: (readonly string[] | null)[] = rows.map(() => null);
  for (const row of found) {
    const at = Number(row.i) - 1;
    const other = rest.filter((column) => row[column] !== true);
    const created = rows[at]![columns.indexOf(CREATED)] ?? null;
    if (timed && !isSameTime(created, row[CREATED] as string | null)) other.push(CREATED);
    answers[at] = other;
  }
  return answers;
}

const UNIHASHES: Statement = {
  name: 'bakeserv-copy-unihashes',
  text: `SELECT q.i, t.unihash FROM ${given(['method', 'taskhash'])}
    CROSS JOIN LATERAL (SELECT unihash FROM ${TABLES.unihashes} WHERE method = q.c0 AND taskhash = q.c1 LIMIT 1) t`,
};

export async function readUnihashes(pool: ConnectionPool, tasks: readonly Task[]): Promise<(string | null)[]> {
  const found: (string | null)[] = tasks.map(() => null);
  const rows = await pool.read<{ i: string; unihash: string }>(UNIHASHES, arraysOf(['method', 'taskhash'], tasks));
  for (const { i, unihash } of rows) found[Number(i) - 1] = unihash;
  return found;
}

const SETTING: Statement = {
  name: 'bakeserv-copy-setting',
  text: `SELECT value FROM ${TABLES.config} WHERE name = $1`,
};

export async function readSetting(pool: ConnectionPool, name: string): Promise<string | null> {
  return (await pool.read<{ value: string | null }>(SETTING, [name]))[0]?.value ?? null;
}

function insertStatement(part: Part): Statement {
  const { columns } = PARTS[part];
  const values = columns.map((column, i) => (column === CREATED ? CREATED_VALUE(`q.c${i}`) : `q.c${i}`));
  return {
    name: `bakeserv-copy-insert-${part}`,
    text: `INSERT INTO ${TABLES[part]} (${quoted(columns)}) SELECT ${values.join(', ')} FROM ${given(columns)}
      ORDER BY q.i ON CONFLICT (${quoted(keyOf(part))}) DO NOTHING`,
  };
}

export const insertRows = (session: Session, part: Part, rows: readonly Row[]): Promise<number> =>
  session.run(insertStatement(part), arraysOf(PARTS[part].columns, rows));

export async function readRivals(pool: ConnectionPool, rows: readonly Row[]): Promise<Row[]> {
  const found = await pool.read<Record<string, string | null>>(
    {
      name: 'bakeserv-copy-rivals',
      text: `SELECT DISTINCT m.version, m.pkgarch, m.checksum, m.value FROM ${given(keyOf('values'))}
        CROSS JOIN LATERAL (SELECT * FROM ${TABLES.values} p
          WHERE p.version = q.c0 AND p.pkgarch = q.c1 AND p.checksum <> q.c2 AND p.value = q.c3) m`,
    },
    arraysOf(keyOf('values'), rows),
  );
  return rowsOf('values', found);
}
