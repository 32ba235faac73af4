import type { GcTask, HashStore, Where } from '../../../hashserv/store.ts';
import {
  distinctKeys,
  hasMark,
  KEY_COLUMNS,
  type KeyCount,
  lookupFor,
  MAX_INDEXED_ROWS,
  requireCurrentMark,
  TABLE_NAMES,
  USAGE_TABLES,
} from '../../../hashserv/store-rules.ts';
import type { Table } from '../../../hashserv/where.ts';
import { raiseGeneration } from '../engine/coherence.ts';
import type { ConnectionPool, Session, Statement } from '../engine/pool.ts';
import type { Writer } from '../engine/writer.ts';
import { CREATED_VALUE } from './schema.ts';

type GcMethods = Pick<
  HashStore,
  | 'gcFind'
  | 'gcApply'
  | 'gcStatus'
  | 'gcMark'
  | 'gcSetMark'
  | 'gcMarkKeys'
  | 'gcClearMark'
  | 'usage'
  | 'countKeys'
  | 'countRows'
>;

const CURRENT_MARK = "SELECT value FROM config WHERE name = 'gc-mark' AND value IS NOT NULL";
const SET_MARK =
  "INSERT INTO config (name, value) VALUES ('gc-mark', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/** Statements whose text depends on the columns of a where are not prepared: there are as many as combinations. */
const plain = (text: string): Statement => ({ name: '', text });

const KEYS = (first: number) =>
  `unnest($${first}::text[], $${first + 1}::text[], $${first + 2}::text[], $${first + 3}::text[])`;
const OF_KEY = `u.unihash = q.h AND (q.m IS NULL OR u.method = q.m) AND (q.t IS NULL OR u.taskhash = q.t)
    AND (q.g IS NULL OR u.gc_mark = q.g)`;
const COUNT_KEYS: Statement = {
  name: 'bakeserv-count-keys',
  text: `SELECT q.i::int - 1 AS i, (SELECT count(*) FROM unihashes_v3 u WHERE ${OF_KEY})::int AS n
    FROM ${KEYS(1)} WITH ORDINALITY q(h, m, t, g, i)`,
};
const MARK_KEYS: Statement = {
  name: 'bakeserv-mark-keys',
  text: `UPDATE unihashes_v3 SET gc_mark = $1 WHERE id IN (
    SELECT u.id FROM ${KEYS(2)} q(h, m, t, g) JOIN unihashes_v3 u ON ${OF_KEY})`,
};

/** Keys as a parameter for each of their columns. */
const arraysOf = (keys: readonly (readonly (string | null)[])[]) =>
  KEY_COLUMNS.map((_, i) => keys.map((key) => key[i]));

interface Search {
  readonly table: string;
  /** On table `t`; parameters from `$first` on. */
  condition(first: number): string;
  readonly params: readonly unknown[];
  /** An index usually leads to few rows. */
  readonly indexed: boolean;
}

function searchFor(task: GcTask): Search {
  if (task.kind === 'sweep')
    return {
      table: TABLE_NAMES.unihashes,
      condition: (n) => `t.gc_mark <> $${n}`,
      params: [task.mark],
      indexed: false,
    };
  if (task.kind === 'clean-unused')
    return {
      table: TABLE_NAMES.outhashes,
      condition: (n) => `t.created < ${CREATED_VALUE(`$${n}::text`)} AND NOT EXISTS (
        SELECT 1 FROM unihashes_v3 u WHERE u.method = t.method AND u.taskhash = t.taskhash)`,
      params: [task.before],
      indexed: false,
    };
  const table = task.kind === 'remove' ? task.table : 'unihashes';
  return {
    ...searchWhere(table, task.where),
    indexed: lookupFor(table, task.where) !== undefined,
  };
}

/** Column names are our own constants, values are bound. */
function searchWhere(table: Table, where: Where): Omit<Search, 'indexed'> {
  return {
    table: TABLE_NAMES[table],
    condition: (n) => where.map(([column], i) => `t."${column}" = $${n + i}`).join(' AND '),
    params: where.map(([, value]) => value),
  };
}

/**
 * Deletion and garbage collection: rows are found by reads, and changed by id in transactions of their own.
 * @param removed told of the generation after unihashes were removed here
 */
