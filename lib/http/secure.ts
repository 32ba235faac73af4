import type http from 'node:http';
import type { Duplex } from 'node:stream';
import type { Peer } from '../asyncrpc/service.ts';
import type { Proxies } from '../asyncrpc/transport/proxies.ts';

/**
 * Whether the browser has made its request over TLS: to this server, or to a proxy that is believed.
 * @param peer who made the connection
 */
export function isSecure(
  { headers }: http.IncomingMessage,
  { socket, peer }: { readonly socket: Duplex; readonly peer: Peer },
  proxies: Proxies,
): boolean {
  if (proxies.trusts(peer.address)) {
    const before = headers['x-forwarded-proto'];
    if (before !== undefined) return before === 'https';
  }
  return 'encrypted' in socket && socket.encrypted === true;
}
