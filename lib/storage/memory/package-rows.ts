import { largest, smallest } from '../../prserv/revision.ts';
import type { PackageKey } from '../../prserv/store.ts';

/** The values of a checksum. */
export interface KnownValues {
  readonly smallest: string;
  readonly largest: string;
}

/** What is in memory about a package's rows. */
export interface PackageRows {
  max: string | null;
  /** True if every checksum and prefix is here; for a package with very many rows only those that were asked for are. */
  readonly complete: boolean;
  /** A single value, as nearly always, is stored as itself to save memory. Null: it has none. */
  readonly checksums: Map<string, string | KnownValues | null>;
  /** Of the dotted values: the part before the last number → the largest last number. Null: there is none. */
  readonly under: Map<string, bigint | null>;
  /** Approximate memory this takes. */
  bytes: number;
}

/** What an object, a Map and a Map entry cost on top of their texts. */
const PACKAGE_BYTES = 800;
const ENTRY_BYTES = 160;
/** One character beyond Latin-1 makes every character of the text take two bytes. */
export const CHARACTER_BYTES = 2;

export function noRows(complete = true): PackageRows {
  return { max: null, complete, checksums: new Map(), under: new Map(), bytes: PACKAGE_BYTES };
}

/** Texts contain no NUL (requests with one are refused), so the pair is unambiguous. */
export function packageKey({ version, pkgarch }: PackageKey): string {
  return `${version}\0${pkgarch}`;
}

/** The values of a checksum; null if it has none, undefined if they must be read first. */
export function knownValues(rows: PackageRows, checksum: string): KnownValues | null | undefined {
  const known = rows.checksums.get(checksum);
  if (known === undefined) return rows.complete ? null : undefined;
  return typeof known === 'string' ? { smallest: known, largest: known } : known;
}

/** The largest last number of the values one level under a value; null and undefined as for a checksum. */
export function largestUnder(rows: PackageRows, prefix: string): bigint | null | undefined {
  const last = rows.under.get(prefix);
  return last === undefined && rows.complete ? null : last;
}

/** Notes what a checksum's values are. */
export function learnValues(rows: PackageRows, checksum: string, known: KnownValues | null): void {
  if (!rows.checksums.has(checksum)) rows.bytes += ENTRY_BYTES + CHARACTER_BYTES * checksum.length;
  if (known) rows.bytes += CHARACTER_BYTES * (known.smallest.length + known.largest.length);
  rows.checksums.set(checksum, known && known.smallest === known.largest ? known.largest : known);
}

/** Notes what the largest last number under a value is. */
export function learnUnder(rows: PackageRows, prefix: string, last: bigint | null): void {
  if (!rows.under.has(prefix)) rows.bytes += ENTRY_BYTES + CHARACTER_BYTES * prefix.length;
  rows.under.set(prefix, last);
}

export function copyOf(rows: PackageRows): PackageRows {
  return { ...rows, checksums: new Map(rows.checksums), under: new Map(rows.under) };
}

/** Adds a row to a package. What must be read first still must be. */
export function addRow(rows: PackageRows, checksum: string, value: string): void {
  rows.max = largest(rows.max, value);
  const dot = value.lastIndexOf('.');
  if (dot > 0) {
    const prefix = value.slice(0, dot);
    const last = BigInt(value.slice(dot + 1));
    const before = largestUnder(rows, prefix);
    if (before !== undefined && (before === null || last > before)) learnUnder(rows, prefix, last);
  }
  const known = knownValues(rows, checksum);
  if (known === undefined) return;
  learnValues(rows, checksum, {
    smallest: smallest(known?.smallest ?? null, value),
    largest: largest(known?.largest ?? null, value),
  });
}
