import { Groups } from '../../insights/groups.ts';
import type { InsightWork } from '../../insights/insight.ts';
import { compareTexts, Top } from '../../insights/top.ts';
import type { FoundEqual, HashInsightRows } from '../insight-rows.ts';
import { asks, type TaskArgs } from './task-args.ts';

interface Recipe {
  reports: number;
  found: number;
  last: string | null;
}

/** Tasks with one unihash. */
interface Shared {
  readonly unihash: string;
  readonly PN: string | null;
  readonly task: string | null;
  readonly tasks: number;
  readonly last: string | null;
}

/** So few reports say nothing about whether a task is ever found equal. */
const FEWEST_REPORTS = 2;

const byName = (a: { PN: string | null; task: string | null }, b: { PN: string | null; task: string | null }) =>
  compareTexts(a.PN, b.PN) || compareTexts(a.task, b.task);

/** Where equivalence saves work: what was found equal, of which recipes and when, and which recipes never are. */
export const equivalences: InsightWork<HashInsightRows, TaskArgs> = async (rows, args, run) => {
  const isAsked = asks(args);
  const { unihashes, outhashes } = rows.estimate;
  const all = Math.max(1, 3 * unihashes + outhashes);
  let done = 0;
  const step = (count: number) => {
    done += count;
    return run.step(Math.min(1, done / all));
  };
  const recipes = new Groups<Recipe>(() => ({ reports: 0, found: 0, last: null }));
  for (let after: number | null = 0; after !== null; ) {
    const slice = await rows.recipes(after);
    for (const { PN, task, reports } of slice.recipes) {
      const recipe = isName(args, PN, task) ? recipes.of(PN, task) : null;
      if (recipe) recipe.reports += reports;
    }
    after = slice.next;
    await step(slice.looked);
  }
  const days = new Groups<{ found: number }>(() => ({ found: 0 }));
  const newest = new Top<Shared>(
    args.limit,
    (a, b) => compareTexts(b.last, a.last) || compareTexts(a.unihash, b.unihash),
  );
  const total = { found: 0, unihashes: 0 };
  for (let after: string | null = ''; after !== null; ) {
    const slice = await rows.equal(after);
    let shared: Shared | null = null;
    for (const each of slice.found) {
      if (!isAsked(each.PN, each.task, each.last)) continue;
      total.found += each.tasks;
      const day = days.of(each.day);
      if (day) day.found += each.tasks;
      const recipe = recipes.of(each.PN, each.task);
      if (recipe) {
        recipe.found += each.tasks;
        if (compareTexts(recipe.last, each.last) < 0) recipe.last = each.last;
      }
      if (shared?.unihash !== each.unihash) {
        if (shared) newest.add(shared);
        total.unihashes++;
        shared = begun(each);
      } else shared = joined(shared, each);
    }
    if (shared) newest.add(shared);
    after = slice.next;
    await step(3 * slice.looked);
  }
  return {
    recipes: foundOf(recipes, args.limit),
    days: daysOf(days, args.limit),
    never: neverOf(recipes, args.limit),
    unihashes: newest.list().map((each) => ({ ...each })),
    total: {
      ...total,
      // Each task that was found equal kept the unihash its dependants had been built with: of those one at the least.
      not_rebuilt_estimate: total.found,
      ...(recipes.left > 0 && { of_further_recipes: recipes.left }),
    },
  };
};

const isName = ({ PN, task }: TaskArgs, ofPN: string | null, ofTask: string | null) =>
  (PN === null || PN === ofPN) && (task === null || task === ofTask);

/** The first of them is counted too: that is what they are equal to. */
const begun = ({ unihash, PN, task, tasks, last }: FoundEqual): Shared => ({
  unihash,
  PN,
  task,
  tasks: tasks + 1,
  last,
});

const joined = (shared: Shared, { tasks, last }: FoundEqual): Shared => ({
  ...shared,
  tasks: shared.tasks + tasks,
  last: compareTexts(shared.last, last) < 0 ? last : shared.last,
});

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
