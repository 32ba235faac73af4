import type { Json } from '../../asyncrpc/wire/messages.ts';
import type { Args } from '../args/args.ts';
import { type Answer, count, type Entry, hash, text, time, type View } from './view.ts';

const number = (value: unknown) => Number(value).toLocaleString('en-US');

/** What is asked of tasks, of every insight about them. */
export function taskArgument(args: Args): { readonly [key: string]: Json } {
  const given: { [key: string]: Json } = {};
  for (const [option, name] of [
    ['recipe', 'PN'],
    ['task', 'task'],
    ['since', 'since'],
  ] as const) {
    const value = args.text(option);
    if (value !== undefined) given[name] = value;
  }
  return given;
}

export const TASK_OPTIONS = ['recipe', 'task', 'since'] as const;

/** Names of further recipes were not kept apart. */
export const furtherRecipes = (total: Entry): string[] =>
  total.of_further_recipes === undefined
    ? []
    : ['There are more recipes than are told apart: those that came last are in the sums alone.'];

function notes({ total, tasks }: Answer): string[] {
  const { tasks: found, outputs, without_siginfo: without } = total as Entry;
  if (found === 0) return ['No task was reported with two different outputs.'];
  const first = (tasks as readonly Entry[])[0];
  return [
    `${number(found)} tasks built ${number(outputs)} different outputs; of ${number(without)} of them fewer than two outputs have a signature text to compare.`,
    ...(first ? [`What differs in the newest two of a task: insights unstable --diff ${first.taskhash}`] : []),
    ...furtherRecipes(total as Entry),
  ];
}

export const UNSTABLE_VIEW: View = {
  command: 'insight-unstable',
  options: [...TASK_OPTIONS, 'diff', 'method', 'outhash', 'other'],
  argument: taskArgument,
  lists: [
    {
      name: 'tasks',
      title: 'Tasks with more than one output, the newest first',
      empty: 'There are none.',
      columns: [
        text('PN', 'Recipe'),
        text('task', 'Task'),
        hash('taskhash', 'Taskhash'),
        count('outputs', 'Outputs'),
        count('siginfo', 'With siginfo'),
        time('first', 'First'),
        time('last', 'Last'),
        text('owners', 'Owners'),
        count('more_owners', 'More'),
      ],
    },
    {
      name: 'recipes',
      title: 'Recipes with the most such tasks',
      empty: 'There are none.',
      columns: [
        text('PN', 'Recipe'),
        text('task', 'Task'),
        count('tasks', 'Tasks'),
        count('outputs', 'Outputs'),
        time('last', 'Last'),
      ],
    },
  ],
  notes,
};
