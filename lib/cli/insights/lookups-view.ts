import { type Answer, count, type Entry, text, time, type View } from './view.ts';

type Series = readonly (number | null)[];
type Method = Entry & { readonly method: string; readonly total: Entry } & Record<(typeof COUNTS)[number], Series>;

const COUNTS = ['hits', 'misses', 'upstream_hits'] as const;
const COLUMNS = [count('hits', 'Hits'), count('misses', 'Misses'), count('upstream_hits', 'Upstream hits')];

const methodsOf = (answer: Answer) => answer.methods as unknown as readonly Method[];

/** A line for each part of the time in which anything was asked. */
function timesOf(answer: Answer): Entry[] {
  const times = answer.times as readonly number[];
  const sum = (i: number, what: (typeof COUNTS)[number]) =>
    methodsOf(answer).reduce((all, method) => all + (method[what][i] ?? 0), 0);
  return times.flatMap((seconds, i) => {
    const [hits, misses, upstream_hits] = COUNTS.map((what) => sum(i, what)) as [number, number, number];
    if (hits + misses + upstream_hits === 0) return [];
    return [{ time: new Date(seconds * 1000).toISOString(), hits, misses, upstream_hits }];
  });
}

function notes(answer: Answer): string[] {
  const { hits, misses, upstream_hits } = answer.total as { [what: string]: number };
  const all = hits! + misses! + upstream_hits!;
  const share =
    all === 0 ? 'nothing was looked up' : `${(((hits! + upstream_hits!) / all) * 100).toFixed(1)} % were known`;
  const since = typeof answer.recorded_since === 'string' ? `; recorded since ${answer.recorded_since}` : '';
  return [`From ${answer.from} to ${answer.to}: ${share}${since}.`];
}

export const LOOKUPS_VIEW: View = {
  command: 'insight-lookups',
  options: ['span'],
  argument: (args) => (args.has('span') ? { span: args.need('span') } : {}),
  lists: [
    {
      name: 'methods',
      title: 'Look-ups by method',
      empty: 'Nothing was looked up.',
      columns: [text('method', 'Method'), ...COLUMNS],
      entries: (answer) => methodsOf(answer).map(({ method, total }) => ({ method, ...total })),
    },
    {
      name: 'times',
      title: 'Over time',
      empty: 'Nothing was looked up.',
      columns: [time('time', 'Begin'), ...COLUMNS],
      entries: timesOf,
    },
    {
      name: 'top_misses',
      title: 'Missed most in the last hour, about',
      empty: 'Nothing was missed.',
      columns: [count('count', 'Times'), text('method', 'Method'), text('taskhash', 'Taskhash')],
    },
  ],
  notes,
};
