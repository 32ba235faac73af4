import type { GcTask, HashStore, Where } from '../../../hashserv/store.ts';
import {
  distinctKeys,
  hasMark,
  type KeyCount,
  lookupFor,
  MAX_INDEXED_ROWS,
  requireCurrentMark,
  TABLE_NAMES,
  USAGE_TABLES,
} from '../../../hashserv/store-rules.ts';
import type { Binding, Param } from '../engine/binding.ts';
import type { Database } from '../engine/database.ts';
import type { KnownRows } from './known-rows.ts';
import { CREATED } from './schema.ts';

type GcMethods = Pick<
  HashStore,
  'gcFind' | 'gcApply' | 'gcStatus' | 'gcMark' | 'gcSetMark' | 'gcMarkKeys' | 'gcClearMark' | 'usage'
>;

const CURRENT_MARK = "SELECT value FROM config WHERE name = 'gc-mark' AND value IS NOT NULL LIMIT 1";
const SET_MARK =
  "INSERT INTO config (name, value) VALUES ('gc-mark', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/** Rows by unihash (unihash_lookup_v1) and further columns: a list of `distinctKeys`. */
const MARK_KEYS = (from: string) => `
SELECT ${from} FROM json_each(?) q CROSS JOIN unihashes_v3 u ON u.unihash = q.value->>0
  AND (q.value->>1 IS NULL OR u.method = q.value->>1) AND (q.value->>2 IS NULL OR u.taskhash = q.value->>2)
  AND (q.value->>3 IS NULL OR u.gc_mark = q.value->>3)`;

/** How many rows of unihashes each of `distinctKeys` matches, where it is any. */
export const COUNT_KEYS = `${MARK_KEYS('q.key AS i, count(*) AS n')} GROUP BY q.key`;
const SET_MARK_OF_KEYS = `UPDATE unihashes_v3 SET gc_mark = ? WHERE id IN (${MARK_KEYS('u.id')})`;

/** What a task goes through, and the conditions on it. Column names are our own constants, values are bound. */
interface Search {
  readonly table: string;
  readonly condition: string;
  readonly params: readonly Param[];
  /** An index leads to the rows. */
  readonly indexed: boolean;
}

const UNUSED = `${CREATED('t.created')} < ? AND NOT EXISTS (
  SELECT 1 FROM unihashes_v3 u WHERE u.method = t.method AND u.taskhash = t.taskhash)`;

function searchFor(task: GcTask): Search {
  if (task.kind === 'sweep')
    return { table: TABLE_NAMES.unihashes, condition: 't.gc_mark <> ?', params: [task.mark], indexed: false };
  if (task.kind === 'clean-unused')
    return { table: TABLE_NAMES.outhashes, condition: UNUSED, params: [task.before], indexed: false };
  const table = task.kind === 'remove' ? task.table : 'unihashes';
  const lookup = lookupFor(table, task.where);
  // The + keeps SQLite from using another index, such as that by method, which may lead to a million rows.
  const conditions = task.where.map(([column]) => `${lookup?.includes(column) ? '' : '+'}t."${column}" = ?`);
  return {
    table: TABLE_NAMES[table],
    condition: conditions.join(' AND '),
    params: task.where.map(([, value]) => value),
    indexed: lookup !== undefined,
  };
}

/** The tasks whose rows are deleted, as lines of a stream. */
const GONE = " RETURNING method || ' ' || taskhash AS task";

/** Rows that an index leads to, unordered: one more than the maximum shows that the index does not help. */
const INDEXED = ({ table, condition }: Search) =>
  `SELECT t.id FROM ${table} t WHERE ${condition} LIMIT ${MAX_INDEXED_ROWS + 1}`;

/**
 * The next rows in the order of their ids, as the table itself lies. By an index, each step would sort all the rows it
 * leads to; and steps of so many ids each would never end where ids have a gap.
 */
const WALK = ({ table, condition }: Search) => `
WITH step AS MATERIALIZED (
  SELECT max(id) AS last, count(*) AS looked FROM (SELECT id FROM ${table} NOT INDEXED WHERE id > ?1 ORDER BY id LIMIT ?2))
SELECT last, looked, (
  SELECT json_group_array(t.id) FROM ${table} t NOT INDEXED WHERE t.id > ?1 AND t.id <= step.last AND ${condition}) AS ids
FROM step`;

