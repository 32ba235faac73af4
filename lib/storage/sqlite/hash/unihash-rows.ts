import type { RowSlice, RowSource, TableState } from '../../memory/unihash-loader.ts';
import type { Database } from '../engine/database.ts';

/**
 * Rows read by one statement. Not more: glibc keeps as much of freed memory as the largest piece that it has had from the system, twice over and
 * for each thread. With 8,192 rows, which are pieces of a megabyte, a server that had read a million rows was 40 MB larger.
 */
const SLICE_ROWS = 1024;

/**
 * Counted in bytes: length() and unhex() end at a NUL, with which a text may go on. Only asked of rows that are odd in
 * another way: asked of each, and with rows grouped by their method, reading a row took seven times as long.
 */
const HEX = (column: string) =>
  `(typeof(${column}) = 'text' AND octet_length(${column}) = 64 AND unhex(${column}) IS NOT NULL AND ${column} = lower(${column}))`;
const FITS = `typeof(method) = 'text' AND typeof(taskhash) = 'text' AND typeof(unihash) = 'text'
  AND octet_length(taskhash) = 64 AND octet_length(unihash) = 64`;

/** Rows as lib/storage/memory/row-bytes.ts reads them: as rows of texts, a million would hold the event loop up for seconds. */
const slice = (condition: string) => `
SELECT CAST(group_concat(CASE WHEN ${FITS} THEN octet_length(method) || ' ' || method || taskhash || unihash
    ELSE substr('ntub', 1 + ${HEX('taskhash')} + 2 * ${HEX('unihash')}, 1) END, '') AS BLOB) AS rows,
  count(*) AS count, min(id) AS first, max(id) AS last
FROM (SELECT id, method, taskhash, unihash FROM unihashes_v3 NOT INDEXED WHERE ${condition} LIMIT ${SLICE_ROWS})`;
const OLDER = slice('id < ? ORDER BY id DESC');
const NEWER = slice('id > ? ORDER BY id');

const IDS = `
SELECT coalesce((SELECT min(id) FROM unihashes_v3), 0) AS first, coalesce((SELECT max(id) FROM unihashes_v3), 0) AS last`;

const STATE = `
SELECT count(*) AS count, (SELECT coalesce(max(id), 0) FROM unihashes_v3) AS last, (
  SELECT json_group_array(json_array(method || ' ' || taskhash, unihash))
  FROM (SELECT * FROM unihashes_v3 WHERE typeof(method) = 'text' AND typeof(taskhash) = 'text'
    AND typeof(unihash) = 'text' ORDER BY id DESC LIMIT 64)) AS newest
FROM unihashes_v3`;

/** The unihashes of a file, read on the maintenance connection: it holds up no look-up and no report. */
export function createRowSource(database: Database): RowSource {
  const { writer } = database;

  async function read<Row>(sql: string, params: readonly number[] = []): Promise<Row> {
    return (await database.read<Row>(database.maintenance, sql, params))[0]!;
  }

  async function readSlice(sql: string, id: number): Promise<RowSlice | null> {
    const found = await read<{ [Name in keyof RowSlice]: RowSlice[Name] | null }>(sql, [id]);
    return found.rows === null ? null : (found as RowSlice);
  }

  return {
    ids: () => read(IDS),
    older: (id) => readSlice(OLDER, id),
    newer: (id) => readSlice(NEWER, id),
    async state() {
      const found = await read<Omit<TableState, 'newest'> & { newest: string }>(STATE);
      return { ...found, newest: JSON.parse(found.newest) };
    },
    between: writer && ((job) => writer.between(job)),
  };
}
