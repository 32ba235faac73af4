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
 * Refuses what a page in a browser may have sent. A request with an Origin comes from a page; it is refused unless listed,
 * even where it names this host: so does a page whose name an attacker has made lead here. Of such a page a browser sends
 * no Origin when it only reads, but the name: whoever has rights because of being on this machine must name it by an
 * address, or as localhost.
 * @param client who asks, a proxy's word considered
 */
export function refusePage(
  { headers }: http.IncomingMessage,
  client: Peer,
  origins: ReadonlySet<string>,
): Refusal | null {
  const { origin, host } = headers;
  if (origin !== undefined && !origins.has(origin.toLowerCase()))
    return { type: 'origin-refused', detail: 'This Origin is not allowed; the server has --allow-origin for it.' };
  if (client.local && origin === undefined && host !== undefined && !CERTAIN_HOST.test(host))
    return {
      type: 'host-refused',
      detail: 'On this machine the server is asked as localhost or by an address, and by no other name.',
    };
  return null;
}
