import type { InsightWork } from '../../insights/insight.ts';
import type { NewerThan, PrInsightRows, PrPlace } from '../insight-rows.ts';
import { ChurnCount, NEAR_THE_LIMIT, type RecipeChurn } from './churn-count.ts';
import type { ChurnArgs, ChurnOrder } from './churn-orders.ts';

/** Rows of a slice: some ten milliseconds. */
const SLICE_ROWS = 5000;
const DAY_MS = 86_400_000;

const ORDERS: Readonly<Record<ChurnOrder, (a: RecipeChurn, b: RecipeChurn) => number>> = {
  new: (a, b) => b.newer - a.newer || b.values - a.values,
  values: (a, b) => b.values - a.values || b.newer - a.newer,
  skipped: (a, b) => b.skipped - a.skipped || b.values - a.values,
  left: (a, b) => a.left - b.left || b.values - a.values,
};

/** Which packages' PR never stands still. */
export const churn: InsightWork<PrInsightRows, ChurnArgs> = async (rows, { limit, days, sort }, run) => {
  const count = new ChurnCount();
  const newer: NewerThan | null = await rows.newerThan(new Date(Date.now() - days * DAY_MS).toISOString());
  let done = 0;
  for (let after: PrPlace | null | undefined; after !== null; ) {
    const page = await rows.valuesPage(after ?? null, SLICE_ROWS, newer);
    for (const one of page.packages) count.add(one);
    after = page.next;
    done += SLICE_ROWS;
    await run.step(Math.min(1, done / Math.max(1, rows.estimate)));
  }
  const { recipes, packages, values, newer: found, bad, more } = count.end();
  const byName = (a: RecipeChurn, b: RecipeChurn) => compare(a.recipe, b.recipe) || compare(a.pkgarch, b.pkgarch);
  const sorted = [...recipes].sort((a, b) => ORDERS[sort](a, b) || byName(a, b));
  return {
    days,
    since: newer?.since ?? null,
    packages,
    values,
    new: newer && found,
    not_countable: bad,
    near_limit: recipes.filter(({ left }) => left < NEAR_THE_LIMIT).length,
    recipes: sorted.slice(0, limit).map((one) => ({
      recipe: one.recipe,
      pkgarch: one.pkgarch,
      versions: one.versions,
      values: one.values,
      new: newer && one.newer,
      skipped: one.skipped,
      largest: one.largest,
      left: one.left,
    })),
    more: Math.max(0, recipes.length - limit) + more,
  };
};

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
