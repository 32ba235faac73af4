import { INSIGHT_RESULTS } from '../../meter/insight-figures.ts';
import type { MetricRow } from '../row.ts';

const INSIGHT = 'an insight (docs/insights.md) that was asked for since the start';

/** What whole databases were asked. */
export const INSIGHT_ROWS: readonly MetricRow[] = [
  {
    name: 'bakeserv_insights_total',
    kind: 'counter',
    help: 'Requests for insights: done, worked out for whoever asked; kept, answered with what was worked out, or is being worked out, for another; refused, too many waited (`--max-waiting-insights`); timeout, it took longer than `--insight-timeout`; abandoned, whoever asked has gone, or the server ended; failed, anything else',
    labels: { insight: INSIGHT, result: INSIGHT_RESULTS },
    read({ insights }, put) {
      for (const [name, { asked }] of insights.insights)
        for (const result of INSIGHT_RESULTS) put(asked[result], name, result);
    },
  },
  {
    name: 'bakeserv_insight_duration_seconds',
    kind: 'histogram',
    help: 'How long an insight is worked out, whatever becomes of it, without its time in the queue',
    labels: { insight: INSIGHT },
    read({ insights }, put) {
      for (const [name, { seconds }] of insights.insights) put(seconds, name);
    },
  },
];
