import { largest, smallest } from '../../prserv/revision.ts';
import type { PrRow } from '../../prserv/store.ts';

/** The values of a checksum. */
export interface KnownValues {
  readonly smallest: string;
  readonly largest: string;
}

/** What the rows of a package come to. */
export interface PackageRows {
  max: string | null;
  /** A value alone, as nearly all are, stands for itself: there may be very many. */
  readonly checksums: Map<string, string | KnownValues>;
  /** Of the dotted values: the part before the last number → the largest last number. */
  readonly under: Map<string, bigint>;
}

export function noRows(): PackageRows {
  return { max: null, checksums: new Map(), under: new Map() };
}

/** Texts hold no NUL (it is refused on entry), so the pair is unambiguous. */
export function packageKey(version: string, pkgarch: string): string {
  return `${version}\0${pkgarch}`;
}

/** The values of a checksum, or null when it is unknown. */
export function knownValues(rows: PackageRows, checksum: string): KnownValues | null {
  const known = rows.checksums.get(checksum);
  return typeof known === 'string' ? { smallest: known, largest: known } : (known ?? null);
}

/** Adds a row to what a package's rows come to. */
export function addRow(rows: PackageRows, checksum: string, value: string): void {
  const known = knownValues(rows, checksum);
  rows.max = largest(rows.max, value);
  const dot = value.lastIndexOf('.');
  if (dot > 0) {
    const prefix = value.slice(0, dot);
    const last = BigInt(value.slice(dot + 1));
    if (last > (rows.under.get(prefix) ?? -1n)) rows.under.set(prefix, last);
  }
  rows.checksums.set(
    checksum,
    known ? { smallest: smallest(known.smallest, value), largest: largest(known.largest, value) } : value,
  );
}

/** About 30 MB when full. */
const MAX_CHECKSUMS = 200_000;

/** The packages asked for last, so that get-pr need not read what it wrote. The oldest asked for go first. */
export function createPackageCache() {
  const packages = new Map<string, PackageRows>();
  let checksums = 0;

  return {
    has: (key: string) => packages.has(key),
    get(key: string): PackageRows | undefined {
      const rows = packages.get(key);
      if (rows) {
        packages.delete(key);
        packages.set(key, rows);
      }
      return rows;
    },
    set(key: string, rows: PackageRows): void {
      packages.set(key, rows);
      checksums += rows.checksums.size;
    },
    add(row: PrRow): void {
      const rows = packages.get(packageKey(row.version, row.pkgarch));
      if (!rows) return;
      if (!rows.checksums.has(row.checksum)) checksums++;
      addRow(rows, row.checksum, row.value);
    },
    /** Drops the oldest until the rest fits. Called between batches, never while one relies on what it loaded. */
    trim(): void {
      for (const [key, rows] of packages) {
        if (checksums <= MAX_CHECKSUMS) return;
        checksums -= rows.checksums.size;
        packages.delete(key);
      }
    },
    clear(): void {
      packages.clear();
      checksums = 0;
    },
  };
}
