import { findCredentials } from '../asyncrpc/client/netrc.ts';
import { type Address, formatAddress } from '../asyncrpc/transport/address.ts';
import { ConfigError } from '../errors.ts';
import type { UpstreamConfig } from './config.ts';

/** A user of an upstream. */
export interface UpstreamLogin {
  readonly username: string;
  readonly token: string;
}

/**
 * Who to log in as at the hash equivalence upstream, or null for nobody. The token is the one given or the
 * one in the file, otherwise the one that netrc has for that user under the full address of the upstream.
 * @throws ConfigError when a user is named and no token can be found
 */
export async function upstreamLogin(
  { username, token }: UpstreamConfig,
  address: Address,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<UpstreamLogin | null> {
  if (token !== null) {
    if (username === null) throw new ConfigError('a token for the upstream without --hashserv-upstream-user');
    return { username, token };
  }
  if (username === null) return null;
  const full = formatAddress(address);
  // As people write it: without the default port of the scheme.
  const name = address.kind === 'ws' ? full.replace(address.secure ? /:443(?=\/|$)/ : /:80(?=\/|$)/, '') : full;
  const found = findCredentials(name, environment) ?? findCredentials(full, environment);
  if (found?.login === username) return { username, token: found.password };
  throw new ConfigError(
    `--hashserv-upstream-user ${username}: no token for ${name}; set BAKESERV_HASHSERV_UPSTREAM_TOKEN or --hashserv-upstream-token-file, or name it in .netrc under machine ${name}`,
  );
}
