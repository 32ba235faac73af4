import { object } from '../../asyncrpc/schemas.ts';
import { describeState, type Insight, insightCommand } from '../../insights/insight.ts';
import type { PrCommandRow, PrContext } from '../context.ts';
import type { PrInsightRows } from '../insight-rows.ts';
import { CHURN_ORDERS, type ChurnArgs } from '../insights/churn-orders.ts';
import { READ } from '../permissions.ts';

/** The most recipes that are told one by one. */
const MAX_ENTRIES = 1000;
const DEFAULT_ENTRIES = 100;
/** As far back as moments are kept (lib/storage/sqlite/pr/moments.ts). */
const MAX_DAYS = 400;
const DEFAULT_DAYS = 30;

const CHURN: Insight<PrInsightRows, ChurnArgs> = {
  name: 'churn',
  schema: {
    limit: { type: 'integer', minimum: 1, maximum: MAX_ENTRIES },
    days: { type: 'integer', minimum: 1, maximum: MAX_DAYS },
    sort: { enum: CHURN_ORDERS },
  },
  defaults: { limit: DEFAULT_ENTRIES, days: DEFAULT_DAYS, sort: 'new' },
  load: async () => (await import('../insights/churn.ts')).churn,
};

/** What the database can tell beside look-ups (docs/insights.md). Open as `export` is, which tells every row. */
export const PR_INSIGHT_COMMANDS: Readonly<Record<string, PrCommandRow>> = {
  'insight-status': {
    needs: [],
    users: [READ],
    schema: object({}),
    handle: ({ insights }) => describeState(insights.state),
  },
  'insight-churn': {
    needs: [],
    users: [READ],
    ...insightCommand<PrContext, PrInsightRows, ChurnArgs>(CHURN, ({ insights, asker, store }) => ({
      desk: insights,
      asker,
      service: 'prserv',
      open: (signal) => store.openInsightRows(signal),
    })),
  },
};
