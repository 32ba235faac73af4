import {
  type HashInsightRows,
  MAX_NAME_CHARS,
  type Output,
  type TaskPosition,
  type UnihashPosition,
} from '../../../hashserv/insight-rows.ts';
import {
  type EqualTuple,
  foundEqual,
  type RecipeLists,
  recipeSlice,
  type UnstableTuple,
  unstableTask,
} from '../../../hashserv/insights/tuples.ts';
import type { Param } from '../engine/binding.ts';
import { CREATED } from './schema.ts';

/** The most hash methods that a task is looked for under; a farm has one or two. */
const MAX_METHODS = 1000;

/** A text that is not too long; other programs may have stored anything, and JSON holds no blob. */
export const NAME = (column: string) =>
  `CASE typeof(${column}) WHEN 'text' THEN substr(${column}, 1, ${MAX_NAME_CHARS}) END`;
export const TIME = (column: string) =>
  `CASE typeof(${column}) WHEN 'text' THEN ${CREATED(`substr(${column}, 1, 40)`)} END`;

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

const END_UNIHASH = `
SELECT unihash, id FROM unihashes_v3 WHERE (unihash, id) > (?, ?) ORDER BY unihash, id LIMIT 1 OFFSET ?`;

/** Relies on unihash_lookup_v1 alone, which ends with the id. */
const EQUAL = (bounded: boolean) => `
SELECT json_group_array(u.id) AS list FROM unihashes_v3 u
WHERE (u.unihash, u.id) > (?, ?) ${bounded ? 'AND (u.unihash, u.id) <= (?, ?)' : ''} AND typeof(u.unihash) = 'text'
  AND EXISTS (SELECT 1 FROM unihashes_v3 e WHERE e.unihash = u.unihash AND e.id < u.id)`;

/** Where that index is not, all at once: with slices each would go through the whole table. */
const ALL_EQUAL = `
SELECT json_group_array(id) AS list FROM (
  SELECT id, min(id) OVER (PARTITION BY unihash) AS first FROM unihashes_v3 WHERE typeof(unihash) = 'text') WHERE id > first`;

/**
 * Relies on the UNIQUE index of outhashes. Both tables are read by ids: those of a task lie about as far into one as into the
 * other, so that a page is read once for all ids close to each other.
 */
const EQUAL_TASKS = `
SELECT json_group_array(json_array(u.unihash, ${NAME('r.PN')}, ${NAME('r.task')}, ${TIME('r.created')})) AS list
FROM json_each(?) q CROSS JOIN unihashes_v3 u ON u.id = q.value
LEFT JOIN outhashes_v2 r ON r.id = (SELECT min(p.id) FROM outhashes_v2 p WHERE p.method = u.method AND p.taskhash = u.taskhash)`;

/** Names are cut when there are few of them left. */
const RECIPES = `
SELECT json_group_array(${NAME('PN')}) AS PNs, json_group_array(${NAME('task')}) AS tasks, json_group_array(reports) AS reports,
  coalesce(sum(reports), 0) AS looked, max(last) AS last
FROM (SELECT PN, task, count(*) AS reports, max(id) AS last FROM (
    SELECT id, PN, task FROM outhashes_v2 NOT INDEXED WHERE id > ?1 ORDER BY id LIMIT ?2)
  GROUP BY PN, task)`;

const HAS_UNIHASH_INDEX = `
SELECT EXISTS (SELECT 1 FROM pragma_index_list('unihashes_v3') l, pragma_index_info(l.name) i
  WHERE i.seqno = 0 AND i.name = 'unihash') AS has`;

type Read = <Row>(sql: string, params?: readonly Param[]) => Promise<Row[]>;
type Methods = Pick<HashInsightRows, 'unstable' | 'outputs' | 'equal' | 'equalTasks' | 'recipes'>;

/** What insights read of tasks and outputs. Rows come as one JSON text: as objects of their own they would take several times as long. */
export async function insightTasks(
  read: Read,
  { hint, sliceRows }: { readonly hint: string; readonly sliceRows: number },
): Promise<Methods> {
  // The more rows of a slice, the fewer groups in all: a tenth of a second of a thread, for which nobody waits.
  const recipeRows = 8 * sliceRows;
  const [index] = await read<{ has: number }>(HAS_UNIHASH_INDEX);
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
    async equal({ unihash, id }) {
      if (!index!.has) return { ids: await list<number>(ALL_EQUAL, []), looked: 0, next: null };
      const [end] = await read<UnihashPosition>(END_UNIHASH, [unihash, id, sliceRows]);
      const bounds = end ? [end.unihash, end.id] : [];
      const ids = await list<number>(EQUAL(end !== undefined), [unihash, id, ...bounds]);
      return { ids, looked: sliceRows, next: end ?? null };
    },
    async equalTasks(ids) {
      return (await list<EqualTuple>(EQUAL_TASKS, [JSON.stringify(ids)])).map(foundEqual);
    },
    async recipes(after) {
      const [found] = await read<RecipeLists>(RECIPES, [after, recipeRows]);
      return recipeSlice(found!, recipeRows);
    },
  };
}
