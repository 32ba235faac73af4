import { InvokeError } from '../../errors.ts';
import type { HashStore, Slice, Where } from '../../hashserv/store.ts';
import type { Table } from '../../hashserv/where.ts';
import type { Binding, Param } from './binding.ts';
import type { Database } from './database.ts';
import { CREATED } from './hash-schema.ts';

type GcMethods = Pick<
  HashStore,
  | 'removeSlice'
  | 'gcStatus'
  | 'gcSetMark'
  | 'gcMarkKeys'
  | 'gcMarkSlice'
  | 'gcSweepSlice'
  | 'gcClearMark'
  | 'cleanUnusedSlice'
  | 'usage'
>;

export const TABLE_NAMES: Record<Table, string> = { unihashes: 'unihashes_v3', outhashes: 'outhashes_v2' };
const USAGE_TABLES = ['unihashes_v3', 'outhashes_v2', 'users', 'config'];

const CURRENT_MARK = "SELECT value FROM config WHERE name = 'gc-mark' AND value IS NOT NULL LIMIT 1";
const SET_MARK =
  "INSERT INTO config (name, value) VALUES ('gc-mark', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/** Rows by unihash (unihash_lookup_v1) and further columns. A key is `[unihash, method, taskhash, gc_mark]`, null where not named. */
export const MARK_COLUMNS = ['unihash', 'method', 'taskhash', 'gc_mark'];
export const MARK_KEYS = (from: string) => `
SELECT ${from} FROM json_each(?) q CROSS JOIN unihashes_v3 u ON u.unihash = q.value->>0
  AND (q.value->>1 IS NULL OR u.method = q.value->>1) AND (q.value->>2 IS NULL OR u.taskhash = q.value->>2)
  AND (q.value->>3 IS NULL OR u.gc_mark = q.value->>3)`;

/**
 * Deletion and garbage collection. Rows are found on the maintenance connection, which blocks nobody, and changed by
 * id in slices between the writer's batches; the condition is checked again then.
 * @param forget called after rows were deleted: cached answers may be of them
 */
export function createGcStore(database: Database, forget: () => void): GcMethods {
  const { maintenance } = database;

  /** One slice: finds ids above `after`, then changes those rows in a transaction of its own. */
  async function slice(
    find: { from: string; condition: string; params: readonly Param[]; after: number; limit: number },
    change: (connection: Binding, ids: string) => Promise<number>,
  ): Promise<Slice> {
    const sql = `SELECT t.id FROM ${find.from} t WHERE t.id > ? AND ${find.condition} ORDER BY t.id LIMIT ${find.limit}`;
    const rows = await database.read<{ id: number }>(maintenance, sql, [find.after, ...find.params]);
    if (rows.length === 0) return { count: 0, next: null };
    const ids = JSON.stringify(rows.map((row) => row.id));
    const count = await database.writer!.slice((connection) => change(connection, ids));
    return { count, next: rows.length < find.limit ? null : rows[rows.length - 1]!.id };
  }

  async function deleteSlice(
    table: string,
    condition: string,
    params: readonly Param[],
    after: number,
    limit: number,
    check?: Check,
  ) {
    const sql = `DELETE FROM ${table} AS t WHERE t.id IN (SELECT value FROM json_each(?)) AND ${condition}`;
    const result = await slice({ from: table, condition, params, after, limit }, async (connection, ids) => {
      await check?.(connection);
      return connection.run(sql, [ids, ...params]);
    });
    if (result.count > 0) forget();
    return result;
  }

  type Check = (connection: Binding) => Promise<void>;

  /** Fails the slice when another mark has become the current one meanwhile. */
  const stillCurrent =
    (mark: string): Check =>
    async (connection) => {
      const [row] = await connection.all<{ value: string }>(CURRENT_MARK);
      if (row?.value !== mark) throw new InvokeError(`'${mark}' is not the current mark. Refusing to sweep`);
    };

  return {
    removeSlice(table, where, after, limit) {
      const { condition, params } = toSql(where);
      return deleteSlice(TABLE_NAMES[table], condition, params, after, limit);
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
      const keys = JSON.stringify(
        wheres.map((where) => MARK_COLUMNS.map((column) => where.find(([name]) => name === column)?.[1] ?? null)),
      );
      return database.writer!.slice(async (connection) => {
        await connection.run(SET_MARK, [mark]);
        const counts: number[] = new Array(wheres.length).fill(0);
        const rows = await connection.all<{ i: number; n: number }>(
          `${MARK_KEYS('q.key AS i, count(*) AS n')} GROUP BY q.key`,
          [keys],
        );
        for (const { i, n } of rows) counts[i] = n;
        await connection.run(`UPDATE unihashes_v3 SET gc_mark = ? WHERE id IN (${MARK_KEYS('u.id')})`, [mark, keys]);
        return counts;
      });
    },

    gcMarkSlice(mark, where, after, limit) {
      const { condition, params } = toSql(where);
      const sql = 'UPDATE unihashes_v3 SET gc_mark = ? WHERE id IN (SELECT value FROM json_each(?))';
      return slice({ from: 'unihashes_v3', condition, params, after, limit }, async (connection, ids) => {
        await stillCurrent(mark)(connection);
        return connection.run(sql, [mark, ids]);
      });
    },

    gcSweepSlice: (mark, after, limit) =>
      deleteSlice('unihashes_v3', 't.gc_mark <> ?', [mark], after, limit, stillCurrent(mark)),

    async gcClearMark(mark) {
      await database.writer!.slice((connection) =>
        connection.run("DELETE FROM config WHERE name = 'gc-mark' AND value = ?", [mark]),
      );
    },

    cleanUnusedSlice(before, after, limit) {
      const unused = 'NOT EXISTS (SELECT 1 FROM unihashes_v3 u WHERE u.method = t.method AND u.taskhash = t.taskhash)';
      return deleteSlice('outhashes_v2', `${CREATED('t.created')} < ? AND ${unused}`, [before], after, limit);
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
