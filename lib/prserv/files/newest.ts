import { largest } from '../revision.ts';
import type { PrRow } from '../store.ts';

/**
 * The row with the largest value of each package, packages in the order they come. Computed from every row: BitBake's
 * server compares values as text, and may consider 9 larger than 10.
 */
export function newestRows(rows: Iterable<PrRow>): PrRow[] {
  const newest = new Map<string, PrRow>();
  for (const row of rows) {
    const key = JSON.stringify([row.version, row.pkgarch]);
    const before = newest.get(key);
    if (!before || largest(before.value, row.value) !== before.value) newest.set(key, row);
  }
  return [...newest.values()];
}
