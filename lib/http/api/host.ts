import type { IncomingMessage } from 'node:http';
import type { HubFigures } from '../../asyncrpc/hub-figures.ts';
import type { Peer, Service } from '../../asyncrpc/service.ts';
import type { Logger } from '../../log.ts';
import type { HttpClient } from '../client.ts';
import type { ApiHost } from './app.ts';
import { Caller } from './call.ts';
import { isPrivate, readCredentials } from './credentials.ts';
import { ApiProblem, isBodyTooLarge } from './failure.ts';

/** What joins the API to the door. */
export interface ApiHostOptions extends Pick<ApiHost, 'limits' | 'status' | 'history'> {
  /** By its protocol, each service that the client's listener speaks. */
  servicesFor(peer: Peer): ReadonlyMap<string, Service>;
  /** The connection that a request came by. */
  clientOf(request: IncomingMessage): HttpClient;
  /** Who asks, the words of proxies considered. */
  peerOf(request: IncomingMessage): Peer;
  readonly log: Logger;
  /** Of all connections. */
  readonly figures: HubFigures;
}

export function createApiHost({
  limits,
  status,
  history,
  servicesFor,
  clientOf,
  peerOf,
  log,
  figures,
}: ApiHostOptions): ApiHost {
  const mayLogIn = (request: IncomingMessage) => {
    const { socket, peer } = clientOf(request);
    return isPrivate(socket, peer, request.headers);
  };
  return {
    limits,
    status,
    history,
    mayLogIn,
    callerOf(request) {
      const { authorization } = request.headers;
      // It is not even looked at: whoever reads along must not learn from the answer whether it is right.
      if (authorization !== undefined && !mayLogIn(request))
        throw new ApiProblem(
          'insecure-login',
          'A token is taken over TLS only, or from this machine. This one was read by others: replace it.',
        );
      const peer = peerOf(request);
      return new Caller(servicesFor(peer), peer, readCredentials(authorization));
    },
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
