import type { UpstreamLink, UpstreamLinkOptions } from '../asyncrpc/upstream/link.ts';
import type { Config } from '../settings/config.ts';
import type { ServiceName } from '../settings/listener-spec.ts';
import { upstreamLogin } from '../settings/upstream-login.ts';
import { type Follower, followLogin } from './followers.ts';

/** The protocol of each service, and what log lines call it. */
const KINDS = {
  hashserv: { protocol: 'OEHASHEQUIV 1.1', service: 'hash equivalence' },
  prserv: { protocol: 'PRSERVICE 1.0', service: 'PR' },
} as const;

/**
 * The link to the upstream of a service, or null if it has none: what makes one is loaded only where it is needed.
 * @param followers gets one that takes over another login
 * @throws ConfigError when there is no token for the login
 */
export async function linkUpstream(
  config: Config,
  service: ServiceName,
  followers: Follower[],
  options: Pick<UpstreamLinkOptions, 'guard' | 'log' | 'isMiss'>,
): Promise<UpstreamLink | null> {
  const address = config[service]?.upstream;
  if (!address) return null;
  const [{ dial }, { createUpstreamLink }] = await Promise.all([
    import('../asyncrpc/transport/dial.ts'),
    import('../asyncrpc/upstream/link.ts'),
  ]);
  const { limits } = config;
  const { timeoutMs, reportTimeoutMs, connectTimeoutMs, caFile, certificate } = config.upstream;
  const login = await upstreamLogin(config.upstream, service, address);
  const dialing = { timeoutMs: connectTimeoutMs, caFile, ...certificate, maxMessageBytes: limits.maxMessageBytes };
  const link = createUpstreamLink({
    address,
    dial: async () => (await dial(address, dialing)).stream,
    ...KINDS[service],
    login,
    timeoutMs,
    patientTimeoutMs: reportTimeoutMs,
    limits,
    ...options,
  });
  followers.push(followLogin(service, address, login, (now) => link.logInAs(now)));
  return link;
}
