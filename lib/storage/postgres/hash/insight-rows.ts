import type { HashInsightRows, MonthCount, TaskPosition, UnusedCount } from '../../../hashserv/insight-rows.ts';
import type { PostgresDatabase } from '../engine/database.ts';
import type { Statement } from '../engine/pool.ts';
import { END_TASK, insightTasks } from './insight-tasks.ts';
import { CREATED_VALUE } from './schema.ts';

/** Rows of a slice: some ten milliseconds of the database, and a round trip. */
const SLICE_ROWS = 20_000;

const BYTES = (columns: readonly string[]) =>
  columns.map((column) => `coalesce(octet_length(${column}), 0)`).join(' + ');
/** `created` is a time of eight bytes here; it is counted as the text that it is elsewhere. */
const CREATED_BYTES = 32;
const REPORT_TEXTS = ['method', 'taskhash', 'outhash', 'owner', '"PN"', '"PV"', '"PR"', 'task'];
const MONTH = (column: string) => `to_char(${column}, 'YYYY-MM')`;

const plain = (text: string): Statement => ({ name: '', text });

const MONTHS = plain(`
SELECT month, count(*)::int AS reports, count(siginfo)::int AS texts, coalesce(sum(siginfo), 0)::float8 AS "textBytes",
  sum(bytes)::float8 AS bytes, max(id) AS last
FROM (SELECT id, ${MONTH('created')} AS month, octet_length(outhash_siginfo) AS siginfo,
    ${BYTES(REPORT_TEXTS)} + CASE WHEN created IS NULL THEN 0 ELSE ${CREATED_BYTES} END AS bytes
  FROM outhashes_v2 WHERE id > $1 ORDER BY id LIMIT $2) r
GROUP BY month`);

const UNIHASHES = plain(`
SELECT count(*)::int AS rows, coalesce(sum(bytes), 0)::float8 AS bytes, (count(*) FILTER (WHERE marked))::int AS marked, max(id) AS last
FROM (SELECT id, ${BYTES(['method', 'taskhash', 'unihash', 'gc_mark'])} AS bytes, gc_mark = $2 AS marked
  FROM unihashes_v3 WHERE id > $1 ORDER BY id LIMIT $3) r`);

const UNUSED = (bounded: boolean) =>
  plain(`
SELECT month, count(*)::int AS reports, (count(*) FILTER (WHERE older))::int AS older,
  coalesce(sum(bytes) FILTER (WHERE older), 0)::float8 AS "olderBytes"
FROM (
  SELECT ${MONTH('o.created')} AS month, coalesce(o.created < ${CREATED_VALUE('$1::text')}, false) AS older,
    ${BYTES([...REPORT_TEXTS, 'outhash_siginfo'].map((column) => `o.${column}`))}
      + CASE WHEN o.created IS NULL THEN 0 ELSE ${CREATED_BYTES} END AS bytes
  FROM outhashes_v2 o
  WHERE (o.method, o.taskhash) > ($2, $3) ${bounded ? 'AND (o.method, o.taskhash) <= ($4, $5)' : ''}
    AND NOT EXISTS (SELECT 1 FROM unihashes_v3 u WHERE u.method = o.method AND u.taskhash = o.taskhash)) r
GROUP BY month`);

const SIZE = plain(
  `SELECT (pg_total_relation_size('unihashes_v3') + pg_total_relation_size('outhashes_v2'))::float8 AS bytes`,
);
/** As the last VACUUM or ANALYZE left it; -1 before the first. */
const ESTIMATE = plain(`
SELECT coalesce(max(reltuples) FILTER (WHERE relname = 'unihashes_v3'), 0)::float8 AS unihashes,
  coalesce(max(reltuples) FILTER (WHERE relname = 'outhashes_v2'), 0)::float8 AS outhashes
FROM pg_class WHERE oid IN ('unihashes_v3'::regclass, 'outhashes_v2'::regclass)`);
const CURRENT_MARK = plain("SELECT value FROM config WHERE name = 'gc-mark' AND value IS NOT NULL");

/** What insights read of a database, on a connection of its own. What runs ends by itself: a slice takes no time worth speaking of. */
export async function openInsightRows(
  database: PostgresDatabase,
  sliceRows = SLICE_ROWS,
): Promise<Omit<HashInsightRows, 'text'>> {
  const reader = database.openReader();
  const read = <Row>(statement: Statement, params: readonly unknown[] = []) => reader.read<Row>(statement, params);
  try {
    const [known] = await read<{ unihashes: number; outhashes: number }>(ESTIMATE);
    return {
      estimate: { unihashes: Math.max(0, known!.unihashes), outhashes: Math.max(0, known!.outhashes) },
      async databaseBytes() {
        return (await read<{ bytes: number }>(SIZE))[0]!.bytes;
      },
      async currentMark() {
        return (await read<{ value: string }>(CURRENT_MARK))[0]?.value ?? null;
      },
      async months(after) {
        const found = await read<MonthCount & { last: number }>(MONTHS, [after, sliceRows]);
        const looked = found.reduce((sum, { reports }) => sum + reports, 0);
        const last = found.reduce((latest, each) => Math.max(latest, each.last), after);
        return { months: found.map(({ last: _, ...month }) => month), next: looked < sliceRows ? null : last };
      },
      async unihashes(after, mark) {
        const [found] = await read<{ rows: number; bytes: number; marked: number; last: number }>(UNIHASHES, [
          after,
          mark,
          sliceRows,
        ]);
        const { last, ...rest } = found!;
        return { ...rest, next: rest.rows < sliceRows ? null : last };
      },
      async unused({ method, taskhash }, before) {
        const [end] = await read<TaskPosition>(END_TASK, [method, taskhash, sliceRows]);
        const bounds = end ? [end.method, end.taskhash] : [];
        const months = await read<UnusedCount>(UNUSED(end !== undefined), [before, method, taskhash, ...bounds]);
        return { months, looked: sliceRows, next: end ?? null };
      },
      ...insightTasks(read, sliceRows),
      close: () => reader.close(),
    };
  } catch (error) {
    await reader.close();
    throw error;
  }
}
