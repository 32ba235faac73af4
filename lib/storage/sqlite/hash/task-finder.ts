import { type Pair, type RecipeMatch, type TaskFinder, toFoundTask } from '../../../hashserv/find-tasks.ts';
import type { Read } from '../transfer/tables.ts';
import { CREATED } from './schema.ts';

type Row = Readonly<Record<string, unknown>>;

/** From one method to the next, by the index that begins with it. */
const METHODS = (table: string) => `
WITH RECURSIVE found(method) AS (
  SELECT min(method) FROM ${table}
  UNION ALL
  SELECT (SELECT min(t.method) FROM ${table} t WHERE t.method > found.method) FROM found WHERE found.method IS NOT NULL
  LIMIT ?)
SELECT method FROM found WHERE typeof(method) = 'text'`;

const FIELDS = `coalesce(o.method, u.method) AS method, coalesce(o.taskhash, u.taskhash) AS taskhash, u.unihash, o.outhash, o.owner,
  o.PN, o.PV, o.PR, o.task, ${CREATED('o.created')} AS created, o.outhash_siginfo IS NOT NULL AS siginfo`;
const UNIHASH = 'LEFT JOIN unihashes_v3 u ON u.method = o.method AND u.taskhash = o.taskhash';

/** In the order of the index, so that a limit ends the search: by the unique indexes of both tables. */
const BY_TASK = `
SELECT ${FIELDS} FROM json_each(?) q
  LEFT JOIN unihashes_v3 u ON u.method = q.value->>0 AND u.taskhash = q.value->>1
  LEFT JOIN outhashes_v2 o ON o.method = q.value->>0 AND o.taskhash = q.value->>1
  WHERE u.id IS NOT NULL OR o.id IS NOT NULL LIMIT ?`;
/** By outhash_lookup_v3. */
const BY_OUTPUT = `
SELECT ${FIELDS} FROM json_each(?) q
  CROSS JOIN outhashes_v2 o ON o.method = q.value->>0 AND o.outhash = q.value->>1 ${UNIHASH} LIMIT ?`;
/** By unihash_lookup_v1. */
const BY_UNIHASH = `
SELECT ${FIELDS} FROM json_each(?) q CROSS JOIN unihashes_v3 u ON u.unihash = q.value
  LEFT JOIN outhashes_v2 o ON o.method = u.method AND o.taskhash = u.taskhash LIMIT ?`;

const OLDEST = 'SELECT min(id) AS id FROM (SELECT id FROM outhashes_v2 WHERE id < ? ORDER BY id DESC LIMIT ?)';

const MATCHES: Readonly<Record<RecipeMatch['kind'], string>> = {
  whole: 'o.PN = ?1',
  start: 'substr(o.PN, 1, length(?1)) = ?1',
  end: 'substr(o.PN, -length(?1)) = ?1',
  part: 'instr(o.PN, ?1) > 0',
};
const OF_RECIPE = (kind: RecipeMatch['kind']) => `
SELECT o.id, ${FIELDS} FROM outhashes_v2 o ${UNIHASH}
  WHERE o.id >= ?2 AND o.id < ?3 AND ${MATCHES[kind]} ORDER BY o.id DESC LIMIT ?4`;

const NEWEST = Number.MAX_SAFE_INTEGER;

/** Looks for tasks on the maintenance connection. */
export function createTaskFinder(read: Read): TaskFinder {
  const found = async (sql: string, keys: readonly (Pair | string)[], limit: number) =>
    (await read<Row>(sql, [JSON.stringify(keys), limit])).map(toFoundTask);
  return {
    async methods(most) {
      const lists = await Promise.all(
        ['unihashes_v3', 'outhashes_v2'].map((table) => read<{ method: string }>(METHODS(table), [most])),
      );
      return [...new Set(lists.flat().map(({ method }) => method))].slice(0, most);
    },
    byTask: (keys, limit) => found(BY_TASK, keys, limit),
    byOutput: (keys, limit) => found(BY_OUTPUT, keys, limit),
    byUnihash: (unihashes, limit) => found(BY_UNIHASH, unihashes, limit),
    async oldestOf(before, reports) {
      const [row] = await read<{ id: number | null }>(OLDEST, [before ?? NEWEST, reports]);
      return row!.id;
    },
    async ofRecipe({ kind, text }, from, before, limit) {
      const rows = await read<Row & { id: number }>(OF_RECIPE(kind), [text, from, before ?? NEWEST, limit]);
      return rows.map((row) => ({ ...toFoundTask(row), id: row.id }));
    },
  };
}
