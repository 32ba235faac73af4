import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { findPackages } from '../../lib/prserv/find-packages.ts';
import type { PrRow, PrStore } from '../../lib/prserv/store.ts';
import { type Running, within } from './helpers.ts';

const PARTS = ['busy', 'box', 'Box', '-1.0', '%', '_', "'", '<b>', '\u202e', 'é', '*', ' '];
const ROWS: fc.Arbitrary<PrRow[]> = fc.array(
  fc.record({
    version: fc.array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')),
    pkgarch: fc.constantFrom('all', 'core2-64', 'x'),
    checksum: fc.constantFrom('a', 'b', 'c'),
    value: fc.constantFrom('0', '9', '10', '1.1'),
  }),
  { maxLength: 30 },
);

/** What every engine promises of packages that are looked for. */
export function prFindContract(name: string, openNew: (t: Running) => Promise<PrStore>): void {
  describe(`${name} finds packages`, () => {
    test('by any part of their version, case as it is, however few are looked at in one go', async () => {
      const samples = fc.sample(ROWS, { numRuns: 8, seed: 4 });
      const lookUp = async (t: Running, rows: readonly PrRow[]) => {
        const store = await openNew(t);
        await store.importAll(rows, 100);
        const distinct = new Set(rows.map((row) => JSON.stringify(Object.values(row))));
        for (const text of [...PARTS, 'busybox', 'none']) {
          const wanted = new Map<string, number>();
          for (const each of distinct) {
            const [version, pkgarch] = JSON.parse(each) as string[];
            const key = JSON.stringify([version, pkgarch]);
            if (version!.includes(text)) wanted.set(key, (wanted.get(key) ?? 0) + 1);
          }
          const found = await findPackages(store, text, 100, () => false);
          const counts = found.packages.map(
            ({ version, pkgarch, values }) => [JSON.stringify([version, pkgarch]), values] as const,
          );
          assert.deepEqual(new Map([...counts].sort()), new Map([...wanted].sort()), text);
          assert.equal(counts.length, wanted.size, 'each once');
          assert.deepEqual([found.cut, found.complete], [false, true]);
          const maxima = await store.maxima(found.packages);
          assert.deepEqual(
            found.packages.map(({ max }) => max),
            maxima,
          );
          const few = await findPackages(store, text, 2, () => false);
          assert.deepEqual([few.packages.length, few.cut], [Math.min(2, wanted.size), wanted.size > 2]);

          const seen: string[] = [];
          for (let after: string | null = null; ; ) {
            const slice = await store.versions(text, after, 2);
            seen.push(...slice.found);
            if (slice.last === null) break;
            after = slice.last;
          }
          const versions = new Set([...wanted.keys()].map((key) => (JSON.parse(key) as string[])[0]!));
          assert.deepEqual(seen.sort(), [...versions].sort(), 'slice by slice');
        }
        assert.deepEqual(await store.packagesOf(['none'], 10), []);
      };
      for (const rows of samples) await within((t) => lookUp(t, rows));
    });

    test('as far as there is time, and says that there was none for the rest', async (t) => {
      const store = await openNew(t);
      const rows = Array.from({ length: 2500 }, (_, n) => ({
        version: `p-${String(n).padStart(5, '0')}`,
        pkgarch: 'all',
        checksum: 'c',
        value: '0',
      }));
      await store.importAll(rows, 1000);
      const late = await findPackages(store, 'p-02400', 10, () => true);
      assert.deepEqual([late.packages, late.complete], [[], false]);
      const found = await findPackages(store, 'p-02400', 10, () => false);
      assert.deepEqual(found.packages, [{ version: 'p-02400', pkgarch: 'all', values: 1, max: '0' }]);
    });
  });
}
