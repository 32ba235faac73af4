import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ChurnCount, recipeOf } from '../../lib/prserv/insights/churn-count.ts';
import { compareRevisions } from '../../lib/prserv/revision.ts';
import type { PrRow, PrStore } from '../../lib/prserv/store.ts';
import type { PrEngine } from './helpers.ts';

const value = fc.oneof(
  fc.nat({ max: 12 }).map(String),
  fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 9 })).map(([above, n]) => `${above}.${n}`),
  fc.constantFrom('999999999', '0.0.7', '00', '007'),
);
const row: fc.Arbitrary<PrRow> = fc.record({
  version: fc.constantFrom('zlib-1.2-r0', 'zlib-1.3-r0', 'zlib-native-1.3-r0', 'É', 'a-r1', 'b b-1-r0'),
  pkgarch: fc.constantFrom('core2-64', 'all', 'x'),
  checksum: fc.nat({ max: 40 }).map((n) => `c${n}`),
  value,
});
const keyOf = (one: PrRow) => JSON.stringify([one.version, one.pkgarch, one.checksum, one.value]);

/** What an engine tells about all of its values, and which of them are new. */
export function prMomentsContract(name: string, engine: PrEngine): void {
  async function count(store: PrStore, rows: number, since: string | null) {
    const reader = await store.openInsightRows(new AbortController().signal);
    const newer = since === null ? null : await reader.newerThan(since);
    const churn = new ChurnCount();
    let slices = 0;
    for (let after: PrRow | null | undefined; after !== null; slices++) {
      const page = await reader.valuesPage(after ?? null, rows, newer);
      for (const one of page.packages) churn.add(one);
      after = page.next;
    }
    await reader.close();
    return { ...churn.end(), slices, since: newer?.since ?? null };
  }

  describe(`${name} tells how often values of packages change`, () => {
    test('as a model that holds all rows does, whatever a slice holds', async () => {
      const { store, close } = await engine.open('churn-model');
      try {
        await fc.assert(
          fc.asyncProperty(
            fc.array(row, { maxLength: 60 }),
            fc.array(row, { maxLength: 30 }),
            fc.integer({ min: 1, max: 20 }),
            async (before, later, rows) => {
              for (const version of ['zlib-1.2-r0', 'zlib-1.3-r0', 'zlib-native-1.3-r0', 'É', 'a-r1', 'b b-1-r0'])
                await store.removeRows({ version, pkgarch: null, checksum: null, value: null });
              for (const rows of [before, later]) if (rows.length > 0) await store.importRows(rows);
              const all = [...new Map([...before, ...later].map((one) => [keyOf(one), one])).values()];
              const { recipes, packages, values, slices } = await count(store, rows, null);
              const sorted = [...recipes].sort((a, b) => (a.recipe + a.pkgarch < b.recipe + b.pkgarch ? -1 : 1));
              for (const [i, { largest, ...expected }] of modelOf(all).entries()) {
                const { largest: told, ...rest } = sorted[i]!;
                assert.deepEqual(rest, expected);
                // Rows may hold one value in two spellings, `7` and `007`: either may be told.
                assert.ok(
                  largest.some((max) => compareRevisions(max, told) === 0),
                  `${told} is the largest value of a version: ${largest}`,
                );
              }
              assert.equal(sorted.length, modelOf(all).length);
              assert.equal(values, all.length);
              assert.equal(packages, new Set(all.map((one) => `${one.version}\0${one.pkgarch}`)).size);
              assert.equal(slices, Math.max(1, Math.floor(all.length / rows) + 1));
            },
          ),
          { numRuns: 40 },
        );
      } finally {
        await close();
      }
    });

    test('and the moments after which values were stored, as far as they were noted', async () => {
      const { store, close } = await engine.open('churn-times');
      const rows = ['0', '1', '2', '3'].map((value) => ({ version: 'p-1-r0', pkgarch: 'all', checksum: value, value }));
      const [old, atFirst, next, last] = rows as [PrRow, PrRow, PrRow, PrRow];
      const missing = { ...old, checksum: 'none' };
      const before = new Date().toISOString();
      try {
        await store.importRows([old]);
        assert.deepEqual(await store.storedAfter(rows), [null, null, null, null], 'nothing was noted yet');
        await store.noteMoment(before);
        await store.importRows([atFirst]);
        await store.noteMoment(new Date(Date.now() + 86_400_000).toISOString());
        const between = new Date().toISOString();
        await store.importRows([next, last]);
        const told = await store.storedAfter([last, missing, ...rows]);
        assert.deepEqual([told[1], told[2]], [null, null]);
        assert.equal(told[0], told[5]);
        assert.equal(told[4], told[5]);
        const times = [told[3]!, told[4]!];
        assert.ok(before <= times[0]! && times[0]! <= between && between <= times[1]!, times.join());
        await store.removeRows({ ...missing, checksum: atFirst.checksum, value: null });
        assert.deepEqual((await store.storedAfter([atFirst]))[0], null);
      } finally {
        await close();
      }
    });

    test('and counts as new what was stored after a moment that was noted', async () => {
      const { store, close } = await engine.open('churn-new');
      const one = (checksum: string, number: number) => ({
        ...{ version: 'p-1-r0', pkgarch: 'all', checksum },
        value: String(number),
      });
      try {
        await store.importRows([one('a', 0), one('b', 1)]);
        const long = '2020-01-01T00:00:00.000Z';
        assert.equal((await count(store, 100, long)).since, null, 'nothing was noted yet');
        await store.noteMoment(new Date().toISOString());
        await store.importRows([one('c', 2)]);
        await store.noteMoment(new Date().toISOString());
        await store.importRows([one('d', 3)]);
        const { newer, since } = await count(store, 100, long);
        assert.equal(newer, 2);
        assert.ok(since! > '2026', 'no earlier moment is known');
        assert.equal((await count(store, 1, long)).recipes[0]!.newer, 2);
      } finally {
        await close();
      }
    });
  });
}

function groupBy<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}

/** The same from all rows at once. */
function modelOf(rows: readonly PrRow[]) {
  const groups = groupBy(rows, (one) => `${recipeOf(one.version)}${one.pkgarch}`);
  return [...groups.keys()].sort().map((key) => {
    const group = groups.get(key)!;
    const versions = [...groupBy(group, ({ version }) => version).values()];
    const maxima = versions.map((of) =>
      of.map((one) => one.value).reduce((a, b) => (compareRevisions(a, b) < 0 ? b : a)),
    );
    const last = (text: string) => Number(text.split('.').at(-1));
    let skipped = 0;
    for (const of of versions) {
      for (const under of groupBy(of, (one) => one.value.split('.').slice(0, -1).join('.')).values()) {
        const there = new Set(under.map((one) => last(one.value)));
        if (there.size > 1)
          for (let n = Math.min(...there); n < Math.min(1000, Math.max(...there)); n++) if (!there.has(n)) skipped++;
        if (there.has(999_999_999) && there.size > 1) skipped += 999_999_999 - 1000;
      }
    }
    return {
      recipe: recipeOf(group[0]!.version),
      pkgarch: group[0]!.pkgarch,
      versions: versions.length,
      values: group.length,
      newer: 0,
      skipped,
      largest: maxima,
      left: Math.min(...maxima.map((max) => 999_999_999 - last(max))),
    };
  });
}
