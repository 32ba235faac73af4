import { OPTIONAL_TEXT, object } from '../../asyncrpc/schemas.ts';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import { InvokeError } from '../../errors.ts';
import { describeState, type Insight, insightCommand } from '../../insights/insight.ts';
import { READ } from '../access/permissions.ts';
import type { HashContext, HashRow } from '../context.ts';
import type { HashInsightRows } from '../insight-rows.ts';
import { HASH } from './schemas.ts';

/** The most entries that a list of an insight has. */
const MAX_ENTRIES = 1000;
const DEFAULT_ENTRIES = 100;
const LIMIT = { type: 'integer', minimum: 1, maximum: MAX_ENTRIES };
const OPTIONAL_HASH = { ...HASH, type: ['string', 'null'] };
/** The beginning of a time in UTC: `2026-11`, `2026-11-22`, `2026-11-22T03:04`. */
const SINCE = { type: ['string', 'null'], format: 'moment' };

const TASK_SCHEMA = { limit: LIMIT, PN: OPTIONAL_TEXT, task: OPTIONAL_TEXT, since: SINCE };
const TASK_DEFAULTS = { limit: DEFAULT_ENTRIES, PN: null, task: null, since: null };

// biome-ignore lint/suspicious/noExplicitAny: each insight's argument has the shape of its schema
const INSIGHTS: readonly Insight<HashInsightRows, any>[] = [
  {
    name: 'age',
    schema: { limit: LIMIT, max_age_seconds: { type: 'number', minimum: 0 } },
    defaults: { limit: DEFAULT_ENTRIES, max_age_seconds: 0 },
    load: async () => (await import('../insights/age.ts')).age,
  },
  {
    name: 'unstable',
    schema: TASK_SCHEMA,
    defaults: TASK_DEFAULTS,
    load: async () => (await import('../insights/unstable.ts')).unstable,
  },
  {
    name: 'diff',
    schema: { taskhash: HASH, method: OPTIONAL_HASH, outhash: OPTIONAL_HASH, other: OPTIONAL_HASH, limit: LIMIT },
    required: ['taskhash'],
    defaults: { taskhash: '', method: null, outhash: null, other: null, limit: MAX_ENTRIES },
    load: async () => (await import('../insights/diff.ts')).diff,
  },
  {
    name: 'equivalences',
    schema: TASK_SCHEMA,
    defaults: TASK_DEFAULTS,
    load: async () => (await import('../insights/equivalences.ts')).equivalences,
  },
];

/** What the database can tell beside look-ups (docs/insights.md). Open to whoever may read: names of recipes and owners are in rows. */
export const INSIGHT_COMMANDS: Readonly<Record<string, HashRow>> = {
  ...Object.fromEntries(
    INSIGHTS.map((insight) => [
      `insight-${insight.name}`,
      {
        needs: [READ],
        ...insightCommand<HashContext, HashInsightRows, { readonly [key: string]: never }>(
          insight,
          ({ insights, session, store }) => ({
            desk: insights,
            asker: session,
            service: 'hashserv',
            open: (signal) => store.openInsightRows(signal),
          }),
        ),
      },
    ]),
  ),
  'insight-status': {
    needs: [READ],
    schema: object({}),
    handle: ({ insights }) => describeState(insights.state),
  },
  'insight-lookups': {
    needs: [READ],
    isLong: () => true,
    schema: object({ limit: LIMIT, span: { enum: ['hour', 'day', 'month'] } }, []),
    handle: lookups,
  },
};

/** What look-ups came to over time. It is there already: nobody waits for it, nor for a turn. */
async function lookups(
  { history }: HashContext,
  { limit = DEFAULT_ENTRIES, span = 'hour' }: { limit?: number; span?: 'hour' | 'day' | 'month' },
) {
  if (!history) throw new InvokeError('insight-lookups: nothing is recorded here', undefined, 'unavailable');
  const { top_misses, ...found } = await history.lookups(span);
  return { ...found, top_misses: top_misses.slice(0, limit), made: found.to, seconds: 0 } as unknown as Json;
}
