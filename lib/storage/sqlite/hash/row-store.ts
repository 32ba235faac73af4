import { findTasks } from '../../../hashserv/find-tasks.ts';
import type { HashStore, RowValues } from '../../../hashserv/store.ts';
import { distinctKeys, type KeyCount, TABLE_NAMES, UNIQUE_COLUMNS } from '../../../hashserv/store-rules.ts';
import { MARKED_COLUMNS, ROW_COLUMNS, type Table } from '../../../hashserv/where.ts';
import type { Database } from '../engine/database.ts';
import { compareRows, insertRows, type Read } from '../transfer/tables.ts';
import { COUNT_KEYS, toSql } from './gc-store.ts';
import type { KnownRows } from './known-rows.ts';
import { rowFinding } from './row-finder.ts';
import { NEW_MARK } from './schema.ts';
import { createTaskFinder } from './task-finder.ts';

type RowMethods = Pick<
  HashStore,
  'countRows' | 'countKeys' | 'exportRows' | 'findRows' | 'findTasks' | 'importRows' | 'compareRows'
>;

const quoted = (columns: readonly string[]) => columns.map((column) => `"${column}"`).join(', ');

function importSql(table: Table): string {
  const values = ROW_COLUMNS[table].map((_, i) => `q.value->>${i}`).join(', ');
  const marked = table === 'unihashes' ? { column: ', gc_mark', value: `, ${NEW_MARK}` } : { column: '', value: '' };
  return `INSERT INTO ${TABLE_NAMES[table]} (${quoted(ROW_COLUMNS[table])}${marked.column}) SELECT ${values}${marked.value}
    FROM json_each(?) q WHERE true ON CONFLICT (${UNIQUE_COLUMNS[table].join()}) DO NOTHING`;
}

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
      const size = table === 'outhashes' ? 'coalesce(length(outhash_siginfo), 0) + 1024' : '512';
      const ids = await database.read<{ id: number; bytes: number }>(
        maintenance,
        `SELECT id, ${size} AS bytes FROM ${TABLE_NAMES[table]} WHERE id > ? ORDER BY id LIMIT ?`,
        [after, limit],
      );
      // At least one, whatever its size.
      let bytes = 0;
      const fitting = ids.filter((row, i) => {
        bytes += row.bytes;
        return i === 0 || bytes <= maxBytes;
      });
      const last = fitting.at(-1);
      if (!last) return { rows: [], next: null };
      const rows = await database.read<Record<string, string | null>>(
        maintenance,
        `SELECT ${quoted(columns)} FROM ${TABLE_NAMES[table]} WHERE id > ? AND id <= ? ORDER BY id`,
        [after, last.id],
      );
      const more = fitting.length < ids.length || ids.length === limit;
      return { rows: rows.map((row) => columns.map((column) => row[column]!)), next: more ? last.id : null };
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
