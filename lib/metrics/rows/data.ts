import type { FileSizes } from '../process.ts';
import type { MetricRow, Put } from '../row.ts';
import { CACHES, type CacheSource, LOADER_STATES, type MetricSources, SERVICES } from '../sources.ts';

/** Those of both services. */
const TABLES = ['unihashes_v3', 'outhashes_v2', 'users', 'config', 'PRMAIN'];

/** What the databases hold, and what of it is in memory. */
export const DATA_ROWS: readonly MetricRow[] = [
  {
    name: 'bakeserv_database_bytes',
    kind: 'gauge',
    joins: 'max',
    help: 'Size of the database file, without its log',
    labels: { database: SERVICES },
    read: (from, put) => eachFile(from, ({ databaseBytes }, name) => put(databaseBytes, name)),
  },
  {
    name: 'bakeserv_wal_bytes',
    kind: 'gauge',
    joins: 'max',
    help: 'Size of the write-ahead log. It is overwritten from its start and shrinks rarely; above 64 MiB something keeps it from being moved into the database file',
    labels: { database: SERVICES },
    read: (from, put) => eachFile(from, ({ walBytes }, name) => put(walBytes, name)),
  },
  {
    name: 'bakeserv_disk_free_bytes',
    kind: 'gauge',
    joins: 'min',
    help: 'What is free for this user on the file system of the database',
    labels: { database: SERVICES },
    read: (from, put) => eachFile(from, ({ freeBytes }, name) => put(freeBytes, name)),
  },
  {
    name: 'bakeserv_table_rows',
    kind: 'gauge',
    joins: 'max',
    help: 'Rows of each table, counted in the background at most every five minutes, and only while somebody scrapes',
    labels: { table: TABLES },
    read({ databases }, put) {
      for (const { store } of databases) for (const [table, rows] of store.counts.rows) put(rows, table);
    },
  },
  {
    name: 'bakeserv_table_rows_timestamp_seconds',
    kind: 'gauge',
    joins: 'max',
    help: 'When they were counted, in seconds since 1970',
    labels: { database: SERVICES },
    read({ databases }, put) {
      for (const { name, store } of databases) if (store.counts.countedAt !== null) put(store.counts.countedAt, name);
    },
  },
  {
    name: 'bakeserv_cache_entries',
    kind: 'gauge',
    joins: 'sum',
    help: 'What is in memory: unihashes by task, and PR values by package',
    labels: { cache: CACHES },
    read: eachCache(({ name, state }, put) => put(state.entries, name)),
  },
  {
    name: 'bakeserv_cache_bytes',
    kind: 'gauge',
    joins: 'sum',
    help: 'Memory for it, about',
    labels: { cache: CACHES },
    read: eachCache(({ name, state }, put) => put(state.bytes, name)),
  },
  {
    name: 'bakeserv_cache_hits_total',
    kind: 'counter',
    help: 'Look-ups answered from memory, also those of what is known not to be there',
    labels: { cache: CACHES },
    read: eachCache(({ name, state }, put) => put(state.hits, name)),
  },
  {
    name: 'bakeserv_cache_misses_total',
    kind: 'counter',
    help: 'Look-ups that went to the database',
    labels: { cache: CACHES },
    read: eachCache(({ name, state }, put) => put(state.misses, name)),
  },
  {
    name: 'bakeserv_loader_state',
    kind: 'gauge',
    joins: 'max',
    help: '1 for what is so of the unihashes in memory: loading, checking (other programs have written), all of them are there, or only the newest, as there is no more room; none (`--cache-size` is too small)',
    labels: { state: LOADER_STATES },
    read({ loader }, put) {
      const now = loader?.().state;
      if (now) for (const state of LOADER_STATES) put(state === now ? 1 : 0, state);
    },
  },
  {
    name: 'bakeserv_loader_rows',
    kind: 'gauge',
    joins: 'max',
    help: 'Unihash rows that have been read into memory so far',
    labels: {},
    read({ loader }, put) {
      if (loader) put(loader().rows);
    },
  },
];

function eachFile({ databases, process }: MetricSources, use: (sizes: FileSizes, name: string) => void): void {
  for (const { name, store } of databases) {
    const sizes = process.files.get(store.file);
    if (sizes) use(sizes, name);
  }
}

function eachCache(use: (cache: CacheSource, put: Put) => void) {
  return ({ caches }: MetricSources, put: Put): void => {
    for (const cache of caches) use(cache, put);
  };
}
