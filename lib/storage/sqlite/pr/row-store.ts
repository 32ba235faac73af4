import { isCountable } from '../../../prserv/revision.ts';
import type { ChecksumValue, PackageKey, PrStore, RowFilter } from '../../../prserv/store.ts';
import type { Binding, Param } from '../engine/binding.ts';
import type { Database } from '../engine/database.ts';

type RowMethods = Pick<PrStore, 'importAll' | 'packageRows' | 'publish' | 'countRows' | 'countAll' | 'removeRows'>;

const COLUMNS = ['version', 'pkgarch', 'checksum', 'value'] as const;

/** A text for each package, `[checksum, value]` of its rows. */
const ROWS_OF_PACKAGES = `
SELECT (
  SELECT json_group_array(json_array(p.checksum, p.value)) FROM PRMAIN p
  WHERE p.version = q.value->>0 AND p.pkgarch = q.value->>1 AND typeof(p.checksum) = 'text' AND typeof(p.value) = 'text') AS list
FROM json_each(?) q`;

/** What a row of a publication takes in the log: it comes after its neighbours, so that pages fill up. */
const PUBLISHED_ROW_BYTES = 1024;

/**
 * Adding, counting and removing rows, for an administrator.
 * @param insertSql takes a JSON list of rows
 * @param forget what was read about packages before is no longer valid: called in the transaction, so that nothing is
 *   decided from that, and when it has ended, as others may have read meanwhile
 */
export function createPrRowStore(database: Database, insertSql: string, forget: () => void): RowMethods {
  async function slice<T>(job: (connection: Binding) => Promise<T>, bytes = 0): Promise<T> {
    try {
      return await database.writer!.slice((connection) => {
        forget();
        return job(connection);
      }, bytes);
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

    packageRows: async (keys) =>
      readLists(await database.read<List>(database.maintenance, ROWS_OF_PACKAGES, [encodeKeys(keys)])),

    publish: ({ rows, groups, decide }) =>
      slice(async (connection) => {
        let stored = 0;
        for await (const group of groups()) {
          const found = readLists(await connection.all<List>(ROWS_OF_PACKAGES, [encodeKeys(group)]));
          const wanted = group.flatMap((one, i) =>
            decide(one, found[i]!).map(({ checksum, value }) => [one.version, one.pkgarch, checksum, value]),
          );
          if (wanted.length > 0) stored += await connection.run(insertSql, [JSON.stringify(wanted)]);
        }
        return stored;
      }, rows * PUBLISHED_ROW_BYTES),

    async countRows(filter) {
      const { where, params } = conditionOf(filter);
      const sql = `SELECT count(*) AS n FROM PRMAIN ${where}`;
      return (await database.read<{ n: number }>(database.maintenance, sql, params))[0]!.n;
    },

    countAll: async () =>
      (await database.read<{ n: number }>(database.maintenance, 'SELECT count(*) AS n FROM PRMAIN'))[0]!.n,

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

interface List {
  readonly list: string;
}

const encodeKeys = (keys: readonly PackageKey[]) =>
  JSON.stringify(keys.map(({ version, pkgarch }) => [version, pkgarch]));

function readLists(lists: readonly List[]): ChecksumValue[][] {
  return lists.map(({ list }) =>
    (JSON.parse(list) as [string, string][])
      .filter(([, value]) => isCountable(value))
      .map(([checksum, value]) => ({ checksum, value })),
  );
}
