import { count, numberOf, text, type View } from './view.ts';

const number = (value: unknown) => Number(value).toLocaleString('en-US');

export const CHURN_VIEW: View = {
  command: 'insight-churn',
  options: ['days', 'sort'],
  argument: (args) => {
    const sort = args.text('sort');
    return { ...numberOf(args, 'days', 'days'), ...(sort !== undefined && { sort }) };
  },
  lists: [
    {
      name: 'recipes',
      title: 'PR values by recipe and package architecture',
      empty: 'No value was given out yet.',
      columns: [
        text('recipe', 'Recipe'),
        text('pkgarch', 'Architecture'),
        count('versions', 'Versions'),
        count('values', 'Values'),
        count('new', 'New'),
        count('skipped', 'Skipped'),
        text('largest', 'Largest'),
        count('left', 'Left'),
      ],
    },
  ],
  notes: (answer) => [
    ...(Number(answer.more) > 0 ? [`${number(answer.more)} more are not shown: --limit shows up to 1,000.`] : []),
    `${number(answer.values)} values of ${number(answer.packages)} packages` +
      (answer.since === null
        ? '. Which of them are new is not known: the server notes a moment a day, and has not yet.'
        : `, ${number(answer.new)} of them since ${String(answer.since).slice(0, 16).replace('T', ' ')} UTC.`),
    ...(Number(answer.near_limit) > 0
      ? [`${number(answer.near_limit)} recipes have fewer than 1,000,000 values left: raise their PR.`]
      : []),
    ...(Number(answer.not_countable) > 0 ? [`${number(answer.not_countable)} rows hold no value that counts.`] : []),
  ],
};
