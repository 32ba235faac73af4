import { Groups } from '../../insights/groups.ts';
import type { InsightWork } from '../../insights/insight.ts';
import { compareTexts, Top } from '../../insights/top.ts';
import { FIRST_TASK, type HashInsightRows, type TaskPosition, type UnstableTask } from '../insight-rows.ts';
import { asks, type TaskArgs } from './task-args.ts';

interface Recipe {
  tasks: number;
  outputs: number;
  last: string | null;
}

const newestFirst = (a: UnstableTask, b: UnstableTask) =>
  compareTexts(b.last, a.last) || compareTexts(a.method, b.method) || compareTexts(a.taskhash, b.taskhash);

/** Tasks that did not build the same output each time: the newest of them, and how many there are of each recipe. */
export const unstable: InsightWork<HashInsightRows, TaskArgs> = async (rows, args, run) => {
  const isAsked = asks(args);
  const newest = new Top<UnstableTask>(args.limit, newestFirst);
  const recipes = new Groups<Recipe>(() => ({ tasks: 0, outputs: 0, last: null }));
  const all = Math.max(1, rows.estimate.outhashes);
  const total = { tasks: 0, outputs: 0, without_siginfo: 0 };
  let looked = 0;
  for (let after: TaskPosition | null = FIRST_TASK; after !== null; ) {
    const slice = await rows.unstable(after);
    for (const task of slice.tasks) {
      if (!isAsked(task.PN, task.task, task.last)) continue;
      total.tasks++;
      total.outputs += task.outputs;
      if (task.texts < 2) total.without_siginfo++;
      newest.add(task);
      const recipe = recipes.of(task.PN, task.task);
      if (!recipe) continue;
      recipe.tasks++;
      recipe.outputs += task.outputs;
      if (compareTexts(recipe.last, task.last) < 0) recipe.last = task.last;
    }
    looked += slice.looked;
    after = slice.next;
    await run.step(Math.min(1, looked / all));
  }
  return {
    tasks: newest.list().map(({ PN, task, method, taskhash, outputs, texts, first, last, owners, ownerCount }) => ({
      PN,
      task,
      method,
      taskhash,
      outputs,
      siginfo: texts,
      first,
      last,
      owners: [...owners],
      more_owners: ownerCount - owners.length,
    })),
    recipes: mostOf(recipes, args.limit),
    total: { ...total, ...(recipes.left > 0 && { of_further_recipes: recipes.left }) },
  };
};

function mostOf(recipes: Groups<Recipe>, limit: number) {
  const most = new Top<{ PN: string | null; task: string | null } & Recipe>(
    limit,
    (a, b) => b.tasks - a.tasks || compareTexts(a.PN, b.PN) || compareTexts(a.task, b.task),
  );
  for (const { names, sums } of recipes.all()) most.add({ PN: names[0]!, task: names[1]!, ...sums });
  return most.list().map((each) => ({ ...each }));
}
