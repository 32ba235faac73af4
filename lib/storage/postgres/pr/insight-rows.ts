import type { NewerThan, PackageValues, PrInsightRows, PrPlace } from '../../../prserv/insight-rows.ts';
import type { PostgresDatabase } from '../engine/database.ts';
import type { Statement } from '../engine/pool.ts';
import { HAS_TIMES } from './moments.ts';

const plain = (text: string): Statement => ({ name: '', text });

/** In the order of the primary key, whatever the language of the database: only this engine compares these. */
const KEY = 'version, pkgarch, checksum, value';
const behind = (first: number) => `(${KEY}) > ($${first}, $${first + 1}, $${first + 2}, $${first + 3})`;
const LAST_OF_SLICE = (where: string) =>
  plain(`SELECT ${KEY} FROM prmain ${where} ORDER BY ${KEY} LIMIT 1 OFFSET $1::int`);
const VALUES = (where: string, isNewer: string) =>
  plain(`
SELECT version, pkgarch, (count(*) FILTER (WHERE ${isNewer}))::int AS newer,
  json_agg(CASE WHEN length(value) <= 1024 THEN value END) AS values
FROM prmain ${where} GROUP BY version, pkgarch ORDER BY version, pkgarch`);

const TEXT = (time: string) => `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
/** Of rows without a time it is only known that they are older than those with one. */
const NEAREST = plain(`
SELECT CASE WHEN bool_or(stored IS NULL) AND min(stored) IS NULL THEN NULL
  WHEN bool_or(stored IS NULL) AND min(stored) > $1::timestamptz THEN ${TEXT('min(stored)')}
  ELSE ${TEXT('$1::timestamptz')} END AS since FROM prmain`);
/** As the last VACUUM or ANALYZE left it; -1 before the first. */
const ESTIMATE = plain("SELECT reltuples::float8 AS rows FROM pg_class WHERE oid = 'prmain'::regclass");

/** What insights read of a database, on a connection of its own. What runs ends by itself: a slice takes no time worth speaking of. */
export async function openInsightRows(database: PostgresDatabase): Promise<PrInsightRows> {
  const reader = database.openReader();
  try {
    const [known] = await reader.read<{ rows: number }>(ESTIMATE);
    return {
      estimate: Math.max(0, known!.rows),
      async valuesPage(after, rows, newer) {
        const from = after ? keyOf(after) : [];
        const [last] = await reader.read<PrPlace>(LAST_OF_SLICE(after ? `WHERE ${behind(2)}` : ''), [
          rows - 1,
          ...from,
        ]);
        const params: unknown[] = [];
        const conditions: string[] = [];
        if (after) conditions.push(behind(params.push(...from) - 3));
        if (last) conditions.push(behind(params.push(...keyOf(last)) - 3).replace('>', '<='));
        const isNewer = newer === null ? 'false' : `stored >= $${params.push(newer.place)}::timestamptz`;
        const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
        return { packages: await reader.read<PackageValues>(VALUES(where, isNewer), params), next: last ?? null };
      },
      async newerThan(moment): Promise<NewerThan | null> {
        if ((await reader.read(HAS_TIMES)).length === 0) return null;
        const [nearest] = await reader.read<{ since: string | null }>(NEAREST, [moment]);
        const since = nearest?.since ?? null;
        return since === null ? null : { since, place: since };
      },
      close: () => reader.close(),
    };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

const keyOf = ({ version, pkgarch, checksum, value }: PrPlace) => [version, pkgarch, checksum, value];
