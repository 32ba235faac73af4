import { furtherRecipes, TASK_OPTIONS, taskArgument } from './unstable-view.ts';
import { type Answer, count, type Entry, hash, text, time, type View } from './view.ts';

const number = (value: unknown) => Number(value).toLocaleString('en-US');

function notes({ total }: Answer): string[] {
  const { found, unihashes, not_rebuilt_estimate: estimate } = total as Entry;
  return [
    `${number(found)} tasks got one of ${number(unihashes)} unihashes that another task had, as their output was the same.`,
    `About ${number(estimate)} tasks or more were not rebuilt for it: one at least behind each. An estimate: the database does not know which tasks depend on which.`,
    ...furtherRecipes(total as Entry),
  ];
}

export const EQUIVALENCES_VIEW: View = {
  command: 'insight-equivalences',
  options: TASK_OPTIONS,
  argument: taskArgument,
  lists: [
    {
      name: 'recipes',
      title: 'Recipes whose tasks were found equal most often',
      empty: 'None was found equal.',
      columns: [
        text('PN', 'Recipe'),
        text('task', 'Task'),
        count('reports', 'Reports'),
        count('found', 'Found equal'),
        time('last', 'Last'),
      ],
    },
    {
      name: 'days',
      title: 'Found equal by day',
      empty: 'None was found equal.',
      columns: [text('day', 'Day'), count('found', 'Found equal')],
    },
    {
      name: 'unihashes',
      title: 'Unihashes that several tasks share, the newest first',
      empty: 'There are none.',
      columns: [
        text('PN', 'Recipe'),
        text('task', 'Task'),
        hash('unihash', 'Unihash'),
        count('tasks', 'Tasks'),
        time('last', 'Last'),
      ],
    },
    {
      name: 'never',
      title: 'Reported most often, and never found equal',
      empty: 'There are none.',
      columns: [text('PN', 'Recipe'), text('task', 'Task'), count('reports', 'Reports')],
    },
  ],
  notes,
};
