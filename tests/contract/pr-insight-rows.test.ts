import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChurnCount } from '../../lib/prserv/insights/churn-count.ts';
import type { PrStore } from '../../lib/prserv/store.ts';
import { withSqlite } from './helpers.ts';
import { opened } from './pr-opened.ts';

const LONG_AGO = '2020-01-01T00:00:00.000Z';
const rowOf = (n: number) => ({ version: 'p-1-r0', pkgarch: 'all', checksum: `c${n}`, value: String(n) });

async function countOf(store: PrStore, rows = 100) {
  const reader = await store.openInsightRows(new AbortController().signal);
  const newer = await reader.newerThan(LONG_AGO);
  const count = new ChurnCount();
  let slices = 0;
  for (
    let page = await reader.valuesPage(null, rows, newer);
    ;
    page = await reader.valuesPage(page.next, rows, newer)
  ) {
    for (const one of page.packages) count.add(one);
    assert.ok(++slices < 100, 'it comes to an end');
    if (page.next === null) break;
  }
  await reader.close();
  return { ...count.end(), since: newer?.since ?? null };
}

test('a moment holds when rows before it are removed, and when the file is vacuumed', async (t) => {
  const { store, file } = await opened(t);
  await store.importRows([1, 2, 3, 4, 5].map(rowOf));
  await store.noteMoment(new Date().toISOString());
  await store.importRows([6, 7].map(rowOf));
  assert.equal((await countOf(store)).newer, 2);
  for (const n of [1, 2, 3])
    await store.removeRows({ version: 'p-1-r0', pkgarch: null, checksum: `c${n}`, value: null });
  await withSqlite(file, async (run) => void (await run('VACUUM')));
  assert.equal((await countOf(store)).newer, 2, 'rowids are other ones now');
  await store.removeRows({ version: 'p-1-r0', pkgarch: null, checksum: 'c5', value: null });
  const { newer, since } = await countOf(store);
  assert.deepEqual([newer, since], [0, null], 'without the row of the moment it is not known, rather than wrong');
});

test('a moment of an empty table makes all that comes later new', async (t) => {
  const { store } = await opened(t);
  await store.noteMoment(new Date().toISOString());
  await store.importRows([1, 2].map(rowOf));
  assert.equal((await countOf(store)).newer, 2);
});

test('rows that other programs left are counted as such, whatever is in them, and a slice goes on behind them', async (t) => {
  const { store, file } = await opened(t);
  await store.importRows([0, 1, 2].map(rowOf));
  const odd = ["'p-1-r0', 'all', 'c0', NULL", "'p-1-r0', 'all', 'c0', NULL", "'p-1-r0', 'all', 'c1', x'00ff'"];
  odd.push("x'00ff', 'all', 'c', '1'", "'q-1-r0', 'all', x'01', '1'", "'p-1-r0', 'all', 'c9', 'a b'");
  await withSqlite(file, async (run) => {
    for (const values of odd) await run(`INSERT INTO PRMAIN VALUES (${values})`);
  });
  for (const rows of [1, 2, 3, 100]) {
    const { recipes } = await countOf(store, rows);
    const p = recipes.find(({ recipe }) => recipe === 'p');
    assert.deepEqual([p!.values, p!.largest, p!.skipped], [3, '2', 0], `slices of ${rows}`);
  }
});
