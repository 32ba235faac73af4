import { findTasks } from '../../../hashserv/find-tasks.ts';
import type { HashStore, RowValues } from '../../../hashserv/store.ts';
import { TABLE_NAMES, UNIQUE_COLUMNS } from '../../../hashserv/store-rules.ts';
import { MARKED_COLUMNS, ROW_COLUMNS, type Table } from '../../../hashserv/where.ts';
import type { ConnectionPool, Statement } from '../engine/pool.ts';
import type { Writer } from '../engine/writer.ts';
import { compareRows, insertRows } from '../transfer/tables.ts';
import { rowFinding } from './finder.ts';
import { LIST, NAME } from './insight-tasks.ts';
import { CREATED_TEXT, CREATED_VALUE, NEW_MARK } from './schema.ts';
import { createTaskFinder } from './task-finder.ts';

type RowMethods = Pick<
  HashStore,
  'exportRows' | 'exportTasks' | 'findRows' | 'findTasks' | 'importRows' | 'compareRows'
>;

/** At a time: other writers wait meanwhile. */
const IMPORT_ROWS = 1000;

function importStatement(table: Table): Statement {
  const columns = ROW_COLUMNS[table];
  const values = columns.map((column, i) => (column === 'created' ? CREATED_VALUE(`q.c${i}`) : `q.c${i}`));
  const marked = table === 'unihashes' ? { column: ', gc_mark', value: `, ${NEW_MARK}` } : { column: '', value: '' };
  return {
    name: `bakeserv-import-${table}`,
    text: `INSERT INTO ${TABLE_NAMES[table]} (${columns.map((column) => `"${column}"`).join(', ')}${marked.column})
      SELECT ${values.join(', ')}${marked.value}
      FROM unnest(${columns.map((_, i) => `$${i + 1}::text[]`).join(', ')}) WITH ORDINALITY q(${columns.map((_, i) => `c${i}`).join(', ')}, i)
      ORDER BY q.i ON CONFLICT (${UNIQUE_COLUMNS[table].join()}) DO NOTHING`,
  };
}

const TASKS: Statement = {
  name: 'bakeserv-export-tasks',
  text: `SELECT ${LIST(`${NAME('u.unihash')}, ${CREATED_TEXT('r.created')}, ${['"PN"', '"PV"', '"PR"', 'task'].map((column) => NAME(`r.${column}`)).join()}`)} AS rows,
  count(*)::int AS looked, max(u.id) AS last
FROM (SELECT id, method, taskhash, unihash FROM unihashes_v3 WHERE id > $1 ORDER BY id LIMIT $2) u
LEFT JOIN outhashes_v2 r ON r.id = (SELECT min(p.id) FROM outhashes_v2 p WHERE p.method = u.method AND p.taskhash = u.taskhash)`,
};

/** Exporting and importing rows, for an administrator. */
export function createRowStore(pool: ConnectionPool, writer: () => Writer): RowMethods {
  const tasks = createTaskFinder(pool);
  return {
    async exportRows(table, after, limit, maxBytes, marked = false) {
      const size = table === 'outhashes' ? 'coalesce(length(outhash_siginfo), 0) + 1024' : '512';
      const ids = await pool.read<{ id: number; bytes: number }>(
        {
          name: `bakeserv-export-ids-${table}`,
          text: `SELECT id, ${size} AS bytes FROM ${TABLE_NAMES[table]} WHERE id > $1 ORDER BY id LIMIT $2`,
        },
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
      const columns = (marked ? MARKED_COLUMNS : ROW_COLUMNS)[table];
      const fields = columns.map((column) =>
        column === 'created' ? `${CREATED_TEXT('created')} AS created` : `"${column}"`,
      );
      const rows = await pool.read<Record<string, string | null>>(
        {
          name: `bakeserv-export-${table}${marked ? '-marked' : ''}`,
          text: `SELECT ${fields.join(', ')} FROM ${TABLE_NAMES[table]} WHERE id > $1 AND id <= $2 ORDER BY id`,
        },
        [after, last.id],
      );
      const more = fitting.length < ids.length || ids.length === limit;
      return { rows: rows.map((row) => columns.map((column) => row[column]!)), next: more ? last.id : null };
    },

    async exportTasks(after, limit) {
      const [found] = await pool.read<{ rows: string; looked: number; last: number }>(TASKS, [after, limit]);
      const { rows, looked, last } = found!;
      return { rows, next: looked < limit ? null : last };
    },

    findRows: rowFinding(pool),
    findTasks: (search, limit, isLate) => findTasks(tasks, search, limit, isLate),

    importRows: (table: Table, rows: readonly RowValues[], marked = false) =>
      writer().slice(async (session) => {
        let stored = 0;
        for (let at = 0; at < rows.length; at += IMPORT_ROWS) {
          const part = rows.slice(at, at + IMPORT_ROWS);
          if (marked) stored += await insertRows(session, table, part);
          else {
            const arrays = ROW_COLUMNS[table].map((_, i) => part.map((row) => row[i]));
            stored += await session.run(importStatement(table), arrays);
          }
        }
        return stored;
      }),

    compareRows: (table, rows) => compareRows(pool, table, rows),
  };
}
