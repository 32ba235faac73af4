import type { MetricRow } from '../row.ts';

/** The process. Names without bakeserv are those that every Prometheus client uses. */
export const PROCESS_ROWS: readonly MetricRow[] = [
  {
    name: 'bakeserv_info',
    kind: 'gauge',
    joins: 'max',
    help: 'Always 1',
    labels: { version: 'the version of bakeserv', node: 'the version of Node.js' },
    read: ({ version }, put) => put(1, version, process.versions.node),
  },
  {
    name: 'bakeserv_workers',
    kind: 'gauge',
    joins: 'sum',
    help: 'Processes that serve (`--workers`)',
    labels: {},
    read: ({ workers }, put) => put(workers().serving),
  },
  {
    name: 'bakeserv_worker_replacements_total',
    kind: 'counter',
    help: 'How often a worker ended by itself, and another took its place',
    labels: {},
    read: ({ workers }, put) => put(workers().replaced),
  },
  {
    name: 'bakeserv_event_loop_delay_seconds',
    kind: 'histogram',
    help: 'How late timers run, looked at 40 times a second: while one is late, nobody is answered',
    labels: {},
    read: ({ eventLoop }, put) => put(eventLoop),
  },
  {
    name: 'process_cpu_seconds_total',
    kind: 'counter',
    help: 'Processor time, of user and system',
    labels: {},
    read(_from, put) {
      const { user, system } = process.cpuUsage();
      put((user + system) / 1e6);
    },
  },
  {
    name: 'process_start_time_seconds',
    kind: 'gauge',
    joins: 'min',
    help: 'When the process began, in seconds since 1970',
    labels: {},
    read: ({ process: { startedAt } }, put) => put(startedAt),
  },
  {
    name: 'process_resident_memory_bytes',
    kind: 'gauge',
    joins: 'sum',
    help: 'Resident memory',
    labels: {},
    read: ({ process: { memory } }, put) => put(memory.rss),
  },
  {
    name: 'process_open_fds',
    kind: 'gauge',
    joins: 'sum',
    help: 'Open file descriptors',
    labels: {},
    read({ process: { openDescriptors } }, put) {
      if (openDescriptors !== null) put(openDescriptors);
    },
  },
  {
    name: 'process_max_fds',
    kind: 'gauge',
    joins: 'sum',
    help: 'Most open file descriptors',
    labels: {},
    read({ process: { maxDescriptors } }, put) {
      if (maxDescriptors !== null) put(maxDescriptors);
    },
  },
  {
    name: 'nodejs_heap_size_used_bytes',
    kind: 'gauge',
    joins: 'sum',
    help: 'Memory of JavaScript objects',
    labels: {},
    read: ({ process: { memory } }, put) => put(memory.heapUsed),
  },
  {
    name: 'nodejs_heap_size_total_bytes',
    kind: 'gauge',
    joins: 'sum',
    help: 'Memory set aside for them',
    labels: {},
    read: ({ process: { memory } }, put) => put(memory.heapTotal),
  },
  {
    name: 'nodejs_external_memory_bytes',
    kind: 'gauge',
    joins: 'sum',
    help: 'Memory outside of it, such as the unihashes in memory',
    labels: {},
    read: ({ process: { memory } }, put) => put(memory.external),
  },
];
