import type { IncomingMessage } from 'node:http';
import type { Service } from '../../asyncrpc/service.ts';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import type { Logger } from '../../log.ts';
import { Caller, USERS } from '../api/call.ts';
import { ApiProblem } from '../api/failure.ts';
import { API_ROUTES } from '../api/routes.ts';
import { isSecure } from '../secure.ts';
import { readSessionCookie, sessionCookie } from './cookie.ts';
import { type IdentifyOptions, type Identity, inSession, insecureLogin } from './identity.ts';

/** What is answered, and the cookie that comes with it. */
export interface SignInAnswer {
  readonly answer: Json;
  /** Absent: the browser keeps what it has. */
  readonly cookie?: string;
}

/** Signing in on the page and out again. What is wrong is thrown. */
export interface SignIn {
  who(request: IncomingMessage): Promise<SignInAnswer>;
  begin(request: IncomingMessage, body: { readonly [key: string]: Json }): Promise<SignInAnswer>;
  end(request: IncomingMessage): Promise<SignInAnswer>;
}

export interface SignInOptions extends IdentifyOptions {
  identify(request: IncomingMessage): Promise<Identity>;
  callerOf(identity: Identity): Caller;
  /** Whether a token that comes with the request was read by nobody on its way. */
  mayLogIn(request: IncomingMessage): boolean;
  servicesFor(request: IncomingMessage): ReadonlyMap<string, Service>;
  /** Sources that administrators may pull from. */
  readonly pullFrom: readonly string[];
  /** Whether the server is told of a shared state, which administrators may have compared. */
  readonly hasSharedState: boolean;
  readonly log: Logger;
}

const SERVICES = { hashserv: USERS, prserv: 'PRSERVICE' } as const;

export function createSignIn(options: SignInOptions): SignIn {
  const { sessions, clientOf, peerOf, proxies, log } = options;
  const isSecureOf = (request: IncomingMessage) => isSecure(request, clientOf(request), proxies);
  const isShown = (request: IncomingMessage) => peerOf(request).rights?.page !== false;
  const takesLogins = (request: IncomingMessage) =>
    sessions !== null && !sessions.readOnly && isShown(request) && options.mayLogIn(request);

  /** The session that a request's cookie is of, whoever else the client may be. */
  async function sessionIn(request: IncomingMessage): Promise<string | null> {
    const value = isShown(request) ? readSessionCookie(request.headers.cookie, isSecureOf(request)) : null;
    return value !== null && (await sessions?.find(value)) ? value : null;
  }

  /** Who is asking, and what that client may do here: the page shows what is possible. */
  async function describe(request: IncomingMessage, identity: Identity): Promise<Json> {
    const caller = options.callerOf(identity);
    try {
      const may: Record<string, Json> = {};
      for (const [name, protocol] of Object.entries(SERVICES))
        if (caller.speaks(protocol)) may[name] = await openCommands(caller, protocol);
      const user = caller.username;
      const self = user === null || !caller.speaks(USERS) ? null : await caller.run(USERS, 'get-user', {}, () => null);
      const isAdmin = (may.hashserv as string[] | undefined)?.includes('job-start') ?? false;
      return {
        user,
        by: user === null ? null : identity.by,
        expires: identity.session?.expires.toISOString() ?? null,
        permissions: (self as { readonly permissions: string[] } | null)?.permissions ?? [],
        sign_in: takesLogins(request),
        may,
        pull_from: isAdmin ? [...options.pullFrom] : [],
        shared_state: isAdmin && options.hasSharedState,
      };
    } finally {
      caller.close();
    }
  }

  return {
    async who(request) {
      const identity = await options.identify(request);
      const answer = await describe(request, identity);
      const secure = isSecureOf(request);
      const isOver = identity.by !== 'session' && readSessionCookie(request.headers.cookie, secure) !== null;
      return { answer, ...(isOver && !(await sessionIn(request)) && { cookie: sessionCookie(null, secure) }) };
    },

    async begin(request, { username, token, ...others }) {
      if (!isShown(request)) throw new ApiProblem('not-served', 'This listener shows no page to sign in on.');
      if (!options.mayLogIn(request)) throw insecureLogin();
      if (!sessions) throw new ApiProblem('not-served', 'This server has no users.');
      if (sessions.readOnly)
        throw new ApiProblem(
          'read-only',
          'Nobody can sign in here: sessions are kept in the database, which is read-only.',
        );
      if (typeof username !== 'string' || typeof token !== 'string' || Object.keys(others).length > 0)
        throw new ApiProblem('invalid', 'Who signs in gives username and token, and nothing more.');
      const peer = peerOf(request);
      const caller = new Caller(options.servicesFor(request), peer, { username, token });
      request.socket.once('close', () => caller.close());
      try {
        await caller.logIn();
      } finally {
        caller.close();
      }
      const session = await sessions.begin(username, token);
      if (!session) throw new ApiProblem('unauthorized', `Unable to authenticate as ${username}`);
      const before = await sessionIn(request);
      if (before !== null) await sessions.end(before);
      log.info('signed in on the page', { peer: peer.name, user: username });
      const identity: Identity = { peer: inSession(peer, session), credentials: null, by: 'session', session };
      return { answer: await describe(request, identity), cookie: sessionCookie(session, isSecureOf(request)) };
    },

    async end(request) {
      const identity = await options.identify(request);
      const value = await sessionIn(request);
      if (value !== null) await sessions!.end(value);
      if (identity.by === 'session')
        log.info('signed out on the page', { peer: identity.peer.name, user: identity.session!.username });
      const { user: _, namedBy: __, ...peer } = identity.peer;
      const left: Identity = { ...identity, by: null, session: null, ...(identity.by === 'session' && { peer }) };
      return { answer: await describe(request, left), cookie: sessionCookie(null, isSecureOf(request)) };
    },
  };
}

/** Of the commands that are behind the API those that are open to a client. */
async function openCommands(caller: Caller, protocol: string): Promise<string[]> {
  const routes = API_ROUTES.filter(({ service }) => typeof service === 'function' || service === protocol);
  // The status is no command, and needs what the statistics need.
  const names = [...routes.map(({ command }) => command), ...(protocol === USERS ? ['get-stats'] : [])];
  const open: string[] = [];
  for (const command of new Set(names)) if (await caller.may(protocol, command)) open.push(command);
  return open.sort();
}
