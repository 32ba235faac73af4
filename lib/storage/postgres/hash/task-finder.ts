import { type Pair, type RecipeMatch, type TaskFinder, toFoundTask } from '../../../hashserv/find-tasks.ts';
import type { ConnectionPool } from '../engine/pool.ts';
import { CREATED_TEXT } from './schema.ts';

type Row = Readonly<Record<string, unknown>>;

const METHODS = (table: string) => ({
  name: `bakeserv-methods-${table}`,
  text: `WITH RECURSIVE found(method) AS (
    SELECT min(t.method) FROM ${table} t
    UNION ALL
    SELECT (SELECT min(t.method) FROM ${table} t WHERE t.method > found.method) FROM found WHERE found.method IS NOT NULL)
  SELECT found.method FROM found WHERE found.method IS NOT NULL LIMIT $1`,
});

const FIELDS = `coalesce(o.method, u.method) AS method, coalesce(o.taskhash, u.taskhash) AS taskhash, u.unihash, o.outhash, o.owner,
  o."PN", o."PV", o."PR", o.task, ${CREATED_TEXT('o.created')} AS created, (o.outhash_siginfo IS NOT NULL) AS siginfo`;
const UNIHASH = 'LEFT JOIN unihashes_v3 u ON u.method = o.method AND u.taskhash = o.taskhash';
const PAIRS = 'FROM unnest($1::text[], $2::text[]) q(m, h)';

const BY_TASK = {
  name: 'bakeserv-tasks-by-task',
  text: `SELECT ${FIELDS} ${PAIRS} LEFT JOIN unihashes_v3 u ON u.method = q.m AND u.taskhash = q.h
    LEFT JOIN outhashes_v2 o ON o.method = q.m AND o.taskhash = q.h WHERE u.id IS NOT NULL OR o.id IS NOT NULL LIMIT $3`,
};
const BY_OUTPUT = {
  name: 'bakeserv-tasks-by-output',
  text: `SELECT ${FIELDS} ${PAIRS} JOIN outhashes_v2 o ON o.method = q.m AND o.outhash = q.h ${UNIHASH} LIMIT $3`,
};
const BY_UNIHASH = {
  name: 'bakeserv-tasks-by-unihash',
  text: `SELECT ${FIELDS} FROM unnest($1::text[]) q(h) JOIN unihashes_v3 u ON u.unihash = q.h
    LEFT JOIN outhashes_v2 o ON o.method = u.method AND o.taskhash = u.taskhash LIMIT $2`,
};

const OLDEST = {
  name: 'bakeserv-reports-before',
  text: 'SELECT min(s.id) AS id FROM (SELECT id FROM outhashes_v2 WHERE id < $1::bigint ORDER BY id DESC LIMIT $2) s',
};

const MATCHES: Readonly<Record<RecipeMatch['kind'], string>> = {
  whole: 'o."PN" = $1::text',
  start: 'left(o."PN", length($1::text)) = $1::text',
  end: 'right(o."PN", length($1::text)) = $1::text',
  part: 'strpos(o."PN", $1::text) > 0',
};
const OF_RECIPE = (kind: RecipeMatch['kind']) => ({
  name: `bakeserv-reports-of-${kind}`,
  text: `SELECT o.id, ${FIELDS} FROM outhashes_v2 o ${UNIHASH}
    WHERE o.id >= $2::bigint AND o.id < $3::bigint AND ${MATCHES[kind]} ORDER BY o.id DESC LIMIT $4`,
});

const NEWEST = Number.MAX_SAFE_INTEGER;

/** Looks for tasks, as on SQLite. */
export function createTaskFinder(pool: ConnectionPool): TaskFinder {
  const columns = (keys: readonly Pair[]) => [0, 1].map((i) => keys.map((key) => key[i]!));
  return {
    async methods(most) {
      const lists = await Promise.all(
        ['unihashes_v3', 'outhashes_v2'].map((table) => pool.read<{ method: string }>(METHODS(table), [most])),
      );
      return [...new Set(lists.flat().map(({ method }) => method))].slice(0, most);
    },
    byTask: async (keys, limit) => (await pool.read<Row>(BY_TASK, [...columns(keys), limit])).map(toFoundTask),
    byOutput: async (keys, limit) => (await pool.read<Row>(BY_OUTPUT, [...columns(keys), limit])).map(toFoundTask),
    byUnihash: async (unihashes, limit) => (await pool.read<Row>(BY_UNIHASH, [unihashes, limit])).map(toFoundTask),
    async oldestOf(before, reports) {
      const [row] = await pool.read<{ id: number | null }>(OLDEST, [before ?? NEWEST, reports]);
      return row!.id;
    },
    async ofRecipe({ kind, text }, from, before, limit) {
      const rows = await pool.read<Row & { id: number }>(OF_RECIPE(kind), [text, from, before ?? NEWEST, limit]);
      return rows.map((row) => ({ ...toFoundTask(row), id: row.id }));
    },
  };
}
