import type { Read, RowQuery } from './tables.ts';

/** The rows that come next: so many, behind the place that was asked for, up to this rowid. */
export interface NextRows {
  readonly count: number;
  readonly last: number;
  readonly bytes: number;
  /** There may be further ones. */
  readonly more: boolean;
}

/** Above this a text of JSON is not worth its memory. */
const MOST_TEXT_BYTES = 16 * 1024 * 1024;

/** @returns null where there are none; otherwise at least one, whatever its size */
export async function nextRows(
  read: Read,
  { table, bytes, condition }: RowQuery,
  after: number,
  limits: { readonly rows: number; readonly bytes: number },
): Promise<NextRows | null> {
  // As one text: the driver takes longer to make objects of a thousand rows than SQLite to read them.
  const [{ list } = { list: '[]' }] = await read<{ list: string }>(
    `SELECT json_group_array(json_array(at, bytes)) AS list FROM (
      SELECT rowid AS at, ${bytes} AS bytes FROM ${table} WHERE rowid > ? AND ${condition} ORDER BY rowid LIMIT ?)`,
    [after, limits.rows],
  );
  const ids = JSON.parse(list) as [at: number, bytes: number][];
  let [count, sum] = [0, 0];
  for (const [, size] of ids) {
    if (count > 0 && sum + size > limits.bytes) break;
    sum += size;
    count++;
  }
  if (count === 0) return null;
  return { count, last: ids[count - 1]![0], bytes: sum, more: count < ids.length || ids.length === limits.rows };
}

/**
 * The values of rows that are all texts or NULL, as rows of this server are. Null where another program has stored something
 * else, or what is no UTF-8: then each row must be looked at.
 */
export async function readTexts(
  read: Read,
  { table, columns, condition }: RowQuery,
  after: number,
  { count, last, bytes }: NextRows,
): Promise<(string | null)[][] | null> {
  if (bytes > MOST_TEXT_BYTES) return null;
  const names = columns.map((column) => `"${column}"`).join(', ');
  const plain = columns.map((column) => `typeof("${column}") IN ('text', 'null')`).join(' AND ');
  const [{ list } = { list: '[]' }] = await read<{ list: string }>(
    `SELECT json_group_array(json_array(${names})) AS list FROM (
      SELECT ${names} FROM ${table} WHERE rowid > ? AND rowid <= ? AND ${condition} AND ${plain} ORDER BY rowid LIMIT ?)`,
    [after, last, count],
  );
  if (list.includes('\ufffd')) return null;
  const rows = JSON.parse(list) as (string | null)[][];
  return rows.length === count ? rows : null;
}
