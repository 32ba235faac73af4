import {
  type HashInsightRows,
  MAX_NAME_CHARS,
  type Output,
  type TaskPosition,
} from '../../../hashserv/insight-rows.ts';
import { type EqualTuple, foundEqual, type UnstableTuple, unstableTask } from '../../../hashserv/insights/tuples.ts';
import type { Param } from '../engine/binding.ts';
import { CREATED } from './schema.ts';

/** Rows of a slice that is answered row by row: these take the event loop's time too. */
const MAX_SLICE_ROWS = 5000;
/** The most hash methods that a task is looked for under; a farm has one or two. */
const MAX_METHODS = 1000;

/** A text that is not too long; other programs may have stored anything, and JSON holds no blob. */
const NAME = (column: string) => `CASE typeof(${column}) WHEN 'text' THEN substr(${column}, 1, ${MAX_NAME_CHARS}) END`;
const TIME = (column: string) => `CASE typeof(${column}) WHEN 'text' THEN ${CREATED(`substr(${column}, 1, 40)`)} END`;

export const END_TASK = (hint: string) => `
SELECT method, taskhash FROM outhashes_v2 ${hint} WHERE (method, taskhash) > (?, ?)
ORDER BY method, taskhash LIMIT 1 OFFSET ?`;

/** Only the rows of tasks with several outputs are read: the others are in the index alone. */
const UNSTABLE = (hint: string, bounded: boolean) => `
SELECT json_group_array(json_array(method, taskhash, PN, task, outputs, texts, first, last, owner, other, owners)) AS list FROM (
  SELECT g.method, g.taskhash, max(${NAME('o.PN')}) AS PN, max(${NAME('o.task')}) AS task, count(*) AS outputs,
    count(o.outhash_siginfo) AS texts, min(${TIME('o.created')}) AS first, max(${TIME('o.created')}) AS last,
    min(${NAME('o.owner')}) AS owner, max(${NAME('o.owner')}) AS other, count(DISTINCT ${NAME('o.owner')}) AS owners
  FROM (
    SELECT method, taskhash FROM outhashes_v2 ${hint}
    WHERE (method, taskhash) > (?, ?) ${bounded ? 'AND (method, taskhash) <= (?, ?)' : ''}
      AND typeof(method) = 'text' AND typeof(taskhash) = 'text'
    GROUP BY method, taskhash HAVING count(*) > 1
  ) g CROSS JOIN outhashes_v2 o ON o.method = g.method AND o.taskhash = g.taskhash
  GROUP BY g.method, g.taskhash)`;

/** Each method, by a leap in the index to the next. */
const METHODS = `
WITH RECURSIVE m(method) AS (
  SELECT min(method) FROM outhashes_v2
  UNION ALL SELECT (SELECT min(o.method) FROM outhashes_v2 o WHERE o.method > m.method) FROM m WHERE m.method IS NOT NULL
  LIMIT ${MAX_METHODS})
SELECT method FROM m WHERE typeof(method) = 'text'`;

const OUTPUTS = `
SELECT o.id, o.method, o.outhash, ${TIME('o.created')} AS created, ${NAME('o.owner')} AS owner, ${NAME('o.PN')} AS PN,
  ${NAME('o.task')} AS task, octet_length(o.outhash_siginfo) AS textBytes
FROM json_each(?1) q CROSS JOIN outhashes_v2 o ON o.method = q.value AND o.taskhash = ?2
WHERE ?3 IS NULL OR o.outhash IN (SELECT value FROM json_each(?3))
ORDER BY created DESC, o.id DESC LIMIT ?4`;

const END_UNIHASH = 'SELECT unihash FROM unihashes_v3 WHERE unihash > ? ORDER BY unihash LIMIT 1 OFFSET ?';

