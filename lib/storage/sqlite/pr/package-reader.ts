import { isCountable } from '../../../prserv/revision.ts';
import type { ChecksumKey, PackageKey, PrRow } from '../../../prserv/store.ts';
import { addRow, type KnownValues, noRows, type PackageRows } from '../../memory/package-rows.ts';
import type { Prefix } from '../../memory/pr-decision.ts';
import type { Binding } from '../engine/binding.ts';
import type { Database } from '../engine/database.ts';
import {
  distinct,
  EXTREMES_OF_CHECKSUMS,
  EXTREMES_OF_PACKAGES,
  LARGEST_UNDER,
  PACKAGE_ROWS,
  PACKAGES_A_STATEMENT,
  readExtremes,
  readSortable,
} from './queries.ts';

/** Reads packages without reading all rows of a large one. Everything is told in the order of the keys. */
export interface PackageReader {
  /** Packages whole; null for one with very many rows. */
  packages(connection: Binding, keys: readonly PackageKey[]): Promise<readonly (PackageRows | null)[]>;
  /** Of packages with very many rows their largest values alone. */
  large(connection: Binding, keys: readonly PackageKey[]): Promise<readonly PackageRows[]>;
  /** The smallest and the largest value of each checksum, or null. */
  values(connection: Binding, keys: readonly ChecksumKey[]): Promise<readonly (KnownValues | null)[]>;
  /** The largest value of each package, or null. */
  maxima(connection: Binding, keys: readonly PackageKey[]): Promise<readonly (string | null)[]>;
  /** The largest last number among the values one level under each, or null. */
  largestUnder(connection: Binding, keys: readonly Prefix[]): Promise<readonly (bigint | null)[]>;
}

/** @param onBadRow told of a row whose value is not countable (revision.ts): it is skipped */
export function createPackageReader(database: Database, onBadRow: (row: Partial<PrRow>) => void): PackageReader {
  /** The result of `query` for each key, with a few keys a statement, so that each statement is short. */
  async function tell<Row>(connection: Binding, query: string, keys: readonly (readonly string[])[]): Promise<Row[]> {
    const rows: Row[] = [];
    for (let at = 0; at < keys.length; at += PACKAGES_A_STATEMENT) {
      const some = JSON.stringify(keys.slice(at, at + PACKAGES_A_STATEMENT));
      for (const row of await database.read<Row>(connection, query, [some])) rows.push(row);
    }
    return rows;
  }

  async function extremes<Key extends PackageKey>(connection: Binding, query: string, keys: readonly Key[]) {
    const { asked, spread } = distinct(keys);
    const told = (await tell<{ list: string }>(connection, query, asked)).map(({ list }) => readExtremes(list));
    for (const [i, { bad }] of told.entries())
      if (bad !== null) onBadRow({ version: asked[i]![0]!, pkgarch: asked[i]![1]!, checksum: bad });
    return spread(told).map(({ known }) => known);
  }

  function toRows(key: PackageKey, listed: readonly [string, string][]): PackageRows {
    const rows = noRows();
    for (const [checksum, value] of listed) {
      if (isCountable(value)) addRow(rows, checksum, value);
      else onBadRow({ ...key, checksum, value });
    }
    return rows;
  }

  return {
    async packages(connection, keys) {
      // A text for each package: a row object for each of its values would be many times larger.
      const asked = keys.map(({ version, pkgarch }) => [version, pkgarch]);
      const told = await tell<{ list: string | null }>(connection, PACKAGE_ROWS, asked);
      return told.map(({ list }, i) => (list === null ? null : toRows(keys[i]!, JSON.parse(list))));
    },
    async large(connection, keys) {
      if (keys.length === 0) return [];
      const found = await extremes(connection, EXTREMES_OF_PACKAGES, keys);
      return found.map((known) => ({ ...noRows(false), max: known?.largest ?? null }));
    },
    values: (connection, keys) => extremes(connection, EXTREMES_OF_CHECKSUMS, keys),
    maxima: async (connection, keys) =>
      (await extremes(connection, EXTREMES_OF_PACKAGES, keys)).map((known) => known?.largest ?? null),
    async largestUnder(connection, keys) {
      const asked = keys.map(({ version, pkgarch, prefix }) => [version, pkgarch, prefix]);
      const told = await tell<{ sortable: string | null }>(connection, LARGEST_UNDER, asked);
      return told.map(({ sortable }) => readSortable(sortable));
    },
  };
}
