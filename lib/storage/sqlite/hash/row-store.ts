import { findTasks } from '../../../hashserv/find-tasks.ts';
import type { HashStore, RowValues } from '../../../hashserv/store.ts';
import { distinctKeys, type KeyCount, TABLE_NAMES, UNIQUE_COLUMNS } from '../../../hashserv/store-rules.ts';
import { MARKED_COLUMNS, ROW_COLUMNS, type Table } from '../../../hashserv/where.ts';
import type { Database } from '../engine/database.ts';
import { compareRows, insertRows, type Read } from '../transfer/tables.ts';
import { nextRows, readTexts } from '../transfer/text-rows.ts';
import { COUNT_KEYS, toSql } from './gc-store.ts';
import { NAME, TIME } from './insight-tasks.ts';
import type { KnownRows } from './known-rows.ts';
import { rowFinding } from './row-finder.ts';
import { NEW_MARK } from './schema.ts';
import { createTaskFinder } from './task-finder.ts';

type RowMethods = Pick<
  HashStore,
  'countRows' | 'countKeys' | 'exportRows' | 'exportTasks' | 'findRows' | 'findTasks' | 'importRows' | 'compareRows'
>;

const quoted = (columns: readonly string[]) => columns.map((column) => `"${column}"`).join(', ');

function importSql(table: Table): string {
  const values = ROW_COLUMNS[table].map((_, i) => `q.value->>${i}`).join(', ');
  const marked = table === 'unihashes' ? { column: ', gc_mark', value: `, ${NEW_MARK}` } : { column: '', value: '' };
  return `INSERT INTO ${TABLE_NAMES[table]} (${quoted(ROW_COLUMNS[table])}${marked.column}) SELECT ${values}${marked.value}
    FROM json_each(?) q WHERE true ON CONFLICT (${UNIQUE_COLUMNS[table].join()}) DO NOTHING`;
}

/** Relies on the UNIQUE index of outhashes; both tables are read about in the order in which they lie. */
const TASKS = `
SELECT json_group_array(json_array(${NAME('u.unihash')}, ${TIME('r.created')}, ${['PN', 'PV', 'PR', 'task'].map((column) => NAME(`r.${column}`)).join()})) AS rows,
  count(*) AS looked, max(u.id) AS last
FROM (SELECT id, method, taskhash, unihash FROM unihashes_v3 NOT INDEXED WHERE id > ? ORDER BY id LIMIT ?) u
LEFT JOIN outhashes_v2 r ON r.id = (SELECT min(p.id) FROM outhashes_v2 p WHERE p.method = u.method AND p.taskhash = u.taskhash)`;

/** Counting, exporting and importing rows, for an administrator. Reads run on the maintenance connection. */
export function createRowStore(database: Database, known: KnownRows): RowMethods {
  const { maintenance } = database;
  const read: Read = (sql, params) => database.read(maintenance, sql, params);
  const tasks = createTaskFinder(read);
  return {
    async countRows(table, where) {
      const { condition, params } = toSql(where);
      const sql = `SELECT count(*) AS n FROM ${TABLE_NAMES[table]} t WHERE ${condition}`;
      const [row] = await database.read<{ n: number }>(maintenance, sql, params);
      return row!.n;
    },

    async countKeys(wheres) {
      const { keys, countsOf } = distinctKeys(wheres);
      return countsOf(await database.read<KeyCount>(maintenance, COUNT_KEYS, [JSON.stringify(keys)]));
    },

    async exportRows(table, after, limit, maxBytes, marked = false) {
      const columns = (marked ? MARKED_COLUMNS : ROW_COLUMNS)[table];
      const bytes = table === 'outhashes' ? 'coalesce(length(outhash_siginfo), 0) + 1024' : '512';
      const query = { table: TABLE_NAMES[table], columns, bytes, condition: 'true' };
      const found = await nextRows(read, query, after, { rows: limit, bytes: maxBytes });
      if (!found) return { rows: [], next: null };
      const next = found.more ? found.last : null;
      const texts = await readTexts(read, query, after, found);
      if (texts) return { rows: texts, next };
      const rows = await read<Record<string, string | null>>(
        `SELECT ${quoted(columns)} FROM ${TABLE_NAMES[table]} WHERE id > ? AND id <= ? ORDER BY id`,
        [after, found.last],
      );
      return { rows: rows.map((row) => columns.map((column) => row[column]!)), next };
    },

    async exportTasks(after, limit) {
      const [found] = await read<{ rows: string; looked: number; last: number }>(TASKS, [after, limit]);
      const { rows, looked, last } = found!;
      return { rows, next: looked < limit ? null : last };
    },

    findRows: rowFinding(read),
    findTasks: (search, limit, isLate) => findTasks(tasks, search, limit, isLate),

    async importRows(table: Table, rows: readonly RowValues[], marked = false) {
      try {
        return await database.writer!.slice((connection) =>
          marked ? insertRows(connection, table, rows) : connection.run(importSql(table), [JSON.stringify(rows)]),
        );
      } finally {
        // Also one that failed may have been done.
        if (table === 'unihashes') known.stored();
      }
    },

    compareRows: (table, rows) => compareRows(read, table, rows),
  };
}
