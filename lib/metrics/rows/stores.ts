import { ERROR_CODES } from '../../errors.ts';
import { CHECKPOINTS } from '../../meter/store-figures.ts';
import type { MetricRow, Put } from '../row.ts';
import { type DatabaseSource, type MetricSources, SERVICES } from '../sources.ts';

const DATABASE = SERVICES;
const FAILURES = [...Object.keys(ERROR_CODES).filter((code) => code.startsWith('storage-')), 'other'];

/** Writing to the databases. */
export const STORE_ROWS: readonly MetricRow[] = [
  {
    name: 'bakeserv_write_batch_operations',
    kind: 'histogram',
    help: 'Operations (reports, PR values and so on) that were committed together',
    labels: { database: DATABASE },
    read: eachDatabase(({ name, store: { figures } }, put) => put(figures.batchOperations, name)),
  },
  {
    name: 'bakeserv_write_batch_duration_seconds',
    kind: 'histogram',
    help: 'From when a batch is taken up until it is committed, with waiting for locks of other programs',
    labels: { database: DATABASE },
    read: eachDatabase(({ name, store: { figures } }, put) => put(figures.batchSeconds, name)),
  },
  {
    name: 'bakeserv_commit_duration_seconds',
    kind: 'histogram',
    help: 'Commits: a COMMIT, or a statement that is its own transaction. synced="yes" (sync mode immediate): each ends with an fsync of the log, which SQLite does not time apart',
    labels: { database: DATABASE, synced: ['yes', 'no'] },
    read: eachDatabase(({ name, store: { figures }, isSynced }, put) =>
      put(figures.commitSeconds, name, isSynced ? 'yes' : 'no'),
    ),
  },
  {
    name: 'bakeserv_fsync_duration_seconds',
    kind: 'histogram',
    help: 'Syncs of the log that the server makes itself (sync mode periodic)',
    labels: { database: DATABASE },
    read: eachDatabase(({ name, store: { figures } }, put) => put(figures.syncSeconds, name)),
  },
  {
    name: 'bakeserv_write_failures_total',
    kind: 'counter',
    help: 'Operations that were not stored, by the code of the error (docs/errors.md)',
    labels: { database: DATABASE, code: FAILURES },
    read({ databases }, put) {
      for (const {
        name,
        store: { figures },
      } of databases)
        for (const code of FAILURES) put(figures.failures.get(code) ?? 0, name, code);
    },
  },
  {
    name: 'bakeserv_write_queue_operations',
    kind: 'gauge',
    joins: 'sum',
    help: 'Operations that wait for their transaction',
    labels: { database: DATABASE },
    read: eachDatabase(({ name, store }, put) => put(store.writer?.queued ?? 0, name)),
  },
  {
    name: 'bakeserv_write_gate_requests',
    kind: 'gauge',
    joins: 'sum',
    help: 'Requests that write, from when they are handed over until they are answered; a long one counts as several',
    labels: { database: DATABASE },
    read: eachDatabase(({ name, gate }, put) => put(gate.requests, name)),
  },
  {
    name: 'bakeserv_write_gate_limit',
    kind: 'gauge',
    joins: 'sum',
    help: 'With so many of them the gate is closed: further ones wait, unread, on their connections',
    labels: { database: DATABASE },
    read: eachDatabase(({ name, gate }, put) => put(gate.limit, name)),
  },
  {
    name: 'bakeserv_write_gate_waiting_connections',
    kind: 'gauge',
    joins: 'sum',
    help: 'Connections that wait at the gate now',
    labels: { database: DATABASE },
    read: eachDatabase(({ name, gate }, put) => put(gate.waiting, name)),
  },
  {
    name: 'bakeserv_write_gate_waits_total',
    kind: 'counter',
    help: 'How often a connection had to wait at the gate',
    labels: { database: DATABASE },
    read: eachDatabase(({ name, gate }, put) => put(gate.waits, name)),
  },
  {
    name: 'bakeserv_standby_lag_seconds',
    kind: 'gauge',
    joins: 'max',
    help: 'How far the PostgreSQL standby is behind that look-ups are answered from: what was written longer ago is there. 0 when everything that the primary has sent is; absent for a primary',
    labels: { database: DATABASE },
    read: eachDatabase(({ name, store }, put) => {
      if (typeof store.lag?.seconds === 'number') put(store.lag.seconds, name);
    }),
  },
  {
    name: 'bakeserv_standby_lag_bytes',
    kind: 'gauge',
    joins: 'max',
    help: 'Write-ahead log that this standby has not replayed. A user in pg_read_all_stats also sees what is still on its way; absent while the primary sends nothing',
    labels: { database: DATABASE },
    read: eachDatabase(({ name, store }, put) => {
      if (typeof store.lag?.bytes === 'number') put(store.lag.bytes, name);
    }),
  },
  {
    name: 'bakeserv_standby_streaming',
    kind: 'gauge',
    joins: 'min',
    help: '1 while the primary sends this standby what is written, 0 while it does not: then it gets further behind',
    labels: { database: DATABASE },
    read: eachDatabase(({ name, store }, put) => {
      if (store.lag) put(store.lag.streaming ? 1 : 0, name);
    }),
  },
  {
    name: 'bakeserv_checkpoints_total',
    kind: 'counter',
    help: 'Checkpoints, which move the log into the database file. held: a reader, often another program, kept one from moving all of it',
    labels: { database: DATABASE, mode: CHECKPOINTS, result: ['done', 'held'] },
    read({ databases }, put) {
      for (const {
        name,
        store: { figures },
      } of databases) {
        for (const mode of CHECKPOINTS) {
          put(figures.checkpoints[mode].done, name, mode, 'done');
          put(figures.checkpoints[mode].held, name, mode, 'held');
        }
      }
    },
  },
  {
    name: 'bakeserv_checkpoint_duration_seconds',
    kind: 'histogram',
    help: 'How long checkpoints took',
    labels: { database: DATABASE, mode: CHECKPOINTS },
    read({ databases }, put) {
      for (const {
        name,
        store: { figures },
      } of databases)
        for (const mode of CHECKPOINTS) put(figures.checkpoints[mode].seconds, name, mode);
    },
  },
];

function eachDatabase(use: (database: DatabaseSource, put: Put) => void) {
  return ({ databases }: MetricSources, put: Put): void => {
    for (const database of databases) use(database, put);
  };
}
