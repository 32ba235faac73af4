import type { TableCounts } from '../../../meter/row-counts.ts';
import type { ConnectionPool } from './pool.ts';

/** Counting goes through each table. */
const COUNT_EVERY_MS = 5 * 60_000;

/** Counts the rows of some tables, when somebody asks. */
export function createRowCounts(pool: ConnectionPool, tables: readonly string[]): TableCounts {
  let rows: ReadonlyMap<string, number> = new Map();
  let countedAt: number | null = null;
  let begunAt = Number.NEGATIVE_INFINITY;
  let counting: Promise<void> | null = null;
  const text = tables.map((table) => `SELECT '${table}' AS name, count(*) AS n FROM ${table}`).join(' UNION ALL ');

  async function count(): Promise<void> {
    const found = await pool.read<{ name: string; n: string }>({ name: 'bakeserv-rows', text });
    rows = new Map(found.map(({ name, n }) => [name, Number(n)]));
    countedAt = Date.now() / 1000;
  }

  return {
    get rows() {
      return rows;
    },
    get countedAt() {
      return countedAt;
    },
    async refresh() {
      if (!counting && performance.now() - begunAt >= COUNT_EVERY_MS) {
        begunAt = performance.now();
        // Without an answer the last figures stay, and are asked for again later.
        counting = count()
          .catch(() => {})
          .finally(() => {
            counting = null;
          });
      }
      await counting;
    },
  };
}
