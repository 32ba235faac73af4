import { type Address, formatAddress } from '../asyncrpc/transport/address.ts';
import { ConfigError } from '../errors.ts';
import type { UpstreamConfig } from './config.ts';
import type { ServiceName } from './listener-spec.ts';
import { environmentName } from './options.ts';

/** A user of an upstream. */
export interface UpstreamLogin {
  readonly username: string;
  readonly token: string;
}

/**
 * Who to log in as at the upstream of a service, or null for nobody. The token is the one given or the
 * one in the file, otherwise the one that netrc has for that user under the full address of the upstream.
 * @throws ConfigError when a user is named and no token can be found
 */
export async function upstreamLogin(
  { logins }: Pick<UpstreamConfig, 'logins'>,
  service: ServiceName,
  address: Address,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<UpstreamLogin | null> {
  const { username, token } = logins[service];
  if (token !== null) {
    if (username === null) throw new ConfigError(`a token for the upstream without --${service}-upstream-user`);
    return { username, token };
  }
  if (username === null) return null;
  const { findCredentials } = await import('../asyncrpc/client/netrc.ts');
  const full = formatAddress(address);
  // As people write it: without the default port of the scheme.
  const name = address.kind === 'ws' ? full.replace(address.secure ? /:443(?=\/|$)/ : /:80(?=\/|$)/, '') : full;
  const found = findCredentials(name, environment) ?? findCredentials(full, environment);
  if (found?.login === username) return { username, token: found.password };
  throw new ConfigError(
    `--${service}-upstream-user ${username}: no token for ${name}; set ${environmentName(`${service}-upstream-token`)} or --${service}-upstream-token-file, or name it in .netrc under machine ${name}`,
  );
}
