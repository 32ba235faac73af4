import type { InsightWork } from '../../insights/insight.ts';
import { Top } from '../../insights/top.ts';
import type { NewerThan, PrInsightRows, PrPlace } from '../insight-rows.ts';
import { ChurnCount, NEAR_THE_LIMIT, type RecipeChurn } from './churn-count.ts';
import type { ChurnArgs, ChurnOrder } from './churn-orders.ts';

/** Rows of a slice: some ten milliseconds; … */
const SLICE_ROWS = 5000;
const FEWEST_ROWS = 200;
/** … and fewer, where their names are so long that they come to more characters. */
const SLICE_CHARS = 512 * 1024;
/** Recipes that are put into their order at a time. */
const RECIPES_A_TURN = 2000;
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
  let slice = FEWEST_ROWS;
  for (let after: PrPlace | null | undefined; after !== null; ) {
    const page = await rows.valuesPage(after ?? null, slice, newer);
    let chars = 1;
    for (const one of page.packages) {
      count.add(one);
      chars += one.version.length + one.pkgarch.length;
    }
    after = page.next;
    done += slice;
    slice = rowsAfter(slice, chars);
    await run.step(Math.min(1, done / Math.max(1, rows.estimate)));
  }
  const { recipes, packages, values, newer: found, bad, more } = count.end();
  const byName = (a: RecipeChurn, b: RecipeChurn) => compare(a.recipe, b.recipe) || compare(a.pkgarch, b.pkgarch);
  const first = new Top<RecipeChurn>(limit, (a, b) => ORDERS[sort](a, b) || byName(a, b));
  let near = 0;
  for (const [i, recipe] of recipes.entries()) {
    if (recipe.left < NEAR_THE_LIMIT) near++;
    first.add(recipe);
    if (i % RECIPES_A_TURN === 0) await run.step(1);
  }
  return {
    days,
    since: newer?.since ?? null,
    packages,
    values,
    new: newer && found,
    not_countable: bad,
    near_limit: near,
    recipes: first.list().map((one) => ({
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

/** How many rows are read next: twice as many, unless their names may be too long for that. */
function rowsAfter(rows: number, chars: number): number {
  const fitting = Math.floor(rows * (SLICE_CHARS / chars));
  return Math.max(FEWEST_ROWS, Math.min(SLICE_ROWS, 2 * rows, fitting));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
