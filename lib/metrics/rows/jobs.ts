import { JOB_OUTCOMES } from '../../meter/job-figures.ts';
import type { MetricRow } from '../row.ts';

const KIND = 'a kind of job (docs/jobs.md) of which there was one since the start';

/** Long work in the background. */
export const JOB_ROWS: readonly MetricRow[] = [
  {
    name: 'bakeserv_jobs',
    kind: 'gauge',
    joins: 'sum',
    help: 'Jobs that run, and that wait for a worker or for another job on the same database',
    labels: { kind: KIND, state: ['running', 'waiting'] },
    read({ jobs }, put) {
      for (const state of ['running', 'waiting'] as const) {
        const counts = jobs.count(state);
        // Also 0: a line that goes away looks like a scrape that failed.
        for (const kind of jobs.kinds.keys()) put(counts.get(kind) ?? 0, kind, state);
      }
    },
  },
  {
    name: 'bakeserv_jobs_waiting_seconds',
    kind: 'gauge',
    joins: 'max',
    help: 'How long the oldest of those has waited that wait; 0 when none does',
    labels: {},
    read({ jobs }, put) {
      const since = jobs.waitingSince;
      // Clocks are set back.
      put(since === null ? 0 : Math.max(0, (Date.now() - Date.parse(since)) / 1000));
    },
  },
  {
    name: 'bakeserv_jobs_ended_total',
    kind: 'counter',
    help: 'Jobs that have ended, by how: interrupted means that the server ended while it ran, and it could not go on',
    labels: { kind: KIND, outcome: JOB_OUTCOMES },
    read({ jobs }, put) {
      for (const [kind, { ended }] of jobs.kinds)
        for (const outcome of JOB_OUTCOMES) put(ended[outcome], kind, outcome);
    },
  },
  {
    name: 'bakeserv_job_duration_seconds',
    kind: 'histogram',
    help: 'From when a job begins, or goes on after a restart, to its end, whatever that is',
    labels: { kind: KIND },
    read({ jobs }, put) {
      for (const [kind, { seconds }] of jobs.kinds) put(seconds, kind);
    },
  },
];
