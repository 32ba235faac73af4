import type { ChecksumKey, PackageKey, PrStore } from '../../../prserv/store.ts';
import { createBatcher } from '../../memory/batcher.ts';
import type { KnownPackages, Reading } from '../../memory/known-packages.ts';
import { type KnownValues, knownValues, learnValues, type PackageRows, packageKey } from '../../memory/package-rows.ts';
import type { Database } from '../engine/database.ts';
import type { PackageReader } from './package-reader.ts';

/** Looks values up: in memory, otherwise in the database, in batches. */
type PackageLookup = Pick<PrStore, 'values' | 'maxima'>;

/** @param mayRely whether the memory is new enough to answer from, and to be filled */
export function createPackageLookup(
  database: Database,
  reader: PackageReader,
  known: KnownPackages,
  mayRely: () => boolean,
): PackageLookup {
  const { reads } = database;

  /** The packages of these keys: from memory, otherwise read whole and kept, but for those with very many rows. */
  async function packagesOf(keys: readonly PackageKey[], reading: Reading): Promise<Map<string, PackageRows | null>> {
    const found = new Map<string, PackageRows | null>();
    const unread = new Map<string, PackageKey>();
    for (const key of keys) {
      const name = packageKey(key);
      const rows = known.get(name);
      if (rows) found.set(name, rows);
      else unread.set(name, key);
    }
    if (unread.size === 0) return found;
    const read = await reader.packages(reads, [...unread.values()]);
    let next = 0;
    for (const name of unread.keys()) {
      const rows = read[next++]!;
      found.set(name, rows);
      if (rows) known.keep(reading, name, rows);
    }
    return found;
  }

  /** Runs a read that fills the memory. */
  async function reading<T>(read: (reading: Reading) => Promise<T>): Promise<T> {
    const begun = known.begin();
    try {
      return await read(begun);
    } finally {
      known.end(begun);
      known.trim();
    }
  }

  const findValues = (keys: readonly ChecksumKey[]): Promise<readonly (KnownValues | null)[]> => {
    if (!mayRely()) return reader.values(reads, keys);
    return reading(async (begun) => {
      const packages = await packagesOf(keys, begun);
      const values = keys.map((key) => {
        const rows = packages.get(packageKey(key));
        return rows ? knownValues(rows, key.checksum) : undefined;
      });
      const unknown = keys.filter((_, i) => values[i] === undefined);
      if (unknown.length === 0) return values as (KnownValues | null)[];
      const read = await reader.values(reads, unknown);
      for (const [i, key] of unknown.entries()) {
        const value = read[i]!;
        // Of what is not there, there is no end.
        if (value) known.learn(begun, packageKey(key), (rows) => learnValues(rows, key.checksum, value));
      }
      let next = 0;
      return values.map((value) => (value === undefined ? read[next++]! : value));
    });
  };

  const findMaxima = (keys: readonly PackageKey[]): Promise<readonly (string | null)[]> => {
    if (!mayRely()) return reader.maxima(reads, keys);
    return reading(async (begun) => {
      const packages = await packagesOf(keys, begun);
      const large = distinctKeys(keys.filter((key) => !packages.get(packageKey(key))));
      const read = await reader.large(reads, large);
      for (const [i, key] of large.entries()) {
        packages.set(packageKey(key), read[i]!);
        known.keep(begun, packageKey(key), read[i]!);
      }
      return keys.map((key) => packages.get(packageKey(key))!.max);
    });
  };

  const values = createBatcher(findValues, (found) => found.map(listOf));
  const maxima = createBatcher(findMaxima, (found) => found);

  /** What the memory says of all keys; null where it does not of one. */
  function fromMemory<Key extends PackageKey, T>(
    keys: readonly Key[],
    tell: (rows: PackageRows, key: Key) => T | undefined,
  ): readonly T[] | null {
    if (!mayRely()) return null;
    const told: T[] = [];
    for (const key of keys) {
      const rows = known.get(packageKey(key));
      const answer = rows && tell(rows, key);
      if (answer === undefined) return null;
      told.push(answer);
    }
    return told;
  }

  return {
    values: (keys) => fromMemory(keys, listIn) ?? values.get(keys),
    maxima: (keys) => fromMemory(keys, (rows) => rows.max) ?? maxima.get(keys),
  };
}

function distinctKeys(keys: readonly PackageKey[]): readonly PackageKey[] {
  return [...new Map(keys.map((key) => [packageKey(key), key])).values()];
}

/** The values of a checksum, or undefined if they must be read. */
function listIn(rows: PackageRows, { checksum }: ChecksumKey): readonly string[] | undefined {
  const known = knownValues(rows, checksum);
  return known === undefined ? undefined : listOf(known);
}

function listOf(known: KnownValues | null): readonly string[] {
  if (!known) return [];
  return known.smallest === known.largest ? [known.largest] : [known.smallest, known.largest];
}
