import path from 'node:path';
import type { ServerHub } from '../asyncrpc/server/hub.ts';
import { formatAddress } from '../asyncrpc/transport/address.ts';
import { createProxies } from '../asyncrpc/transport/proxies.ts';
import type { HttpDoor, HttpDoorOptions } from '../http/door.ts';
import type { Logger } from '../log.ts';
import type { Config, ServiceConfig } from '../settings/config.ts';

/** What is served over HTTP, apart from what the settings say. */
interface Parts
  extends Pick<HttpDoorOptions, 'stores' | 'metrics' | 'clients' | 'history'>,
    Pick<HttpDoorOptions['facts'], 'mirrors' | 'jobs' | 'warnings'> {
  readonly hub: ServerHub;
  readonly listeners: HttpDoorOptions['facts']['listeners'];
  readonly sessions: HttpDoorOptions['page']['sessions'];
}

/** Loads what serves HTTP: done only where such a listener is configured, because every other server should start fast. */
export async function openHttpDoor(config: Config, log: Logger, parts: Parts): Promise<HttpDoor> {
  const { createHttpDoor } = await import('../http/door.ts');
  const { hub, stores, metrics, listeners, clients, mirrors, jobs, warnings, history, sessions } = parts;
  const { limits, allowOrigins, trustProxy, sharedState } = config;
  const facts = { ...factsOf(config), listeners, mirrors, jobs, warnings };
  const proxies = createProxies(trustProxy);
  return createHttpDoor({
    hub,
    limits,
    log,
    allowOrigins,
    proxies,
    stores,
    servicesFor: hub.servicesFor,
    facts,
    metrics,
    page: { sessions, ...config.page, hasSharedState: sharedState.folder !== null || sharedState.mirror !== null },
    clients,
    history,
  });
}

/** Where the databases and the upstreams are. */
function factsOf({ hashserv, prserv }: Pick<Config, 'hashserv' | 'prserv'>) {
  const upstream = (service: ServiceConfig | null) => (service?.upstream ? formatAddress(service.upstream) : null);
  const file = (service: ServiceConfig | null) => service && path.resolve(service.file);
  return {
    databases: { hashserv: file(hashserv), prserv: file(prserv) },
    upstreams: { hashserv: upstream(hashserv), prserv: upstream(prserv) },
  };
}
