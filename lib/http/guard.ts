import type http from 'node:http';
import type { Peer } from '../asyncrpc/service.ts';
import type { ProblemType } from './problem.ts';

/** Why a request is not looked at any further. */
export interface Refusal {
  readonly type: ProblemType;
  readonly detail: string;
}

/** Names and addresses that lead to this machine wherever they are looked up, and addresses, which are not looked up at all. */
const CERTAIN_HOST = /^((.+\.)?localhost|\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.%a-z]+\])(:\d{1,5})?$/i;

/**
 * Where a request comes from: this server's own page, a page of another site, or no page for all it says.
 *
 * Browsers send `Sec-Fetch-Site`, which no page can forge, to whatever is reached over TLS or is of this machine. Elsewhere the Origin must
 * be that of the Host, and that must be an address: a name that an attacker has made lead here would be in both. Over TLS it cannot
 * be, as there is no certificate for it.
 * @param isSecure the browser has reached the server, or a proxy in front of it, over TLS
 */
export function siteOf({ headers }: http.IncomingMessage, isSecure: boolean): 'own' | 'foreign' | 'none' {
  const { origin, host = '' } = headers;
  const site = headers['sec-fetch-site'];
  if (site === 'same-origin') return 'own';
  // A link on another site, or a word typed into the bar, leads here: nothing is read by whoever made it.
  if (origin === undefined && (site === undefined || site === 'none' || headers['sec-fetch-mode'] === 'navigate'))
    return 'none';
  if (origin === undefined || site !== undefined) return 'foreign';
  const isOwn = origin.toLowerCase() === `http${isSecure ? 's' : ''}://${host}`.toLowerCase();
  return isOwn && (isSecure || CERTAIN_HOST.test(host)) ? 'own' : 'foreign';
}

/**
 * Refuses what a page of another site in a browser may have sent, unless its origin is listed. Of a page whose name an
 * attacker has made lead here a browser sends no Origin when it only reads, but the name: whoever has rights because of being on this machine must
 * name it by an address, or as localhost.
 * @param client who asks, a proxy's word considered
 */
export function refusePage(
  request: http.IncomingMessage,
  client: Peer,
  origins: ReadonlySet<string>,
  isSecure: boolean,
): Refusal | null {
  const { origin, host } = request.headers;
  if (origin !== undefined && origins.has(origin.toLowerCase())) return null;
  if (siteOf(request, isSecure) === 'foreign')
    return {
      type: 'origin-refused',
      detail:
        'This comes from a page of another site; the server has --allow-origin for its Origin. Its own page needs https, or an address or localhost in place of a name.',
    };
  if (client.local && host !== undefined && !CERTAIN_HOST.test(host))
    return {
      type: 'host-refused',
      detail: 'On this machine the server is asked as localhost or by an address, and by no other name.',
    };
  return null;
}
