import { findPage, ROW_BYTES, type RowFinder, type RowPlace } from '../../../hashserv/find-rows.ts';
import type { HashStore, RowSearch, RowValues, SearchLimits } from '../../../hashserv/store.ts';
import { TABLE_NAMES } from '../../../hashserv/store-rules.ts';
import { ROW_COLUMNS } from '../../../hashserv/where.ts';
import type { Read } from '../transfer/tables.ts';

/** Without reading the text of a long column. */
const bytesOf = (search: RowSearch, { brief }: SearchLimits) =>
  search.table === 'outhashes' && !brief ? `coalesce(octet_length(t.outhash_siginfo), 0) + ${ROW_BYTES}` : ROW_BYTES;

/** Of unihashes by unihash_lookup_v1, which ends with the id; of tasks by the unique index, which for reports ends with the outhash. */
const placeOf = ({ table, by }: RowSearch) => (table === 'outhashes' && by === 'task' ? 't.outhash' : 't.id');

/** A page of the rows that are looked for, read in whatever way. */
export function rowFinding(read: Read): HashStore['findRows'] {
  const finder = createRowFinder(read);
  return (search, after, limits) => findPage(finder, search, after, limits);
}

function createRowFinder(read: Read): RowFinder {
  return {
    ofFirst(search, after, limits) {
      const [key] = search.keys;
      const [condition, params] =
        typeof key === 'string' ? ['t.unihash = ?', [key]] : ['t.method = ? AND t.taskhash = ?', key!];
      const place = placeOf(search);
      const behind = place === 't.id' ? Number(after) : after;
      return read<RowPlace>(
        `SELECT 0 AS key, ${place} AS at, t.id, ${bytesOf(search, limits)} AS bytes FROM ${TABLE_NAMES[search.table]} t
          WHERE ${condition} AND ${place} > ? ORDER BY ${place} LIMIT ?`,
        [...params, behind, limits.rows],
      );
    },

    ofOthers(search, from, limits) {
      const condition =
        search.by === 'unihash' ? 't.unihash = q.value' : 't.method = q.value->>0 AND t.taskhash = q.value->>1';
      return read<RowPlace>(
        `SELECT q.key + ? AS key, ${placeOf(search)} AS at, t.id, ${bytesOf(search, limits)} AS bytes
          FROM json_each(?) q CROSS JOIN ${TABLE_NAMES[search.table]} t ON ${condition}
          ORDER BY q.key, ${placeOf(search)} LIMIT ?`,
        [from, JSON.stringify(search.keys.slice(from)), limits.rows],
      );
    },

    async amongReports(recipes, after, look, limits) {
      const [all] = await read<{ n: number; end: number | null }>(
        'SELECT count(*) AS n, max(id) AS end FROM (SELECT id FROM outhashes_v2 WHERE id > ? ORDER BY id LIMIT ?)',
        [after, look],
      );
      const { n, end } = all!;
      if (end === null) return { found: [], end: null };
      const search = { table: 'outhashes', by: 'PN', keys: recipes } as const;
      const found = await read<RowPlace>(
        `SELECT 0 AS key, t.id AS at, t.id, ${bytesOf(search, limits)} AS bytes FROM outhashes_v2 t
          WHERE t.id > ? AND t.id <= ? AND t."PN" IN (SELECT value FROM json_each(?)) ORDER BY t.id LIMIT ?`,
        [after, end, JSON.stringify(recipes), limits.rows],
      );
      return { found, end: n < look ? null : end };
    },

    async read({ table }, ids, brief) {
      const columns = ROW_COLUMNS[table];
      const fields = columns.map((column) =>
        brief && column === 'outhash_siginfo' ? `NULL AS ${column}` : `"${column}"`,
      );
      const rows = await read<{ id: number } & { [column: string]: string | null }>(
        `SELECT id, ${fields.join(', ')} FROM ${TABLE_NAMES[table]} WHERE id IN (SELECT value FROM json_each(?))`,
        [JSON.stringify(ids)],
      );
      return new Map(rows.map((row) => [row.id, columns.map((column) => row[column]!) as RowValues]));
    },
  };
}
