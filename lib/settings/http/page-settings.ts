import path from 'node:path';
import { type Address, formatAddress, parseAddress, protocolAddress } from '../../asyncrpc/transport/address.ts';
import { ConfigError, errorText } from '../../errors.ts';
import { isPostgresAddress } from '../database-address.ts';
import type { Option } from '../options.ts';

/** The page, and who is believed there. */
export interface PageConfig {
  /** In small letters; null: no proxy names users. */
  readonly userHeader: string | null;
  /** Sources that administrators may pull from, apart from the user that the server runs as. */
  readonly pullFrom: readonly string[];
}

export const PAGE_ROWS: readonly Omit<Option, 'group'>[] = [
  {
    name: 'page',
    type: 'boolean',
    default: true,
    describe:
      'Show the page on http:// and https:// listeners; --no-page turns it off, no-page behind an address for that one',
    reloads: true,
  },
  {
    name: 'user-header',
    type: 'string',
    default: undefined,
    describe:
      'A header of HTTP requests, such as X-Remote-User, in which a proxy of --trust-proxy names the user that it has logged in; of anybody else it is ignored',
  },
  {
    name: 'page-pull-from',
    type: 'strings',
    default: undefined,
    describe:
      'Addresses of servers that administrators (@db-admin) may pull from over the API and on the page: a comma-separated list; by default only the user that the server runs as may pull',
  },
];

/** Headers that mean something else already. */
const TAKEN =
  /^(authorization|cookie|host|origin|forwarded|via|connection|upgrade|content-.*|accept.*|sec-.*|x-forwarded-.*|x-real-ip|transfer-encoding)$/;

/** @throws ConfigError */
export function pageOf(
  value: (name: string) => unknown,
  where: (name: string) => string,
  trustProxy: readonly string[],
): PageConfig {
  const userHeader = (value('user-header') as string | undefined)?.toLowerCase() ?? null;
  if (userHeader !== null && (!/^[a-z0-9-]{1,64}$/.test(userHeader) || TAKEN.test(userHeader)))
    throw new ConfigError(
      `${where('user-header')}: ${JSON.stringify(userHeader)} is not the name of a header for users, such as X-Remote-User`,
    );
  if (userHeader !== null && trustProxy.length === 0)
    throw new ConfigError(
      `${where('user-header')}: only proxies are believed that --trust-proxy names: name one there`,
    );
  const pullFrom = ((value('page-pull-from') as readonly string[] | undefined) ?? [])
    .flatMap((text) => text.split(/[\s,]+/))
    .filter(Boolean)
    .map((text) => sourceOf(text, where('page-pull-from')));
  return { userHeader, pullFrom };
}

/** Only servers: whoever may pull from files and databases is the user that the server runs as. */
function sourceOf(text: string, where: string): string {
  const bad = (why: string) => new ConfigError(`${where}: ${JSON.stringify(text)}: ${why}`);
  if (isPostgresAddress(text) || path.isAbsolute(text)) throw bad('only addresses of servers can be named here');
  let address: Address;
  try {
    address = parseAddress(text);
  } catch (error) {
    throw bad(errorText(error));
  }
  if (address.kind === 'http')
    throw bad(`nothing is pulled over HTTP; this server is reached as ${formatAddress(protocolAddress(address))}`);
  return formatAddress(address);
}

/**
 * An origin as browsers send it. `*` and `null` are refused on purpose: every page on the web can have the latter.
 * @throws ConfigError
 */
export function parseOrigin(text: string, where: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.host && !url.username && !url.search && !url.hash && /^\/?$/.test(url.pathname)) {
    return `${url.protocol}//${url.host}`.toLowerCase();
  }
  throw new ConfigError(`${where}: ${JSON.stringify(text)} is not an origin such as https://ci.example.org`);
}
