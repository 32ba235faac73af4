import type { PrStore, RowFilter } from '../../../prserv/store.ts';
import type { Binding, Param } from '../engine/binding.ts';
import type { Database } from '../engine/database.ts';

type RowMethods = Pick<PrStore, 'importAll' | 'countRows' | 'removeRows'>;

const COLUMNS = ['version', 'pkgarch', 'checksum', 'value'] as const;

/**
 * Adding, counting and removing rows, for an administrator.
 * @param insertSql takes a JSON list of rows
 * @param forget what was read about packages before is no longer valid: called in the transaction, so that nothing is
 *   decided from that, and when it has ended, as others may have read meanwhile
 */
export function createPrRowStore(database: Database, insertSql: string, forget: () => void): RowMethods {
  async function slice<T>(job: (connection: Binding) => Promise<T>): Promise<T> {
    try {
      return await database.writer!.slice((connection) => {
        forget();
        return job(connection);
      });
    } finally {
      forget();
    }
  }

  return {
    importAll: (rows, rowsAStatement) =>
      slice(async (connection) => {
        let stored = 0;
        for (let at = 0; at < rows.length; at += rowsAStatement) {
          const part = rows.slice(at, at + rowsAStatement).map((row) => COLUMNS.map((column) => row[column]));
          stored += await connection.run(insertSql, [JSON.stringify(part)]);
        }
        return stored;
      }),

    async countRows(filter) {
      const { where, params } = conditionOf(filter);
      const sql = `SELECT count(*) AS n FROM PRMAIN ${where}`;
      return (await database.read<{ n: number }>(database.maintenance, sql, params))[0]!.n;
    },

    removeRows: (filter) =>
      slice((connection) => {
        const { where, params } = conditionOf(filter);
        return connection.run(`DELETE FROM PRMAIN ${where}`, params);
      }),
  };
}

/** The primary key helps to find a version; a pkgarch or checksum alone scans the whole table, which is small. */
function conditionOf(filter: RowFilter): { where: string; params: Param[] } {
  const columns = COLUMNS.filter((column) => filter[column] !== null);
  // An empty filter would mean every row.
  if (columns.length === 0) return { where: 'WHERE false', params: [] };
  return {
    where: `WHERE ${columns.map((column) => `${column} = ?`).join(' AND ')}`,
    params: columns.map((column) => filter[column]),
  };
}
