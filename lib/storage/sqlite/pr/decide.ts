import type { PackageKey, PrRequest } from '../../../prserv/store.ts';
import type { KnownPackages, Reading } from '../../memory/known-packages.ts';
import { copyOf, learnUnder, learnValues, type PackageRows, packageKey } from '../../memory/package-rows.ts';
import type { Missing } from '../../memory/pr-decision.ts';
import type { Binding } from '../engine/binding.ts';
import type { PackageReader } from './package-reader.ts';

/** What a decision may rely on, beside what it reads. */
export interface Relied {
  readonly known: KnownPackages;
  readonly reading: Reading;
}

/**
 * Reads what requests are about and is not in memory, then decides; where a package has very many rows, what the
 * decision then turns out to need is read, and it decides again. One statement reads the packages of a batch.
 * @param relied what is in memory is new enough, and what is read is kept there; null: all is read
 */
export async function decide<T>(
  connection: Binding,
  reader: PackageReader,
  requests: readonly PrRequest[],
  relied: Relied | null,
  make: (rows: (key: string) => PackageRows, missing: Missing) => T,
): Promise<T> {
  const held = await hold(connection, reader, requests, relied);
  const learn = (about: PackageKey, change: (rows: PackageRows) => void) => {
    const key = packageKey(about);
    const rows = held.get(key)!;
    if (relied?.known.get(key) !== rows) change(rows);
    else if (relied.known.isCurrent(relied.reading, key)) relied.known.change(key, change);
    else {
      // Rows were stored meanwhile that may not be in what was read: it is not for the memory.
      const own = copyOf(rows);
      change(own);
      held.set(key, own);
    }
  };
  for (;;) {
    const missing: Missing = { checksums: [], prefixes: [] };
    const made = make((key) => held.get(key)!, missing);
    if (missing.checksums.length === 0 && missing.prefixes.length === 0) return made;
    const known = await reader.values(connection, missing.checksums);
    for (const [i, key] of missing.checksums.entries())
      learn(key, (rows) => learnValues(rows, key.checksum, known[i]!));
    const under = await reader.largestUnder(connection, missing.prefixes);
    for (const [i, key] of missing.prefixes.entries()) learn(key, (rows) => learnUnder(rows, key.prefix, under[i]!));
  }
}

/** The packages of the requests: those that are in memory may be dropped there meanwhile. */
async function hold(
  connection: Binding,
  reader: PackageReader,
  requests: readonly PackageKey[],
  relied: Relied | null,
): Promise<Map<string, PackageRows>> {
  const held = new Map<string, PackageRows>();
  const unread = new Map<string, PackageKey>();
  for (const request of requests) {
    const key = packageKey(request);
    const rows = relied?.known.get(key);
    if (rows) held.set(key, rows);
    else unread.set(key, request);
  }
  if (unread.size === 0) return held;
  const keep = (key: string, rows: PackageRows) => {
    held.set(key, rows);
    relied?.known.keep(relied.reading, key, rows);
  };
  const names = [...unread.keys()];
  const read = await reader.packages(connection, [...unread.values()]);
  for (const [i, rows] of read.entries()) if (rows) keep(names[i]!, rows);
  const large = names.filter((_, i) => !read[i]);
  const parts = await reader.large(
    connection,
    large.map((name) => unread.get(name)!),
  );
  for (const [i, rows] of parts.entries()) keep(large[i]!, rows);
  return held;
}
