import type { PackageCount, PrStore } from '../../../prserv/store.ts';
import type { ConnectionPool } from '../engine/pool.ts';

/** From one version to the next, by the primary key, in its order. */
const VERSIONS = {
  name: 'bakeserv-pr-versions',
  text: `WITH RECURSIVE found(version) AS (
    SELECT min(p.version) FROM prmain p WHERE p.version > $1::text
    UNION ALL
    SELECT (SELECT min(p.version) FROM prmain p WHERE p.version > found.version) FROM found WHERE found.version IS NOT NULL),
  texts AS (SELECT f.version FROM (SELECT version FROM found LIMIT $2) f WHERE f.version IS NOT NULL)
  SELECT (SELECT max(version) FROM texts) AS last, (SELECT count(*)::int FROM texts) AS n,
    (SELECT coalesce(json_agg(version), '[]') FROM texts WHERE strpos(version, $3::text) > 0) AS list`,
};

const PACKAGES = {
  name: 'bakeserv-pr-packages-of',
  text: `SELECT p.version, p.pkgarch, count(*)::int AS "values"
    FROM unnest($1::text[]) WITH ORDINALITY q(v, i) JOIN prmain p ON p.version = q.v
    GROUP BY q.i, p.version, p.pkgarch ORDER BY q.i, p.pkgarch COLLATE "C" LIMIT $2`,
};

/** Looks for packages, as on SQLite. */
export function createPackageFinder(pool: ConnectionPool): Pick<PrStore, 'versions' | 'packagesOf'> {
  return {
    async versions(text, after, look) {
      const [row] = await pool.read<{ last: string | null; n: number; list: string[] }>(VERSIONS, [
        after ?? '',
        look,
        text,
      ]);
      const { last, n, list } = row!;
      return { found: list, last: n < look ? null : last };
    },
    packagesOf: (versions, limit) => pool.read<PackageCount>(PACKAGES, [versions, limit]),
  };
}
