import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Peer } from '../../asyncrpc/service.ts';
import { isLoopback } from '../../asyncrpc/transport/address.ts';
import { ApiProblem } from './failure.ts';

/** A user and its token. */
export interface Credentials {
  readonly username: string;
  readonly token: string;
}

/**
 * Whether a token that comes by a connection was read by nobody on its way: it came over TLS, or from this machine. Of what
 * comes from a proxy on this machine the proxy must not say that it got it otherwise.
 * @param peer who made the connection
 */
export function isPrivate(socket: Duplex, peer: Peer, headers: IncomingHttpHeaders): boolean {
  if ('encrypted' in socket && socket.encrypted === true) return true;
  const here = peer.local || (peer.proxy !== undefined && isLoopback(peer.proxy.replace(/:\d+$/, '')));
  const before = headers['x-forwarded-proto'];
  return here && (before === undefined || before === 'https');
}

/**
 * The login of a request (RFC 7617); null without one.
 * @throws ApiProblem where it is not Basic, or cannot be read
 */
export function readCredentials(authorization: string | undefined): Credentials | null {
  if (authorization === undefined) return null;
  const bad = () => new ApiProblem('unauthorized', 'The login must be Basic: a user and its token.');
  const encoded = /^Basic +([\w+/=-]+) *$/i.exec(authorization)?.[1];
  if (!encoded) throw bad();
  const bytes = Buffer.from(encoded, 'base64');
  const text = bytes.toString();
  const colon = text.indexOf(':');
  if (!isUtf8(bytes) || colon < 1) throw bad();
  return { username: text.slice(0, colon), token: text.slice(colon + 1) };
}
