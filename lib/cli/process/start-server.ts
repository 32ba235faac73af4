import type { InheritedSocket } from '../../asyncrpc/transport/inherited.ts';
import type { Logger } from '../../log.ts';
import { type Server, startServer } from '../../server.ts';
import type { Config } from '../../settings/config.ts';
import type { LeadOptions, LedServer } from '../../workers/lead.ts';
import { selfCommand } from './background.ts';

/** The database is damaged or can no longer be written: starting again would not fix it, so a service manager should not. */
const STATUS_DATABASE_FAILED = 3;

/**
 * Starts a server of as many processes as the settings want.
 * @param inherited listening sockets that replace the configured addresses
 * @param onStarting as `leadWorkers` has it
 */
export async function startProcesses(
  config: Config,
  log: Logger,
  inherited: readonly InheritedSocket[],
  onStarting: LeadOptions['onStarting'],
): Promise<LedServer> {
  if (inherited.length > 0)
    log.info('serving on the sockets handed over instead of --bind', { sockets: inherited.length });
  if (config.workers > 1) {
    const { leadWorkers } = await import('../../workers/lead.ts');
    return leadWorkers({ config, log, inherited, command: [...selfCommand(), 'worker'], onStarting });
  }
  return ofOneProcess(await startServer(config, log, inherited));
}

/** A server of this process alone, as one of several is seen. */
function ofOneProcess(server: Server): LedServer {
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
    mirrors: () => server.mirrors.list(),
    warnings: () => server.warnings.list(server.listeners),
    check: () => server.check(),
    takeOver: (config) => server.takeOver(config),
    reopen: async () => server.reopen(),
    close: () => server.close(),
  };
}
