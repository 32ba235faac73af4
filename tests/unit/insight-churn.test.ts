import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PackageValues, PrInsightRows, PrPlace } from '../../lib/prserv/insight-rows.ts';
import { churn } from '../../lib/prserv/insights/churn.ts';

const version = (n: number, name = 'p') => `${name}${String(n).padStart(6, '0')}-1-r0`;

/** Packages of one value each, as an engine tells them. */
function packages(count: number, name: string): PrInsightRows & { asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    estimate: count,
    newerThan: async () => null,
    close: async () => {},
    async valuesPage(after, rows) {
      asked.push(rows);
      const from = after === null ? 0 : Number(after.checksum);
      const found = Array.from({ length: Math.min(rows, count - from) }, (_, i): PackageValues => {
        return { version: version(from + i, name), pkgarch: 'all', values: [String(from + i)], newer: 0 };
      });
      const place: PrPlace = { version: '', pkgarch: '', checksum: String(from + rows), value: '' };
      return { packages: found, next: from + rows >= count ? null : place };
    },
  };
}

/** Works it out; `turns` is how often others had theirs. */
async function work(rows: PrInsightRows, sort: 'new' | 'values' | 'left', limit = 3) {
  let turns = 0;
  const step = async () => void turns++;
  const found = await churn(rows, { limit, days: 30, sort }, { signal: new AbortController().signal, step });
  return { found: found as { more: number; recipes: { recipe: string; skipped: number }[] }, turns };
}

describe('insight-churn, of recipes that somebody made up', () => {
  test('holds so many characters of names, and counts further ones', async () => {
    const rows = packages(20_000, 'n'.repeat(1000));
    const { found } = await work(rows, 'left');
    assert.ok(found.more + 3 === 20_000);
    const held = (8 << 20) / (1000 + 6 + 1 + 'all'.length);
    assert.equal(found.recipes[0]!.recipe, version(Math.floor(held) - 1, 'n'.repeat(1000)).slice(0, -5));
    assert.ok(Math.max(...rows.asked) < 1000, 'reads fewer rows at a time where they are long');
  });

  test('gives others a turn while it puts them into their order', async () => {
    const { found, turns } = await work(packages(40_000, 'p'), 'values');
    assert.deepEqual(
      found.recipes.map(({ recipe }) => recipe),
      [0, 1, 2].map((n) => version(n).slice(0, -5)),
    );
    assert.ok(turns > 25, `${turns} turns, 12 of them for slices`);
  });

  test('looks for gaps among so many values of a package, and no more', async () => {
    const count = async (values: number) => {
      const all = Array.from({ length: values }, (_, i) => String(2 * i));
      const one = { version: 'p-1-r0', pkgarch: 'all', values: all, newer: 0 };
      const rows = { ...packages(0, ''), valuesPage: async () => ({ packages: [one], next: null }) };
      return (await work(rows, 'new')).found.recipes[0]!.skipped;
    };
    assert.deepEqual([await count(100_000), await count(100_001)], [99_999, 0]);
  });
});

test('insight-churn counts a value that two checksums have once, and tells the fewest that are left of any version', async () => {
  const of = (n: number, values: readonly string[]): PackageValues => ({
    ...{ version: `zlib-${n}-r0`, pkgarch: 'all', values, newer: 0 },
  });
  const rows: PrInsightRows = {
    ...packages(0, ''),
    valuesPage: async () => ({ packages: [of(1, ['1', '1', '4']), of(2, ['999999990'])], next: null }),
  };
  const { found } = await work(rows, 'left');
  const [zlib] = found.recipes as unknown as { versions: number; skipped: number; left: number; largest: string }[];
  assert.deepEqual([zlib!.versions, zlib!.skipped, zlib!.left, zlib!.largest], [2, 2, 9, '999999990']);
});
