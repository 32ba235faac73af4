import type { Json } from '../../asyncrpc/wire/messages.ts';
import { SPAN } from './history.ts';
import { AGE, CHURN, DIFF, EQUIVALENCES, LOOKUPS_VIEW, SHARED_STATE, UNSTABLE } from './insight-schemas.ts';
import type { ApiRoute } from './route.ts';

/** A number, where the text is one; anything else is refused by the command, which names it. */
const number = (text: string): Json => (/^\d{1,15}(\.\d{1,6})?$/.test(text) ? Number(text) : text);

/** The parameters as the command takes them: one that is not given is the command's to choose. */
const numbers = (query: Readonly<Record<string, string>>, names: readonly string[]) =>
  Object.fromEntries(names.flatMap((name) => (query[name] === undefined ? [] : [[name, number(query[name])]])));

/** The parameters that are texts. */
const texts = (query: Readonly<Record<string, string>>, names: readonly string[]) =>
  Object.fromEntries(names.flatMap((name) => (query[name] === undefined ? [] : [[name, query[name]]])));

const TEXT = { type: 'string' };
const TASKS = { PN: TEXT, task: TEXT, since: TEXT };

const LIMIT = { limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100 } };

/** What the databases can tell beside look-ups (docs/insights.md). */
export const INSIGHT_ROUTES: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/insights/unstable',
    id: 'getUnstable',
    tag: 'insights',
    summary: 'Tasks with more than one output, the newest first, and the recipes that have the most',
    service: 'OEHASHEQUIV',
    command: 'insight-unstable',
    argument: ({ query }) => ({ ...numbers(query, ['limit']), ...texts(query, Object.keys(TASKS)) }),
    query: { ...LIMIT, ...TASKS },
    answer: UNSTABLE,
  },
  {
    method: 'GET',
    path: '/insights/diff/:taskhash',
    id: 'getDiff',
    tag: 'insights',
    summary: 'What differs in the signature texts of two outputs of a task; by default the newest two that have one',
    service: 'OEHASHEQUIV',
    command: 'insight-diff',
    argument: ({ path, query }) => ({
      ...path,
      ...numbers(query, ['limit']),
      ...texts(query, ['method', 'outhash', 'other']),
    }),
    query: { ...LIMIT, limit: { ...LIMIT.limit, default: 1000 }, method: TEXT, outhash: TEXT, other: TEXT },
    answer: DIFF,
  },
  {
    method: 'GET',
    path: '/insights/equivalences',
    id: 'getEquivalences',
    tag: 'insights',
    summary: 'What was found equal, by recipe and by day, and what never is',
    service: 'OEHASHEQUIV',
    command: 'insight-equivalences',
    argument: ({ query }) => ({ ...numbers(query, ['limit']), ...texts(query, Object.keys(TASKS)) }),
    query: { ...LIMIT, ...TASKS },
    answer: EQUIVALENCES,
  },
  {
    method: 'GET',
    path: '/insights/age',
    id: 'getAge',
    tag: 'insights',
    summary: 'Reports by month, sizes, and what a garbage collection with max_age_seconds would remove',
    service: 'OEHASHEQUIV',
    command: 'insight-age',
    argument: ({ query }) => numbers(query, ['limit', 'max_age_seconds']),
    query: { ...LIMIT, max_age_seconds: { type: 'number', minimum: 0, default: 0 } },
    answer: AGE,
  },
  {
    method: 'GET',
    path: '/insights/churn',
    id: 'getChurn',
    tag: 'insights',
    summary: 'PR values by recipe and package architecture: how many, how many of the last days, skipped and left',
    service: 'PRSERVICE',
    command: 'insight-churn',
    argument: ({ query }) => ({
      ...numbers(query, ['limit', 'days']),
      ...(query.sort !== undefined && { sort: query.sort }),
    }),
    query: {
      ...LIMIT,
      days: { type: 'integer', minimum: 1, maximum: 400, default: 30 },
      sort: { enum: ['new', 'values', 'skipped', 'left'], default: 'new' },
    },
    answer: CHURN,
  },
  {
    method: 'GET',
    path: '/insights/lookups',
    id: 'getLookups',
    tag: 'insights',
    summary: 'Look-ups of tasks over time, by method, and the tasks that were missed most in the last hour',
    service: 'OEHASHEQUIV',
    command: 'insight-lookups',
    argument: ({ query }) => ({
      ...numbers(query, ['limit']),
      ...(query.span !== undefined && { span: query.span }),
    }),
    query: { ...LIMIT, ...SPAN },
    answer: LOOKUPS_VIEW,
  },
  {
    method: 'GET',
    path: '/insights/shared-state',
    id: 'getSharedState',
    tag: 'insights',
    summary: 'What the job shared-state found last: unihashes without an object, and objects that no unihash names',
    service: 'OEHASHEQUIV',
    command: 'insight-shared-state',
    argument: ({ query }) => numbers(query, ['limit']),
    query: LIMIT,
    answer: SHARED_STATE,
  },
];
