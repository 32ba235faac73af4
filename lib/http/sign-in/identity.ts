import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Peer } from '../../asyncrpc/service.ts';
import type { Proxies } from '../../asyncrpc/transport/proxies.ts';
import { type Credentials, isPrivate, readCredentials } from '../api/credentials.ts';
import { ApiProblem } from '../api/failure.ts';
import { siteOf } from '../guard.ts';
import { isSecure } from '../secure.ts';
import { readSessionCookie } from './cookie.ts';
import type { Sessions, SignedIn } from './sessions.ts';

/** By what a client is the user it is. */
export type Means = 'token' | 'proxy' | 'session' | 'certificate';

/** Who makes a request. */
export interface Identity {
  /** The client; as its `user` whom a proxy, a session or a certificate names. */
  readonly peer: Peer;
  /** A login that is yet to be checked. */
  readonly credentials: Credentials | null;
  /** Null: nobody in particular. */
  readonly by: Means | null;
  /** The session, if it is by one. */
  readonly session: SignedIn | null;
}

export interface IdentifyOptions {
  /** Null where nobody can sign in. */
  readonly sessions: Sessions | null;
  /** The header in which proxies name the user, in small letters; null: none. */
  readonly userHeader: string | null;
  readonly proxies: Proxies;
  /** The connection that a request came by. */
  clientOf(request: IncomingMessage): { readonly socket: Duplex; readonly peer: Peer };
  /** Who asks, the words of proxies considered. */
  peerOf(request: IncomingMessage): Peer;
}

/**
 * Finds out who makes a request: whom a trusted proxy names, otherwise whose login comes with it, otherwise who is signed in on the
 * page, otherwise whom the certificate names. What is wrong with that is thrown.
 */
export function createIdentify({ sessions, userHeader, proxies, clientOf, peerOf }: IdentifyOptions) {
  return async (request: IncomingMessage): Promise<Identity> => {
    const { socket, peer: connected } = clientOf(request);
    const { headers } = request;
    const peer = peerOf(request);
    // Of anybody else the header is not even looked at.
    const named = userHeader !== null && proxies.trusts(connected.address) ? userOf(request, userHeader) : null;
    if (named !== null)
      return { peer: { ...peer, user: named, namedBy: 'the proxy' }, credentials: null, by: 'proxy', session: null };
    if (headers.authorization !== undefined) {
      // It is not even looked at: whoever reads along must not learn from the answer whether it is right.
      if (!isPrivate(socket, connected, headers)) throw insecureLogin();
      return { peer, credentials: readCredentials(headers.authorization), by: 'token', session: null };
    }
    const value = sessions && sessionOf(request, peer);
    const session = value === null ? null : await sessions!.find(value);
    if (session) return { peer: inSession(peer, session), credentials: null, by: 'session', session };
    return { peer, credentials: null, by: peer.user === undefined ? null : 'certificate', session: null };
  };

  /** The cookie of a request that the page makes; null where there is none, or where it must not count. */
  function sessionOf(request: IncomingMessage, { rights }: Peer): string | null {
    const client = clientOf(request);
    const secure = isSecure(request, client, proxies);
    if (rights?.page === false || !isPrivate(client.socket, client.peer, request.headers)) return null;
    const value = readSessionCookie(request.headers.cookie, secure);
    if (value === null) return null;
    const site = siteOf(request, secure);
    if (site === 'own') return value;
    // A browser says of every request that may change something where it comes from.
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new ApiProblem(
        'origin-refused',
        'Who is signed in changes something from the page alone: Origin is missing.',
      );
    return site === 'none' ? value : null;
  }
}

/** The client as who is signed in. */
export function inSession(peer: Peer, { username }: SignedIn): Peer {
  return { ...peer, user: username, namedBy: 'the session' };
}

export function insecureLogin(): ApiProblem {
  return new ApiProblem(
    'insecure-login',
    'A token is taken over TLS only, or from this machine. This one was read by others: replace it.',
  );
}

/**
 * Whom the header names; null where it is absent or empty.
 * @throws ApiProblem where it is there twice: one of them is then the client's own
 */
function userOf({ rawHeaders }: IncomingMessage, header: string): string | null {
  const values = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === header);
  if (values.length > 1)
    throw new ApiProblem('bad-request', `${header} is there twice: the proxy must replace what its clients send.`);
  // Node.js takes the bytes of a header for latin1.
  const name = Buffer.from(values[0] ?? '', 'latin1')
    .toString()
    .trim();
  return name === '' ? null : name;
}