/** Relies on unihash_lookup_v1, and on the UNIQUE index of outhashes: a report is read for each task that shares a unihash. */
const EQUAL = (bounded: boolean) => `
WITH shared AS MATERIALIZED (
  SELECT unihash FROM unihashes_v3 WHERE unihash > ?1 ${bounded ? 'AND unihash <= ?2' : ''} AND typeof(unihash) = 'text'
  GROUP BY unihash HAVING count(*) > 1
), members AS (
  SELECT s.unihash, ${NAME('r.PN')} AS PN, ${NAME('r.task')} AS task, ${TIME('r.created')} AS created,
    row_number() OVER (PARTITION BY s.unihash ORDER BY ${TIME('r.created')} IS NULL, ${TIME('r.created')}, u.id) AS place
  FROM shared s CROSS JOIN unihashes_v3 u ON u.unihash = s.unihash
  LEFT JOIN outhashes_v2 r ON r.id = (
    SELECT min(p.id) FROM outhashes_v2 p WHERE p.method = u.method AND p.taskhash = u.taskhash)
)
SELECT json_group_array(json_array(unihash, PN, task, day, tasks, first, last) ORDER BY unihash) AS list FROM (
  SELECT unihash, PN, task, day, count(*) AS tasks, min(created) AS first, max(created) AS last FROM (
    SELECT *, CASE WHEN created GLOB '[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]*' THEN substr(created, 1, 10) END AS day
    FROM members WHERE place > 1)
  GROUP BY unihash, PN, task, day)`;

const RECIPES = `
SELECT json_group_array(json_array(PN, task, reports)) AS list, coalesce(sum(reports), 0) AS looked, max(last) AS last FROM (
  SELECT PN, task, count(*) AS reports, max(id) AS last FROM (
    SELECT id, ${NAME('PN')} AS PN, ${NAME('task')} AS task
    FROM outhashes_v2 NOT INDEXED WHERE id > ?1 ORDER BY id LIMIT ?2)
  GROUP BY PN, task)`;

const HAS_UNIHASH_INDEX = `
SELECT EXISTS (SELECT 1 FROM pragma_index_list('unihashes_v3') l, pragma_index_info(l.name) i
  WHERE i.seqno = 0 AND i.name = 'unihash') AS has`;

type Read = <Row>(sql: string, params?: readonly Param[]) => Promise<Row[]>;
type Methods = Pick<HashInsightRows, 'unstable' | 'outputs' | 'equal' | 'recipes'>;

/** What insights read of tasks and outputs. Rows come as one JSON text: as objects of their own they would take several times as long. */
export async function insightTasks(
  read: Read,
  { hint, sliceRows }: { readonly hint: string; readonly sliceRows: number },
): Promise<Methods> {
  const rows = Math.min(sliceRows, MAX_SLICE_ROWS);
  const [index] = await read<{ has: number }>(HAS_UNIHASH_INDEX);
  // Without the index each slice would go through the whole table: then all is one slice.
  const unihashRows = index!.has ? rows : Number.MAX_SAFE_INTEGER;
  const list = async <Tuple>(sql: string, params: readonly Param[]): Promise<Tuple[]> =>
    JSON.parse((await read<{ list: string }>(sql, params))[0]!.list);

  return {
    async unstable({ method, taskhash }) {
      const [end] = await read<TaskPosition>(END_TASK(hint), [method, taskhash, sliceRows]);
      const bounds = end ? [end.method, end.taskhash] : [];
      const tasks = await list<UnstableTuple>(UNSTABLE(hint, end !== undefined), [method, taskhash, ...bounds]);
      return { tasks: tasks.map(unstableTask), looked: sliceRows, next: end ?? null };
    },
    async outputs(method, taskhash, outhashes, limit) {
      const methods = method === null ? (await read<{ method: string }>(METHODS)).map((each) => each.method) : [method];
      const wanted = outhashes === null ? null : JSON.stringify(outhashes);
      return read<Output>(OUTPUTS, [JSON.stringify(methods), taskhash, wanted, limit]);
    },
    async equal(after) {
      const [end] = await read<{ unihash: string }>(END_UNIHASH, [after, unihashRows]);
      const found = await list<EqualTuple>(EQUAL(end !== undefined), end ? [after, end.unihash] : [after]);
      return { found: found.map(foundEqual), looked: rows, next: end?.unihash ?? null };
    },
    async recipes(after) {
      const [found] = await read<{ list: string; looked: number; last: number }>(RECIPES, [after, rows]);
      const tuples = JSON.parse(found!.list) as [string | null, string | null, number][];
      const recipes = tuples.map(([PN, task, reports]) => ({ PN, task, reports }));
      return { recipes, looked: found!.looked, next: found!.looked < rows ? null : found!.last };
    },
  };
}
