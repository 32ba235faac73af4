import path from 'node:path';
import { findCredentials } from '../asyncrpc/client/netrc.ts';
import type { Login } from '../asyncrpc/client/options.ts';
import { formatAddress, parseAddress } from '../asyncrpc/transport/address.ts';
import { readPrivateFile } from '../asyncrpc/transport/private-file.ts';
import { InvokeError } from '../errors.ts';
import { isPostgresAddress } from '../settings/database-address.ts';
import { sourceOf } from './files/database-source.ts';
import { openFile } from './files/open-file.ts';
import type { PullParameters } from './parameters.ts';
import type { PullParts } from './parts.ts';
import type { Selection } from './selection.ts';
import { openServerSource } from './server-source.ts';
import type { PullSource } from './source.ts';

/**
 * Opens what a pull reads from.
 * @throws AddressError, StorageError, ConfigError, InvokeError
 */
export async function openSource(
  parameters: PullParameters,
  selection: Selection,
  means: PullParts,
  signal: AbortSignal,
): Promise<PullSource> {
  const { trust, databases, openTaskIndex } = means;
  const {
    source,
    ca = trust.caFile,
    tls_cert: certFile = trust.certFile,
    tls_key: keyFile = trust.keyFile,
  } = parameters;
  if (isPostgresAddress(source)) {
    const database = await databases.open(source);
    return sourceOf(database.name, [database], false);
  }
  if (path.isAbsolute(source)) {
    const served = [means.hashes?.database, means.prs?.database].filter((file) => file !== undefined);
    return openFile(source, { databases, own: [...served, ...databases.own], openTaskIndex, signal });
  }
  const address = parseAddress(source);
  const login = loginFor(parameters, formatAddress(address));
  const { hashes, prs } = selection;
  return openServerSource(address, { login, caFile: ca, certFile, keyFile, hashes, prs, signal });
}

/** The token is read when it is needed, and kept nowhere. */
function loginFor({ user, token_file: file }: PullParameters, address: string): Login | undefined {
  if (user === undefined) {
    const found = findCredentials(address);
    return found ? { username: found.login, token: found.password } : undefined;
  }
  if (file !== undefined) return { username: user, token: readPrivateFile(file, '--token-file').trim() };
  const found = findCredentials(address);
  if (found?.login === user) return { username: user, token: found.password };
  throw new InvokeError(
    `pull: no token for ${user} at ${address}: name a file with --token-file, or put it into .netrc`,
  );
}
