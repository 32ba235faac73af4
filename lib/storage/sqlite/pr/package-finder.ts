import type { PackageCount, PrStore } from '../../../prserv/store.ts';
import type { Database } from '../engine/database.ts';

/** From one version to the next, by the primary key. */
const VERSIONS = `
WITH RECURSIVE found(version) AS (
  SELECT min(version) FROM PRMAIN WHERE version > ?1
  UNION ALL
  SELECT (SELECT min(p.version) FROM PRMAIN p WHERE p.version > found.version) FROM found WHERE typeof(found.version) = 'text'
  LIMIT ?2),
texts AS (SELECT version FROM found WHERE typeof(version) = 'text')
SELECT (SELECT max(version) FROM texts) AS last, (SELECT count(*) FROM texts) AS n,
  (SELECT json_group_array(version) FROM texts WHERE instr(version, ?3) > 0) AS list`;

const PACKAGES = `
SELECT p.version, p.pkgarch, count(*) AS "values" FROM json_each(?) q CROSS JOIN PRMAIN p ON p.version = q.value
  WHERE typeof(p.pkgarch) = 'text' GROUP BY q.key, p.version, p.pkgarch ORDER BY q.key, p.pkgarch LIMIT ?`;

/** Looks for packages on the maintenance connection. */
export function createPackageFinder(database: Database): Pick<PrStore, 'versions' | 'packagesOf'> {
  return {
    async versions(text, after, look) {
      const [row] = await database.read<{ last: string | null; n: number; list: string }>(
        database.maintenance,
        VERSIONS,
        [after ?? '', look, text],
      );
      const { last, n, list } = row!;
      return { found: JSON.parse(list) as string[], last: n < look ? null : last };
    },
    packagesOf: (versions, limit) =>
      database.read<PackageCount>(database.maintenance, PACKAGES, [JSON.stringify(versions), limit]),
  };
}
