import type { HashInsightRows, MonthCount, TaskPosition, UnusedCount } from '../../../hashserv/insight-rows.ts';
import type { Param } from '../engine/binding.ts';
import type { Database } from '../engine/database.ts';
import { interruptWith } from '../engine/lent-readers.ts';
import { END_TASK, insightTasks } from './insight-tasks.ts';
import { CREATED } from './schema.ts';

/** Rows of a slice: some ten milliseconds of a thread. */
const SLICE_ROWS = 10_000;

/** Of texts without their content being read: a long outhash_siginfo stays on the disk. */
const BYTES = (columns: readonly string[]) =>
  columns.map((column) => `coalesce(octet_length(${column}), 0)`).join(' + ');
const REPORT_TEXTS = ['method', 'taskhash', 'outhash', 'created', 'owner', 'PN', 'PV', 'PR', 'task'];

/** `2026-11`, or null: other programs may have stored anything. */
const MONTH = (
  column: string,
) => `CASE WHEN typeof(${column}) = 'text' AND ${column} GLOB '[0-9][0-9][0-9][0-9]-[01][0-9]-*'
  THEN substr(${column}, 1, 7) END`;

const MONTHS = `
SELECT month, count(*) AS reports, count(siginfo) AS texts, coalesce(sum(siginfo), 0) AS textBytes, sum(bytes) AS bytes,
  max(id) AS last
FROM (SELECT id, ${MONTH('created')} AS month, octet_length(outhash_siginfo) AS siginfo, ${BYTES(REPORT_TEXTS)} AS bytes
  FROM outhashes_v2 NOT INDEXED WHERE id > ?1 ORDER BY id LIMIT ?2)
GROUP BY month`;

const UNIHASHES = `
SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes, coalesce(sum(marked), 0) AS marked, max(id) AS last
FROM (SELECT id, ${BYTES(['method', 'taskhash', 'unihash', 'gc_mark'])} AS bytes, gc_mark = ?2 AS marked
  FROM unihashes_v3 NOT INDEXED WHERE id > ?1 ORDER BY id LIMIT ?3)`;

/** The name that SQLite gives the index of the UNIQUE constraint: without the hint it takes another, by method alone. */
const BY_TASK = 'sqlite_autoindex_outhashes_v2_1';

/** Relies on the UNIQUE indexes of both tables: only reports that are found are read themselves. */
const UNUSED = (hint: string, bounded: boolean) => `
SELECT month, count(*) AS reports, coalesce(sum(isOlder), 0) AS older, coalesce(sum(isOlder * bytes), 0) AS olderBytes
FROM (
  SELECT ${MONTH('r.created')} AS month, ${CREATED('r.created')} < ?1 AS isOlder,
    ${BYTES([...REPORT_TEXTS, 'outhash_siginfo'].map((column) => `r.${column}`))} AS bytes
  FROM (
    SELECT o.id FROM outhashes_v2 o ${hint}
    WHERE (o.method, o.taskhash) > (?2, ?3) ${bounded ? 'AND (o.method, o.taskhash) <= (?4, ?5)' : ''}
      AND NOT EXISTS (SELECT 1 FROM unihashes_v3 u WHERE u.method = o.method AND u.taskhash = o.taskhash)
  ) f CROSS JOIN outhashes_v2 r ON r.id = f.id)
GROUP BY month`;

const SIZE = 'SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size';
/** Of rows that were ever stored: those are at least as many as there are. */
const ESTIMATE = `
SELECT coalesce((SELECT max(id) FROM unihashes_v3), 0) AS unihashes, coalesce((SELECT max(id) FROM outhashes_v2), 0) AS outhashes,
  EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = '${BY_TASK}') AS hinted`;
const CURRENT_MARK = "SELECT value FROM config WHERE name = 'gc-mark' AND value IS NOT NULL LIMIT 1";

/**
 * What insights read of a file, on a connection of its own.
 * @param signal interrupts what runs when it is aborted
 * @param sliceRows only a test lowers it
 */
export async function openInsightRows(
  database: Database,
  signal: AbortSignal,
  sliceRows = SLICE_ROWS,
): Promise<Omit<HashInsightRows, 'text'>> {
  const connection = await database.openReader();
  const read = <Row>(sql: string, params: readonly Param[] = []) => database.read<Row>(connection, sql, params);
  const stop = interruptWith(signal, connection);
  try {
    const [known] = await read<{ unihashes: number; outhashes: number; hinted: number }>(ESTIMATE);
    const hint = known!.hinted ? `INDEXED BY ${BY_TASK}` : '';
    return {
      estimate: { unihashes: known!.unihashes, outhashes: known!.outhashes },
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
        const [end] = await read<TaskPosition>(END_TASK(hint), [method, taskhash, sliceRows]);
        const months = await read<UnusedCount>(UNUSED(hint, end !== undefined), [
          before,
          method,
          taskhash,
          ...(end ? [end.method, end.taskhash] : []),
        ]);
        return { months, looked: sliceRows, next: end ?? null };
      },
      ...(await insightTasks(read, { hint, sliceRows })),
      async close() {
        stop();
        await connection.close();
      },
    };
  } catch (error) {
    stop();
    await connection.close();
    throw error;
  }
}