export function createGcStore(
  pool: ConnectionPool,
  writer: () => Writer,
  removed: (generation: number) => void,
): GcMethods {
  const read = <Row>(text: string, params: readonly unknown[] = []) => pool.read<Row>(plain(text), params);

  async function requireCurrent(session: Session, task: GcTask): Promise<void> {
    if (!hasMark(task)) return;
    const [row] = await session.all<{ value: string }>(plain(CURRENT_MARK));
    requireCurrentMark(task, row?.value ?? null);
  }

  return {
    async gcFind(task, after, look) {
      const { table, condition, params, indexed } = searchFor(task);
      if (after === 0 && indexed) {
        const text = `SELECT t.id FROM ${table} t WHERE ${condition(1)} LIMIT ${MAX_INDEXED_ROWS + 1}`;
        const rows = await read<{ id: number }>(text, params);
        if (rows.length <= MAX_INDEXED_ROWS) return { ids: rows.map(({ id }) => id), next: null };
      }
      // The next rows in the order of their ids: each step costs the same, wherever it is.
      const [step] = await read<{ last: number | null; looked: number; ids: number[] | null }>(
        `WITH step AS (SELECT s.* FROM ${table} s WHERE s.id > $1 ORDER BY s.id LIMIT $2)
        SELECT max(t.id) AS last, count(*)::int AS looked,
          array_agg(t.id ORDER BY t.id) FILTER (WHERE ${condition(3)}) AS ids FROM step t`,
        [after, look, ...params],
      );
      return { ids: step!.ids ?? [], next: step!.looked < look ? null : step!.last };
    },

    async gcApply(task, ids) {
      const { table, condition, params } = searchFor(task);
      if (ids.length === 0) return 0;
      const rows = (first: number) => `WHERE t.id = ANY($${first}::int[]) AND ${condition(first + 1)}`;
      const { changed, generation } = await writer().slice(async (session) => {
        await requireCurrent(session, task);
        if (task.kind === 'mark') {
          const text = `UPDATE ${table} AS t SET gc_mark = $1 ${rows(2)}`;
          return { changed: await session.run(plain(text), [task.mark, ids, ...params]), generation: null };
        }
        const gone = await session.run(plain(`DELETE FROM ${table} AS t ${rows(1)}`), [ids, ...params]);
        const counts = gone > 0 && table === TABLE_NAMES.unihashes;
        return { changed: gone, generation: counts ? await raiseGeneration(session) : null };
      });
      if (generation !== null) removed(generation);
      return changed;
    },

    async gcMark() {
      const [current] = await read<{ value: string }>(CURRENT_MARK);
      return current?.value ?? null;
    },

    async gcStatus() {
      const [row] = await read<{ mark: string | null; keep: number; total: number }>(
        `SELECT m.mark, count(u.id)::int AS total, (count(*) FILTER (WHERE u.gc_mark = coalesce(m.mark, '')))::int AS keep
        FROM (SELECT (${CURRENT_MARK}) AS mark) m LEFT JOIN unihashes_v3 u ON true GROUP BY m.mark`,
      );
      return { mark: row!.mark, keep: row!.keep, remove: row!.total - row!.keep };
    },

    async gcSetMark(mark) {
      await writer().slice((session) => session.run(plain(SET_MARK), [mark]));
    },

    gcMarkKeys(mark, wheres) {
      const { keys, countsOf } = distinctKeys(wheres);
      const arrays = arraysOf(keys);
      return writer().slice(async (session) => {
        await session.run(plain(SET_MARK), [mark]);
        const counts = await session.all<KeyCount>(COUNT_KEYS, arrays);
        await session.run(MARK_KEYS, [mark, ...arrays]);
        return countsOf(counts);
      });
    },

    async gcClearMark(mark) {
      await writer().slice((session) =>
        session.run(plain("DELETE FROM config WHERE name = 'gc-mark' AND value = $1"), [mark]),
      );
    },

    async usage() {
      const counts = USAGE_TABLES.map((table) => `SELECT '${table}' AS name, count(*)::int AS n FROM ${table}`);
      const rows = await read<{ name: string; n: number }>(counts.join(' UNION ALL '));
      return new Map(rows.map(({ name, n }) => [name, n]));
    },

    async countRows(table, where) {
      const { condition, params } = searchWhere(table, where);
      const [row] = await read<{ n: number }>(
        `SELECT count(*)::int AS n FROM ${TABLE_NAMES[table]} t WHERE ${condition(1)}`,
        params,
      );
      return row!.n;
    },

    async countKeys(wheres) {
      const { keys, countsOf } = distinctKeys(wheres);
      return countsOf(await pool.read<KeyCount>(COUNT_KEYS, arraysOf(keys)));
    },
  };
}
