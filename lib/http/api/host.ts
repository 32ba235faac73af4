import type { IncomingMessage } from 'node:http';
import type { HubFigures } from '../../asyncrpc/hub-figures.ts';
import type { Peer, Service } from '../../asyncrpc/service.ts';
import type { Logger } from '../../log.ts';
import type { HttpClient } from '../client.ts';
import { createIdentify, type IdentifyOptions, type Identity } from '../sign-in/identity.ts';
import { createSignIn, type SignInOptions } from '../sign-in/sign-in.ts';
import type { ApiHost } from './app.ts';
import { Caller } from './call.ts';
import { isPrivate } from './credentials.ts';
import { isBodyTooLarge } from './failure.ts';

/** What joins the API to the door. */
export interface ApiHostOptions
  extends Pick<ApiHost, 'limits' | 'status' | 'history'>,
    Omit<IdentifyOptions, 'clientOf'>,
    Pick<SignInOptions, 'pullFrom' | 'hasSharedState'> {
  /** By its protocol, each service that the client's listener speaks. */
  servicesFor(peer: Peer): ReadonlyMap<string, Service>;
  /** The connection that a request came by. */
  clientOf(request: IncomingMessage): HttpClient;
  readonly log: Logger;
  /** Of all connections. */
  readonly figures: HubFigures;
}

export function createApiHost(options: ApiHostOptions): ApiHost {
  const { limits, status, history, servicesFor, clientOf, peerOf, log, figures } = options;
  const mayLogIn = (request: IncomingMessage) => {
    const { socket, peer } = clientOf(request);
    return isPrivate(socket, peer, request.headers);
  };
  const identify = createIdentify(options);
  /** Those who said by their request who they are. */
  const named = new WeakSet<IncomingMessage>();
  const whoAsks = async (request: IncomingMessage) => {
    const identity = await identify(request);
    if (identity.by !== null && identity.by !== 'certificate') named.add(request);
    return identity;
  };
  const callerOf = ({ peer, credentials }: Identity) => new Caller(servicesFor(peer), peer, credentials);
  return {
    limits,
    status,
    history,
    // A browser would ask for a name and a token by itself, in front of the page.
    asksForLogin: (request) => mayLogIn(request) && request.headers['sec-fetch-dest'] !== 'empty',
    lacksLogin: (request) => !named.has(request) && mayLogIn(request),
    callerOf: async (request) => callerOf(await whoAsks(request)),
    signIn: createSignIn({
      ...options,
      identify: whoAsks,
      callerOf,
      mayLogIn,
      servicesFor: (request) => servicesFor(peerOf(request)),
    }),
    untilRoom: (request) => clientOf(request).loan!.untilRoom(),
    onRefusal(error) {
      figures.note(error);
      if (isBodyTooLarge(error)) figures.hits.maxHttpBodyBytes++;
    },
    onFailure(request, error) {
      log.error('HTTP request failed', { peer: clientOf(request).peer.name, error });
    },
  };
}
