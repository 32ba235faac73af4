import { MIRROR_ENDS, MIRROR_ROW_KINDS } from '../../meter/mirror-status.ts';
import type { MetricRow } from '../row.ts';

const SOURCE = 'the address of the server that is mirrored (`--mirror`)';

/** Servers that this one keeps itself level with. */
export const MIRROR_ROWS: readonly MetricRow[] = [
  {
    name: 'bakeserv_mirror_lag_seconds',
    kind: 'gauge',
    joins: 'max',
    help: 'How long ago the last run began that made this server level with the source; since the start, where there was none',
    labels: { source: SOURCE },
    read({ mirrors }, put) {
      for (const { source, lag_seconds: lagSeconds } of mirrors()) put(lagSeconds, source);
    },
  },
  {
    name: 'bakeserv_mirror_interval_seconds',
    kind: 'gauge',
    joins: 'max',
    help: 'From the end of a run to the next, as it is set; after a failure it comes sooner',
    labels: { source: SOURCE },
    read({ mirrors }, put) {
      for (const { source, every_seconds: everySeconds } of mirrors()) put(everySeconds, source);
    },
  },
  {
    name: 'bakeserv_mirror_failing',
    kind: 'gauge',
    joins: 'max',
    help: '1 where the last run failed: away, the source did not answer; refused, it did, and the run failed all the same',
    labels: { source: SOURCE, why: ['away', 'refused'] },
    read({ mirrors }, put) {
      for (const { source, state } of mirrors())
        for (const why of ['away', 'refused'] as const) put(state === why ? 1 : 0, source, why);
    },
  },
  {
    name: 'bakeserv_mirror_runs_total',
    kind: 'counter',
    help: 'Runs by what came of them',
    labels: { source: SOURCE, result: MIRROR_ENDS },
    read({ mirrors }, put) {
      for (const { source, runs } of mirrors()) for (const end of MIRROR_ENDS) put(runs[end], source, end);
    },
  },
  {
    name: 'bakeserv_mirror_rows_total',
    kind: 'counter',
    help: 'Rows of the source that were new here and were taken',
    labels: { source: SOURCE, rows: MIRROR_ROW_KINDS },
    read({ mirrors }, put) {
      for (const { source, rows } of mirrors()) for (const kind of MIRROR_ROW_KINDS) put(rows[kind], source, kind);
    },
  },
];
