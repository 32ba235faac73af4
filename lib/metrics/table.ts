import type { MetricRow } from './row.ts';
import { CONNECTION_ROWS } from './rows/connections.ts';
import { DATA_ROWS } from './rows/data.ts';
import { INSIGHT_ROWS } from './rows/insights.ts';
import { JOB_ROWS } from './rows/jobs.ts';
import { MIRROR_ROWS } from './rows/mirrors.ts';
import { PROCESS_ROWS } from './rows/process.ts';
import { REQUEST_ROWS } from './rows/requests.ts';
import { STORE_ROWS } from './rows/stores.ts';
import { UPSTREAM_ROWS } from './rows/upstreams.ts';

/** Metrics about one thing. */
export interface MetricGroup {
  readonly title: string;
  readonly rows: readonly MetricRow[];
}

/** Every metric, once. docs/metrics.md is made of it, and the dashboard and the alert rules are compared with it. */
export const METRICS: readonly MetricGroup[] = [
  { title: 'Requests', rows: REQUEST_ROWS },
  { title: 'Connections and limits', rows: CONNECTION_ROWS },
  { title: 'Memory, tables and files', rows: DATA_ROWS },
  { title: 'Writing', rows: STORE_ROWS },
  { title: 'Upstreams', rows: UPSTREAM_ROWS },
  { title: 'Mirrors', rows: MIRROR_ROWS },
  { title: 'Jobs', rows: JOB_ROWS },
  { title: 'Insights', rows: INSIGHT_ROWS },
  { title: 'The process', rows: PROCESS_ROWS },
];
