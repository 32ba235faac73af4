import { findPage, ROW_BYTES, type RowFinder, type RowPlace } from '../../../hashserv/find-rows.ts';
import type { HashStore, RowSearch, RowValues, SearchLimits } from '../../../hashserv/store.ts';
import { TABLE_NAMES } from '../../../hashserv/store-rules.ts';
import { ROW_COLUMNS } from '../../../hashserv/where.ts';
import type { ConnectionPool } from '../engine/pool.ts';
import { CREATED_TEXT } from './schema.ts';

const isLong = ({ table }: RowSearch, { brief }: SearchLimits) => table === 'outhashes' && !brief;
const bytesOf = (search: RowSearch, limits: SearchLimits) =>
  isLong(search, limits) ? `coalesce(octet_length(t.outhash_siginfo), 0) + ${ROW_BYTES}` : `${ROW_BYTES}`;
const placeOf = ({ table, by }: RowSearch) => (table === 'outhashes' && by === 'task' ? 't.outhash' : 't.id');
const nameOf = (what: string, { table, by }: RowSearch, brief: boolean) =>
  `bakeserv-find-${what}-${table}-${by}${brief ? '-brief' : ''}`;

/** A page of the rows that are looked for. */
export function rowFinding(pool: ConnectionPool): HashStore['findRows'] {
  const finder = createRowFinder(pool);
  return (search, after, limits) => findPage(finder, search, after, limits);
}

function createRowFinder(pool: ConnectionPool): RowFinder {
  return {
    ofFirst(search, after, limits) {
      const [key] = search.keys;
      const keys = typeof key === 'string' ? [key] : [...key!];
      const condition = search.by === 'unihash' ? 't.unihash = $1' : 't.method = $1 AND t.taskhash = $2';
      const place = placeOf(search);
      return pool.read<RowPlace>(
        {
          name: nameOf('first', search, limits.brief),
          text: `SELECT 0 AS key, ${place} AS at, t.id, ${bytesOf(search, limits)} AS bytes FROM ${TABLE_NAMES[search.table]} t
            WHERE ${condition} AND ${place} > $${keys.length + 1}${place === 't.id' ? '::bigint' : ''} ORDER BY ${place} LIMIT $${keys.length + 2}`,
        },
        [...keys, place === 't.id' ? Number(after) : after, limits.rows],
      );
    },

    ofOthers(search, from, limits) {
      const keys = search.keys.slice(from);
      const arrays =
        search.by === 'task'
          ? [0, 1].map((i) => (keys as readonly (readonly string[])[]).map((key) => key[i]!))
          : [keys as readonly string[]];
      const condition = search.by === 'task' ? 't.method = q.c0 AND t.taskhash = q.c1' : 't.unihash = q.c0';
      const given = arrays.map((_, i) => `$${i + 1}::text[]`).join(', ');
      return pool.read<RowPlace>(
        {
          name: nameOf('others', search, limits.brief),
          text: `SELECT (q.i - 1)::int + $${arrays.length + 1}::int AS key, ${placeOf(search)} AS at, t.id, ${bytesOf(search, limits)} AS bytes
            FROM unnest(${given}) WITH ORDINALITY q(${arrays.map((_, i) => `c${i}`).join(', ')}, i)
            JOIN ${TABLE_NAMES[search.table]} t ON ${condition} ORDER BY q.i, ${placeOf(search)} LIMIT $${arrays.length + 2}`,
        },
        [...arrays, from, limits.rows],
      );
    },

    async amongReports(recipes, after, look, limits) {
      const [all] = await pool.read<{ n: string; end: number | null }>(
        {
          name: 'bakeserv-find-end',
          text: 'SELECT count(*) AS n, max(s.id) AS end FROM (SELECT id FROM outhashes_v2 WHERE id > $1::bigint ORDER BY id LIMIT $2) s',
        },
        [after, look],
      );
      const { n, end } = all!;
      if (end === null) return { found: [], end: null };
      const search = { table: 'outhashes', by: 'PN', keys: recipes } as const;
      const found = await pool.read<RowPlace>(
        {
          name: nameOf('among', search, limits.brief),
          text: `SELECT 0 AS key, t.id AS at, t.id, ${bytesOf(search, limits)} AS bytes FROM outhashes_v2 t
            WHERE t.id > $1::bigint AND t.id <= $2::bigint AND t."PN" = ANY($3::text[]) ORDER BY t.id LIMIT $4`,
        },
        [after, end, recipes, limits.rows],
      );
      return { found, end: Number(n) < look ? null : end };
    },

    async read({ table }, ids, brief) {
      const columns = ROW_COLUMNS[table];
      const fields = columns.map((column) => {
        if (brief && column === 'outhash_siginfo') return `NULL AS ${column}`;
        return column === 'created' ? `${CREATED_TEXT(column)} AS ${column}` : `"${column}"`;
      });
      const rows = await pool.read<{ id: number } & { [column: string]: string | null }>(
        {
          name: `bakeserv-find-rows-${table}${brief ? '-brief' : ''}`,
          text: `SELECT id, ${fields.join(', ')} FROM ${TABLE_NAMES[table]} WHERE id = ANY($1::int[])`,
        },
        [ids],
      );
      return new Map(rows.map((row) => [row.id, columns.map((column) => row[column]!) as RowValues]));
    },
  };
}
