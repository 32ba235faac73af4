import { Groups } from '../../insights/groups.ts';
import type { InsightWork } from '../../insights/insight.ts';
import { compareTexts, Top } from '../../insights/top.ts';
import type { HashInsightRows } from '../insight-rows.ts';
import { readEqual } from './equal-tasks.ts';
import { SharedUnihashes } from './shared-unihashes.ts';
import { asks, type TaskArgs } from './task-args.ts';

interface Recipe {
  reports: number;
  found: number;
  last: string | null;
}

/** So few reports say nothing about whether a task is ever found equal. */
const FEWEST_REPORTS = 2;
const DAY = /^\d{4}-[01]\d-[0-3]\d/;

const byName = (a: { PN: string | null; task: string | null }, b: { PN: string | null; task: string | null }) =>
  compareTexts(a.PN, b.PN) || compareTexts(a.task, b.task);

/** Where equivalence saves work: what was found equal, of which recipes and when, and which recipes never are. */
export const equivalences: InsightWork<HashInsightRows, TaskArgs> = async (rows, args, run) => {
  const isAsked = asks(args);
  const { unihashes, outhashes } = rows.estimate;
  const all = Math.max(1, 2 * unihashes + outhashes);
  let done = 0;
  const step = (count: number) => {
    done += count;
    return run.step(Math.min(1, done / all));
  };
  const recipes = new Groups<Recipe>(() => ({ reports: 0, found: 0, last: null }));
  for (let after: number | null = 0; after !== null; ) {
    const slice = await rows.recipes(after);
    for (const [i, reports] of slice.reports.entries()) {
      const [PN, task] = [slice.PNs[i]!, slice.tasks[i]!];
      const recipe = isName(args, PN, task) ? recipes.of(PN, task) : null;
      if (recipe) recipe.reports += reports;
    }
    after = slice.next;
    await step(slice.looked);
  }
  const days = new Groups<{ found: number }>(() => ({ found: 0 }));
  const shared = new SharedUnihashes(args.limit);
  let found = 0;
  for await (const { tasks, complete } of readEqual(rows, step)) {
    for (const each of tasks) {
      const { PN, task, created } = each;
      if (!isAsked(PN, task, created)) continue;
      found++;
      const day = days.of(DAY.exec(created ?? '')?.[0] ?? null);
      if (day) day.found++;
      shared.add(each);
      const recipe = recipes.of(PN, task);
      if (!recipe) continue;
      recipe.found++;
      if (compareTexts(recipe.last, created) < 0) recipe.last = created;
    }
    if (complete) shared.close(complete.but);
  }
  return {
    recipes: foundOf(recipes, args.limit),
    days: daysOf(days, args.limit),
    never: neverOf(recipes, args.limit),
    unihashes: shared.newest.map((each) => ({ ...each })),
    total: {
      found,
      unihashes: shared.count,
      // Each task that was found equal kept the unihash its dependants had been built with: of those one at the least.
      not_rebuilt_estimate: found,
      ...(recipes.left > 0 && { of_further_recipes: recipes.left }),
    },
  };
};

const isName = ({ PN, task }: TaskArgs, ofPN: string | null, ofTask: string | null) =>
  (PN === null || PN === ofPN) && (task === null || task === ofTask);

function foundOf(recipes: Groups<Recipe>, limit: number) {
  const most = new Top<{ PN: string | null; task: string | null } & Recipe>(
    limit,
    (a, b) => b.found - a.found || byName(a, b),
  );
  for (const { names, sums } of recipes.all())
    if (sums.found > 0) most.add({ PN: names[0]!, task: names[1]!, ...sums });
  return most.list().map((each) => ({ ...each }));
}

function neverOf(recipes: Groups<Recipe>, limit: number) {
  const most = new Top<{ PN: string | null; task: string | null; reports: number }>(
    limit,
    (a, b) => b.reports - a.reports || byName(a, b),
  );
  for (const { names, sums } of recipes.all())
    if (sums.found === 0 && sums.reports >= FEWEST_REPORTS)
      most.add({ PN: names[0]!, task: names[1]!, reports: sums.reports });
  return most.list().map((each) => ({ ...each }));
}

function daysOf(days: Groups<{ found: number }>, limit: number) {
  const newest = new Top<{ day: string | null; found: number }>(limit, (a, b) => compareTexts(b.day, a.day));
  for (const { names, sums } of days.all()) newest.add({ day: names[0]!, found: sums.found });
  return newest.list().map((each) => ({ ...each }));
}