/**
 * Deletion and garbage collection. Rows are found on the maintenance connection, which blocks nobody, and changed by
 * id in slices between the writer's batches; the condition is checked again then.
 */
export function createGcStore(database: Database, known: KnownRows): GcMethods {
  const { maintenance } = database;

  async function requireCurrent(connection: Binding, task: GcTask): Promise<void> {
    if (!hasMark(task)) return;
    const [row] = await connection.all<{ value: string }>(CURRENT_MARK);
    requireCurrentMark(task, row?.value ?? null);
  }

  return {
    async gcFind(task, after, look) {
      const search = searchFor(task);
      if (after === 0 && search.indexed) {
        const rows = await database.read<{ id: number }>(maintenance, INDEXED(search), search.params);
        if (rows.length <= MAX_INDEXED_ROWS) return { ids: rows.map(({ id }) => id), next: null };
      }
      const [step] = await database.read<{ last: number; looked: number; ids: string }>(maintenance, WALK(search), [
        after,
        look,
        ...search.params,
      ]);
      return { ids: JSON.parse(step!.ids), next: step!.looked < look ? null : step!.last };
    },

    async gcApply(task, ids) {
      const { table, condition, params } = searchFor(task);
      const rows = `WHERE t.id IN (SELECT value FROM json_each(?)) AND ${condition}`;
      const marking = task.kind === 'mark';
      const isUnihashes = table === TABLE_NAMES.unihashes;
      const sql = marking
        ? `UPDATE ${table} AS t NOT INDEXED SET gc_mark = ? ${rows}`
        : `DELETE FROM ${table} AS t NOT INDEXED ${rows}${isUnihashes ? GONE : ''}`;
      const bound = [...(marking ? [task.mark] : []), JSON.stringify(ids), ...params];
      if (marking || !isUnihashes) {
        return database.writer!.slice(async (connection) => {
          await requireCurrent(connection, task);
          return connection.run(sql, bound);
        });
      }
      try {
        const gone = await database.writer!.slice(async (connection) => {
          await requireCurrent(connection, task);
          return connection.all<{ task: string }>(sql, bound);
        });
        if (gone.length > 0) known.removed(gone.map(({ task }) => task));
        return gone.length;
      } catch (error) {
        known.unsure();
        throw error;
      }
    },

    async gcMark() {
      const [current] = await database.read<{ value: string }>(maintenance, CURRENT_MARK);
      return current?.value ?? null;
    },

    async gcStatus() {
      const [current] = await database.read<{ value: string }>(maintenance, CURRENT_MARK);
      const mark = current?.value ?? null;
      const [row] = await database.read<{ keep: number; total: number }>(
        maintenance,
        'SELECT count(*) AS total, count(*) FILTER (WHERE gc_mark = ?) AS keep FROM unihashes_v3',
        [mark ?? ''],
      );
      return { mark, keep: row!.keep, remove: row!.total - row!.keep };
    },

    async gcSetMark(mark) {
      await database.writer!.slice((connection) => connection.run(SET_MARK, [mark]));
    },

    async gcMarkKeys(mark, wheres) {
      const { keys, countsOf } = distinctKeys(wheres);
      const list = JSON.stringify(keys);
      return database.writer!.slice(async (connection) => {
        await connection.run(SET_MARK, [mark]);
        const rows = await connection.all<KeyCount>(COUNT_KEYS, [list]);
        await connection.run(SET_MARK_OF_KEYS, [mark, list]);
        return countsOf(rows);
      });
    },

    async gcClearMark(mark) {
      await database.writer!.slice((connection) =>
        connection.run("DELETE FROM config WHERE name = 'gc-mark' AND value = ?", [mark]),
      );
    },

    async usage() {
      const counts = USAGE_TABLES.map((table) => `SELECT '${table}' AS name, count(*) AS n FROM ${table}`).join(
        ' UNION ALL ',
      );
      const rows = await database.read<{ name: string; n: number }>(maintenance, counts);
      return new Map(rows.map(({ name, n }) => [name, n]));
    },
  };
}

/** Conditions on table `t`. Column names are our own constants, values are bound. */
export function toSql(where: Where): { condition: string; params: readonly string[] } {
  return {
    condition: where.map(([column]) => `t."${column}" = ?`).join(' AND '),
    params: where.map(([, value]) => value),
  };
}
