import type { Server } from '../../server.ts';
import type { LedServer } from '../../workers/lead.ts';

/** The database is damaged or can no longer be written: starting again would not fix it, so a service manager should not. */
const STATUS_DATABASE_FAILED = 3;

/** A server of this process alone, as one of several is seen. */
export function ofOneProcess(server: Server): LedServer {
  return {
    listeners: server.listeners,
    get clients() {
      return server.hub.size;
    },
    get idleMs() {
      return server.hub.idleMs;
    },
    failed: server.failed.then((error) => ({ error, status: STATUS_DATABASE_FAILED })),
    jobs: server.jobs,
    workers: () => [],
    loading: async () => server.loading(),
    lags: async () => server.lags(),
    check: () => server.check(),
    takeOver: (config) => server.takeOver(config),
    reopen: async () => server.reopen(),
    close: () => server.close(),
  };
}
