import { largest, smallest } from '../../../prserv/revision.ts';
import type { ChecksumKey, PackageKey } from '../../../prserv/store.ts';
import type { KnownValues } from '../../memory/package-rows.ts';

/**
 * Queries that condense the values of many rows, so that they need not be read: a package may have hundreds of thousands.
 * All of it relies on the primary key (version, pkgarch, checksum, value).
 */

/** All rows of a package are read at once if it has no more than this. */
export const MAX_LISTED_ROWS = 100;
/** Packages in one statement: this limits what it reads, and how long others wait for it. */
export const PACKAGES_A_STATEMENT = 16;

/** A whole number as SQLite writes it, as nearly all values are: up to 18 digits, without leading zeros. */
const WHOLE = 'CAST(CAST(p.value AS INTEGER) AS TEXT) = p.value AND CAST(p.value AS INTEGER) >= 0';

/** isCountable of revision.ts. GLOB and length stop at a NUL, after which a text may go on. */
const COUNTABLE = `typeof(p.value) = 'text' AND length(p.value) BETWEEN 1 AND 1024 AND instr(p.value, char(0)) = 0
  AND p.value NOT GLOB '*[^0-9.]*' AND p.value NOT GLOB '.*' AND p.value NOT GLOB '*.' AND p.value NOT GLOB '*..*'`;

/** A text of digits as one that sorts by its number: the count of digits comes first. Exact at any size. */
const SORTABLE = (digits: string) => `printf('%04d', length(ltrim(${digits}, '0'))) || ltrim(${digits}, '0')`;

/**
 * A dotted value after a text that sorts as compareRevisions of revision.ts does: its numbers one after the other,
 * if one continues the other the longer is the larger. A blank, which sorts before digits, separates it from the value.
 */
const ORDERED = `(SELECT group_concat(${SORTABLE('n.value')}, '') FROM json_each('["' || replace(p.value, '.', '","') || '"]') n)
  || ' ' || p.value`;

/** [smallest, largest] of the whole numbers, then of the others, then the checksum of a skipped row. */
const EXTREMES = (rows: string) => `
SELECT (
  SELECT json_array(CAST(min(whole) AS TEXT), CAST(max(whole) AS TEXT), min(other), max(other), min(bad)) FROM (
    SELECT CASE WHEN ${WHOLE} THEN CAST(p.value AS INTEGER) END AS whole,
      CASE WHEN ${WHOLE} THEN NULL WHEN ${COUNTABLE} THEN ${ORDERED} END AS other,
      CASE WHEN ${WHOLE} OR (${COUNTABLE}) THEN NULL ELSE CAST(p.checksum AS TEXT) END AS bad
    FROM PRMAIN p WHERE p.version = q.value->>0 AND p.pkgarch = q.value->>1 ${rows} LIMIT -1)) AS list
FROM json_each(?) q`;

/** One text for each package, or each checksum, as `[version, pkgarch, checksum?]`: for readExtremes. */
export const EXTREMES_OF_PACKAGES = EXTREMES('');
export const EXTREMES_OF_CHECKSUMS = EXTREMES('AND p.checksum = q.value->>2');

/** The largest last number among the values one level under a value, for each `[version, pkgarch, value]`. */
export const LARGEST_UNDER = `
SELECT (
  SELECT max(${SORTABLE('substr(p.value, length(q.value->>2) + 2)')}) FROM PRMAIN p
  WHERE p.version = q.value->>0 AND p.pkgarch = q.value->>1
    AND substr(p.value, 1, length(q.value->>2) + 1) = q.value->>2 || '.'
    AND substr(p.value, length(q.value->>2) + 2) NOT GLOB '*[^0-9]*' AND ${COUNTABLE}) AS sortable
FROM json_each(?) q`;

/** A text for each package, `[checksum, value]` of its rows; null where there are too many. */
export const PACKAGE_ROWS = `
SELECT CASE WHEN (
  SELECT count(*) FROM (
    SELECT 1 FROM PRMAIN r WHERE r.version = q.value->>0 AND r.pkgarch = q.value->>1
    LIMIT ${MAX_LISTED_ROWS + 1})) <= ${MAX_LISTED_ROWS}
  THEN (
    SELECT json_group_array(json_array(
      CAST(p.checksum AS TEXT), CASE typeof(p.value) WHEN 'blob' THEN NULL ELSE p.value END))
    FROM PRMAIN p WHERE p.version = q.value->>0 AND p.pkgarch = q.value->>1)
  END AS list
FROM json_each(?) q`;

export interface Extremes {
  readonly known: KnownValues | null;
  /** The checksum of a row whose value is not dotted integers. */
  readonly bad: string | null;
}

/** The result of EXTREMES for one key. */
export function readExtremes(list: string): Extremes {
  const [least, most, before, behind, bad] = JSON.parse(list) as (string | null)[];
  const value = (ordered: string | null | undefined) => ordered?.slice(ordered.indexOf(' ') + 1);
  const values = [least, most, value(before), value(behind)].filter((each) => each != null);
  if (values.length === 0) return { known: null, bad: bad ?? null };
  return {
    known: {
      smallest: values.reduce<string | null>(smallest, null)!,
      largest: values.reduce<string | null>(largest, null)!,
    },
    bad: bad ?? null,
  };
}

/** The result of LARGEST_UNDER for one key. */
export function readSortable(sortable: string | null): bigint | null {
  return sortable === null ? null : BigInt(sortable.slice(4) || '0');
}

/** Keys without repetitions, and a function that gives each original key its answer. */
export function distinct<Key extends PackageKey | ChecksumKey>(keys: readonly Key[]) {
  const places = new Map<string, number>();
  const asked: string[][] = [];
  const place = keys.map((key) => {
    const parts = 'checksum' in key ? [key.version, key.pkgarch, key.checksum] : [key.version, key.pkgarch];
    const joined = parts.join('\0');
    const known = places.get(joined);
    if (known !== undefined) return known;
    places.set(joined, asked.length);
    return asked.push(parts) - 1;
  });
  return { asked, spread: <T>(answers: readonly T[]): T[] => place.map((at) => answers[at]!) };
}
