import type { PrStore } from '../../../prserv/store.ts';
import type { Binding } from '../engine/binding.ts';
import type { Database } from '../engine/database.ts';
import { encodeRows } from './insert.ts';

/**
 * The newest row at some moment of each day, by its key: what has a larger rowid now was stored later, as a rowid is never given
 * out below one that is there. Not by its rowid, as that may be another one after a VACUUM, in the same order. A row of nulls:
 * there was none. BitBake's server does not look at this table.
 */
export const MOMENTS_TABLE = `CREATE TABLE IF NOT EXISTS bakeserv_pr_moments (
  day TEXT PRIMARY KEY, moment TEXT NOT NULL, version TEXT, pkgarch TEXT, checksum TEXT, value TEXT)`;

export const HAS_MOMENTS = "SELECT 1 AS there FROM sqlite_master WHERE type = 'table' AND name = 'bakeserv_pr_moments'";
const NOTED = 'SELECT 1 AS there FROM bakeserv_pr_moments WHERE day = ?';
const NOTE = `INSERT INTO bakeserv_pr_moments (day, moment, version, pkgarch, checksum, value)
  SELECT ?, ?, p.version, p.pkgarch, p.checksum, p.value
  FROM (SELECT 1) LEFT JOIN (SELECT * FROM PRMAIN ORDER BY rowid DESC LIMIT 1) p ON true WHERE true
  ON CONFLICT (day) DO NOTHING`;
/** A little more than a year. */
const KEPT_DAYS = 400;
const FORGET = `DELETE FROM bakeserv_pr_moments WHERE day NOT IN (
  SELECT day FROM bakeserv_pr_moments ORDER BY day DESC LIMIT ${KEPT_DAYS})`;

/** Moments whose row is still there, with its place. */
const MOMENTS = `SELECT m.moment AS since, coalesce(p.rowid, 0) AS place
  FROM bakeserv_pr_moments m LEFT JOIN PRMAIN p
    ON p.version = m.version AND p.pkgarch = m.pkgarch AND p.checksum = m.checksum AND p.value = m.value
  WHERE m.version IS NULL OR p.rowid IS NOT NULL`;
/** The last one before, otherwise the first one after. */
export const NEAREST_MOMENT = `${MOMENTS} ORDER BY m.moment > ?, CASE WHEN m.moment > ? THEN m.moment END, m.moment DESC LIMIT 1`;

/** Notes a moment, unless one of its day is noted. */
export function createNoteMoment(database: Database): PrStore['noteMoment'] {
  return async (moment) => {
    const day = moment.slice(0, 10);
    const { maintenance } = database;
    const there = (await database.read(maintenance, HAS_MOMENTS)).length > 0;
    if (there && (await database.read(maintenance, NOTED, [day])).length > 0) return;
    await database.writer!.slice(async (connection: Binding) => {
      await connection.run(MOMENTS_TABLE);
      await connection.run(NOTE, [day, moment]);
      await connection.run(FORGET);
    });
  };
}

const LAST_FIRST = `${MOMENTS} ORDER BY m.moment DESC`;
/** As one text: an object for each row takes longer than reading it. */
const PLACES = `SELECT json_group_array(json_array(q.key, p.rowid)) AS list FROM json_each(?) q
  CROSS JOIN PRMAIN p ON p.version = q.value->>0 AND p.pkgarch = q.value->>1
    AND p.checksum = q.value->>2 AND p.value = q.value->>3`;
const ROWS_A_STATEMENT = 1000;

/** A row was stored after each moment whose row has a smaller rowid. */
export function createStoredAfter(database: Database): PrStore['storedAfter'] {
  const { maintenance } = database;
  return async (rows) => {
    const after: (string | null)[] = rows.map(() => null);
    if ((await database.read(maintenance, HAS_MOMENTS)).length === 0) return after;
    const moments = await database.read<{ since: string; place: number }>(maintenance, LAST_FIRST);
    if (moments.length === 0) return after;
    for (let at = 0; at < rows.length; at += ROWS_A_STATEMENT) {
      const some = encodeRows(rows.slice(at, at + ROWS_A_STATEMENT));
      const [found] = await database.read<{ list: string }>(maintenance, PLACES, [some]);
      for (const [i, place] of JSON.parse(found!.list) as [number, number][])
        after[at + i] = moments.find((moment) => moment.place < place)?.since ?? null;
    }
    return after;
  };
}
