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
import type { Statement } from '../engine/pool.ts';
import { CREATED_TEXT } from './schema.ts';

/** The most hash methods that a task is looked for under; a farm has one or two. */
const MAX_METHODS = 1000;

const plain = (text: string): Statement => ({ name: '', text });
export const NAME = (column: string) => `substr(${column}, 1, ${MAX_NAME_CHARS})`;
/** As one text, which the driver hands over as it is. */
export const LIST = (values: string, more = '') => `coalesce(json_agg(json_build_array(${values})${more}), '[]')::text`;

export const END_TASK = plain(`
SELECT method, taskhash FROM outhashes_v2 WHERE (method, taskhash) > ($1, $2) ORDER BY method, taskhash OFFSET $3 LIMIT 1`);

const UNSTABLE = (bounded: boolean) =>
  plain(`
SELECT ${LIST('method, taskhash, pn, task, outputs, texts, first, last, owner, other, owners')} AS list FROM (
  SELECT o.method, o.taskhash, max(${NAME('o."PN"')}) AS pn, max(${NAME('o.task')}) AS task, count(*) AS outputs,
    count(o.outhash_siginfo) AS texts, ${CREATED_TEXT('min(o.created)')} AS first, ${CREATED_TEXT('max(o.created)')} AS last,
    min(${NAME('o.owner')}) AS owner, max(${NAME('o.owner')}) AS other, count(DISTINCT ${NAME('o.owner')}) AS owners
  FROM (
    SELECT method, taskhash FROM outhashes_v2
    WHERE (method, taskhash) > ($1, $2) ${bounded ? 'AND (method, taskhash) <= ($3, $4)' : ''}
    GROUP BY method, taskhash HAVING count(*) > 1
  ) g JOIN outhashes_v2 o ON o.method = g.method AND o.taskhash = g.taskhash
  GROUP BY o.method, o.taskhash) t`);

/** Each method, by a leap in the index to the next. */
const METHODS = plain(`
WITH RECURSIVE m(method) AS (
  (SELECT method FROM outhashes_v2 ORDER BY method LIMIT 1)
  UNION ALL SELECT (SELECT o.method FROM outhashes_v2 o WHERE o.method > m.method ORDER BY o.method LIMIT 1) FROM m WHERE m.method IS NOT NULL)
SELECT method FROM (SELECT method FROM m LIMIT ${MAX_METHODS}) r WHERE method IS NOT NULL`);

const OUTPUTS = plain(`
SELECT o.id, o.method, o.outhash, ${CREATED_TEXT('o.created')} AS created, ${NAME('o.owner')} AS owner, ${NAME('o."PN"')} AS "PN",
  ${NAME('o.task')} AS task, octet_length(o.outhash_siginfo) AS "textBytes"
FROM outhashes_v2 o WHERE o.method = ANY($1::text[]) AND o.taskhash = $2 AND ($3::text[] IS NULL OR o.outhash = ANY($3::text[]))
ORDER BY o.created DESC NULLS LAST, o.id DESC LIMIT $4`);

/** In the order of unihash_lookup_v1; the row before the first of a slice is the one that the last slice ended with. */
const EQUAL = plain(`
SELECT coalesce(json_agg(id) FILTER (WHERE unihash = before), '[]')::text AS list, count(*)::int AS looked,
  (array_agg(unihash ORDER BY unihash DESC, id DESC))[1] AS unihash, (array_agg(id ORDER BY unihash DESC, id DESC))[1] AS id
FROM (
  SELECT id, unihash, lag(unihash, 1, $1::text) OVER (ORDER BY unihash, id) AS before FROM (
    SELECT id, unihash FROM unihashes_v3 WHERE (unihash, id) > ($1::text, $2::int) ORDER BY unihash, id LIMIT $3) s) r`);

const EQUAL_TASKS = plain(`
SELECT ${LIST(`u.unihash, ${NAME('r."PN"')}, ${NAME('r.task')}, ${CREATED_TEXT('r.created')}`)} AS list
FROM unihashes_v3 u
LEFT JOIN outhashes_v2 r ON r.id = (SELECT min(p.id) FROM outhashes_v2 p WHERE p.method = u.method AND p.taskhash = u.taskhash)
WHERE u.id = ANY($1::int[])`);

const RECIPES = plain(`
SELECT coalesce(json_agg(pn), '[]')::text AS "PNs", coalesce(json_agg(task), '[]')::text AS tasks,
  coalesce(json_agg(reports), '[]')::text AS reports, coalesce(sum(reports), 0)::int AS looked, max(last) AS last
FROM (SELECT ${NAME('pn')} AS pn, ${NAME('task')} AS task, count(*) AS reports, max(id) AS last FROM (
    SELECT id, "PN" AS pn, task FROM outhashes_v2 WHERE id > $1 ORDER BY id LIMIT $2) r
  GROUP BY 1, 2) g`);

type Read = <Row>(statement: Statement, params?: readonly unknown[]) => Promise<Row[]>;
type Methods = Pick<HashInsightRows, 'unstable' | 'outputs' | 'equal' | 'equalTasks' | 'recipes'>;

/** What insights read of tasks and outputs. */
export function insightTasks(read: Read, sliceRows: number): Methods {
  const list = async <Tuple>(statement: Statement, params: readonly unknown[]): Promise<Tuple[]> =>
    JSON.parse((await read<{ list: string }>(statement, params))[0]!.list);

  return {
    async unstable({ method, taskhash }) {
      const [end] = await read<TaskPosition>(END_TASK, [method, taskhash, sliceRows]);
      const bounds = end ? [end.method, end.taskhash] : [];
      const tasks = await list<UnstableTuple>(UNSTABLE(end !== undefined), [method, taskhash, ...bounds]);
      return { tasks: tasks.map(unstableTask), looked: sliceRows, next: end ?? null };
    },
    async outputs(method, taskhash, outhashes, limit) {
      const methods = method === null ? (await read<{ method: string }>(METHODS)).map((each) => each.method) : [method];
      return read<Output>(OUTPUTS, [methods, taskhash, outhashes, limit]);
    },
    async equal(after) {
      const [found] = await read<UnihashPosition & { list: string; looked: number }>(EQUAL, [
        after.unihash,
        after.id,
        sliceRows,
      ]);
      const { list: ids, looked, unihash, id } = found!;
      return { ids: JSON.parse(ids), looked, next: looked < sliceRows ? null : { unihash, id } };
    },
    async equalTasks(ids) {
      return (await list<EqualTuple>(EQUAL_TASKS, [ids])).map(foundEqual);
    },
    async recipes(after) {
      const [found] = await read<RecipeLists>(RECIPES, [after, sliceRows]);
      return recipeSlice(found!, sliceRows);
    },
  };
}
