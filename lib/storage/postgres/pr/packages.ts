import { isCountable } from '../../../prserv/revision.ts';
import type { ChecksumKey, ChecksumValue, PackageKey, PrRow } from '../../../prserv/store.ts';
import { addRow, type KnownValues, noRows, type PackageRows } from '../../memory/package-rows.ts';
import type { Session, Statement } from '../engine/pool.ts';

/** All rows of a package are read at once if it has no more than this; of a larger one only what is needed. */
export const MAX_LISTED_ROWS = 100;

const ROWS: Statement = {
  name: 'bakeserv-pr-rows',
  text: `SELECT q.i::int - 1 AS i, l.checksum, l.value FROM unnest($1::text[], $2::text[]) WITH ORDINALITY q(v, a, i)
    CROSS JOIN LATERAL (
      SELECT p.checksum, p.value FROM prmain p WHERE p.version = q.v AND p.pkgarch = q.a LIMIT ${MAX_LISTED_ROWS + 1}) l`,
};

const ALL_ROWS: Statement = {
  name: 'bakeserv-pr-all-rows',
  text: `SELECT q.i::int - 1 AS i, p.checksum, p.value FROM unnest($1::text[], $2::text[]) WITH ORDINALITY q(v, a, i)
    JOIN prmain p ON p.version = q.v AND p.pkgarch = q.a`,
};

/** isCountable of revision.ts. */
const COUNTABLE = "p.value ~ '^[0-9]+([.][0-9]+)*$' AND length(p.value) <= 1024";
/** As compareRevisions of revision.ts sorts: arrays compare number by number, and a longer one is the larger. */
const NUMBERS = `CASE WHEN ${COUNTABLE} THEN CAST(string_to_array(p.value, '.') AS numeric[]) END`;

const first = (rows: string, order: 'ASC' | 'DESC') =>
  `(SELECT p.value FROM prmain p WHERE p.version = q.v AND p.pkgarch = q.a ${rows} AND ${COUNTABLE}
      ORDER BY ${NUMBERS} ${order} LIMIT 1)`;

/** The smallest and the largest value of each checksum. */
const VALUES: Statement = {
  name: 'bakeserv-pr-values',
  text: `SELECT ${first('AND p.checksum = q.c', 'ASC')} AS smallest, ${first('AND p.checksum = q.c', 'DESC')} AS largest
    FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY q(v, a, c, i) ORDER BY q.i`,
};

const MAXIMA: Statement = {
  name: 'bakeserv-pr-maxima',
  text: `SELECT ${first('', 'DESC')} AS largest
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY q(v, a, i) ORDER BY q.i`,
};

/** The largest last number among the values one level under a value. */
const LARGEST_UNDER: Statement = {
  name: 'bakeserv-pr-under',
  text: `SELECT (
      SELECT CAST(max(CASE WHEN ${COUNTABLE} THEN CAST(substr(p.value, length(q.u) + 2) AS numeric) END) AS text) FROM prmain p
      WHERE p.version = q.v AND p.pkgarch = q.a AND left(p.value, length(q.u) + 1) = q.u || '.'
        AND ${COUNTABLE} AND substr(p.value, length(q.u) + 2) ~ '^[0-9]+$') AS last
    FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY q(v, a, u, i) ORDER BY q.i`,
};

/** What reads need of a pool or of a transaction. */
export type Reader = Pick<Session, 'all'>;

export function valuesOf(reader: Reader, keys: readonly ChecksumKey[]): Promise<(KnownValues | { smallest: null })[]> {
  return reader.all(VALUES, [
    keys.map((key) => key.version),
    keys.map((key) => key.pkgarch),
    keys.map((key) => key.checksum),
  ]);
}

export async function maximaOf(reader: Reader, keys: readonly PackageKey[]): Promise<(string | null)[]> {
  const rows = await reader.all<{ largest: string | null }>(MAXIMA, [
    keys.map((key) => key.version),
    keys.map((key) => key.pkgarch),
  ]);
  return rows.map((row) => row.largest);
}

export async function largestUnderOf(
  reader: Reader,
  keys: readonly (PackageKey & { readonly prefix: string })[],
): Promise<(bigint | null)[]> {
  const rows = await reader.all<{ last: string | null }>(LARGEST_UNDER, [
    keys.map((key) => key.version),
    keys.map((key) => key.pkgarch),
    keys.map((key) => key.prefix),
  ]);
  return rows.map(({ last }) => (last === null ? null : BigInt(last)));
}

/** All rows of packages. */
export async function rowsOfPackages(reader: Reader, keys: readonly PackageKey[]): Promise<ChecksumValue[][]> {
  const listed: ChecksumValue[][] = keys.map(() => []);
  const columns = [keys.map((key) => key.version), keys.map((key) => key.pkgarch)];
  for (const { i, checksum, value } of await reader.all<ChecksumValue & { i: number }>(ALL_ROWS, columns))
    if (isCountable(value)) listed[i]!.push({ checksum, value });
  return listed;
}

/**
 * The rows of packages, or of a large one its largest value.
 * @param bad told of rows whose value cannot be counted on from
 */
export async function readPackages(
  reader: Reader,
  keys: readonly PackageKey[],
  bad: (row: PrRow) => void,
): Promise<PackageRows[]> {
  const listed: { checksum: string; value: string }[][] = keys.map(() => []);
  const columns = [keys.map((key) => key.version), keys.map((key) => key.pkgarch)];
  for (const { i, checksum, value } of await reader.all<{ i: number; checksum: string; value: string }>(ROWS, columns))
    listed[i]!.push({ checksum, value });
  const large = keys.filter((_, i) => listed[i]!.length > MAX_LISTED_ROWS);
  const maxima = new Map((await maximaOf(reader, large)).map((max, i) => [large[i]!, max]));
  return keys.map((key, i) => {
    if (maxima.has(key)) return { ...noRows(false), max: maxima.get(key)! };
    const rows = noRows();
    for (const { checksum, value } of listed[i]!) {
      if (isCountable(value)) addRow(rows, checksum, value);
      else bad({ ...key, checksum, value });
    }
    return rows;
  });
}
