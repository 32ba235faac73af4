import type { MetricRow, Put } from '../row.ts';
import { type MetricSources, SERVICES, type ServiceSource } from '../sources.ts';

/** Asking upstreams, and storing what they know. */
export const UPSTREAM_ROWS: readonly MetricRow[] = [
  {
    name: 'bakeserv_upstream_lookups_total',
    kind: 'counter',
    help: 'Look-ups at the upstream: it knows, it does not, no good answer came in time, or it was not asked because the breaker is open',
    labels: { service: SERVICES, result: ['hit', 'miss', 'unanswered', 'not-asked'] },
    read: eachUpstream((upstream, name, put) => {
      put(upstream.lookups.hit, name, 'hit');
      put(upstream.lookups.miss, name, 'miss');
      put(upstream.lookups.unanswered, name, 'unanswered');
      put(upstream.lookups.notAsked, name, 'not-asked');
    }),
  },
  {
    name: 'bakeserv_upstream_lookup_duration_seconds',
    kind: 'histogram',
    help: 'From when look-ups are asked, as many as come together, until the last is answered or given up, counted for each',
    labels: { service: SERVICES },
    read: eachUpstream((upstream, name, put) => put(upstream.lookups.seconds, name)),
  },
  {
    name: 'bakeserv_upstream_wrong_answers_total',
    kind: 'counter',
    help: 'Answers of the upstream that could not be right, and were taken as misses',
    labels: { service: SERVICES },
    read: eachUpstream((upstream, name, put) => put(upstream.lookups.wrong, name)),
  },
  {
    name: 'bakeserv_upstream_breaker_open',
    kind: 'gauge',
    joins: 'max',
    help: '1 while the upstream is not asked, because it does not answer',
    labels: { service: SERVICES },
    read: eachUpstream((upstream, name, put) => put(upstream.isAway ? 1 : 0, name)),
  },
  {
    name: 'bakeserv_upstream_breaker_openings_total',
    kind: 'counter',
    help: 'How often the upstream was given up',
    labels: { service: SERVICES },
    read: eachUpstream((upstream, name, put) => put(upstream.lookups.openings, name)),
  },
  {
    name: 'bakeserv_backfill_queued_rows',
    kind: 'gauge',
    joins: 'sum',
    help: 'Unihashes of the upstream that wait to be stored here',
    labels: {},
    read: ({ services }, put) => put(sumOf(services, 'queued')),
  },
  {
    name: 'bakeserv_backfill_stored_rows_total',
    kind: 'counter',
    help: 'Unihashes of the upstream that were stored here',
    labels: {},
    read: ({ services }, put) => put(sumOf(services, 'stored')),
  },
  {
    name: 'bakeserv_backfill_dropped_rows_total',
    kind: 'counter',
    help: 'Unihashes of the upstream that were answered and not stored: the queue was full, or storing failed',
    labels: {},
    read: ({ services }, put) => put(sumOf(services, 'dropped')),
  },
];

function eachUpstream(use: (upstream: NonNullable<ServiceSource['upstream']>, name: string, put: Put) => void) {
  return ({ services }: MetricSources, put: Put): void => {
    for (const { name, upstream } of services) if (upstream) use(upstream, name, put);
  };
}

function sumOf(services: readonly ServiceSource[], count: 'queued' | 'stored' | 'dropped'): number {
  return services.reduce((sum, { figures }) => sum + figures.backfill[count], 0);
}
