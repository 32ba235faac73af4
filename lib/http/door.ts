import http from 'node:http';
import type { Duplex } from 'node:stream';
import type { Limits } from '../asyncrpc/limits.ts';
import type { Hub } from '../asyncrpc/server/hub.ts';
import { countedAddress } from '../asyncrpc/server/places.ts';
import type { Peer, Service } from '../asyncrpc/service.ts';
import { createTicker } from '../asyncrpc/ticker.ts';
import type { Acceptor } from '../asyncrpc/transport/acceptor.ts';
import { type Proxies, peerOfRequest } from '../asyncrpc/transport/proxies.ts';
import { acceptWebSockets } from '../asyncrpc/transport/websocket/server.ts';
import type { Logger } from '../log.ts';
import type { MetricsSource } from '../metrics/source.ts';
import type { History } from '../recorder/recorder.ts';
import { API_PATH, createApi } from './api/app.ts';
import { createHistory } from './api/history.ts';
import { createApiHost } from './api/host.ts';
import { createStatus, type ServerFacts } from './api/status.ts';
import { HttpClient } from './client.ts';
import { Crowd } from './crowd.ts';
import { refusePage } from './guard.ts';
import { answerHealth } from './health.ts';
import { createPage, type Page } from './page/page.ts';
import { type ProblemType, rawProblem, sendProblem } from './problem.ts';
import { Readiness, type StoreProbe } from './readiness.ts';
import { isSecure } from './secure.ts';
import type { Sessions } from './sign-in/sessions.ts';

/** What is served over HTTP, apart from health and WebSocket clients. */
export interface HttpDoorOptions {
  readonly hub: Hub;
  readonly limits: Limits;
  /** Gets lines that clients cause, so it must limit their rate. */
  readonly log: Logger;
  /** Web origins whose pages may ask, as `scheme://host[:port]`. */
  readonly allowOrigins: readonly string[];
  /** Who is believed when it names its clients. */
  readonly proxies: Proxies;
  readonly stores: readonly StoreProbe[];
  /** By its protocol, each service that a client's listener speaks. */
  servicesFor(peer: Peer): ReadonlyMap<string, Service>;
  readonly facts: ServerFacts;
  /** Connected now, to the whole server. */
  clients(): Promise<number>;
  /** The figures of the whole server over time. */
  readonly history: History;
  /** Of the page, on listeners that show it. */
  readonly page: {
    /** Null where there are no users. */
    readonly sessions: Sessions | null;
    readonly userHeader: string | null;
    readonly pullFrom: readonly string[];
    readonly hasSharedState: boolean;
    /** The page itself; by default that which was built. */
    readonly files?: Page;
  };
  /** What `/metrics` answers; null: there is nothing there. */
  readonly metrics: Pick<MetricsSource, 'contentType' | 'text'> | null;
}

/** Takes the clients of all HTTP listeners of a server. */
export interface HttpDoor extends Acceptor {
  /** Answers what was asked, says that the server stops, and closes the connections; those left over the hub destroys. */
  stop(): void;
}

const TICK_MS = 250;
const WEB_SOCKET_PATH = '/ws';

/** Loads what answers requests; the sockets are the listeners'. */
export async function createHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const { hub, limits, log, stores, proxies } = options;
  const origins = new Set(options.allowOrigins);
  const readiness = new Readiness(stores);
  const clientOf = ({ peer }: HttpClient, { headers }: http.IncomingMessage) => peerOfRequest(peer, headers, proxies);
  const api = await createApi(
    createApiHost({
      figures: hub.figures,
      limits,
      log,
      servicesFor: options.servicesFor,
      ...options.page,
      proxies,
      clientOf: (request) => clients.get(request.socket)!,
      peerOf: (request) => clientOf(clients.get(request.socket)!, request),
      status: createStatus(options.facts, readiness, options.clients),
      history: createHistory(options.history),
    }),
  );
  const page = options.page.files ?? createPage();
  const webSockets = acceptWebSockets(hub, limits, options, log);
  const crowd = new Crowd(limits.maxHttpConnections);
  const clients = new WeakMap<Duplex, HttpClient>();
  let stopping = false;

  const server = http.createServer({ maxHeaderSize: limits.maxHttpHeaderBytes });
  // Only told to clients: it is HttpClient that closes.
  server.keepAliveTimeout = limits.httpIdleTimeoutMs;
  // Behind 2,000 others the headers of a proxy would be left out, and its client taken for one of this machine.
  server.maxHeadersCount = 0;
  server.on('request', (request, response) => {
    const client = clients.get(request.socket)!;
    client.asks(request, response);
    if (stopping) response.setHeader('connection', 'close');
    response.on('error', () => {});
    request.on('error', () => {});
    answer(request, response, client).catch((error) => {
      log.error('HTTP request failed', { peer: client.peer.name, error });
      if (response.headersSent) response.destroy();
      else sendProblem(response, 'internal', 'The server log has the details.');
    });
  });
  server.on('upgrade', (request, socket, head) => {
    const client = clients.get(socket)!;
    if (pathOf(request) !== WEB_SOCKET_PATH)
      return hangUp(client, 'not-found', `WebSocket clients are served on ${WEB_SOCKET_PATH}.`);
    if (webSockets.refuses(request, socket, client.peer.name)) return client.end();
    crowd.delete(client);
    client.loan!.end();
    const { place } = client.loan!;
    webSockets.upgrade(request, client.socket, client.stream.release(head), { ...clientOf(client, request), place });
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const client = clients.get(socket)!;
    // What comes after it fails again.
    if (TOO_LONG.includes(error.code ?? '') && client.stream.writable) hub.figures.hits.maxHttpHeaderBytes++;
    const [type, detail] = TOO_LONG.includes(error.code ?? '')
      ? (['headers-too-large', `The headers are longer than ${limits.maxHttpHeaderBytes} bytes.`] as const)
      : (['bad-request', 'This is not an HTTP request.'] as const);
    hangUp(client, type, detail);
  });

  async function answer(request: http.IncomingMessage, response: http.ServerResponse, client: HttpClient) {
    const path = pathOf(request);
    if (answerHealth(path, request, response, readiness)) return;
    const refusal = refusePage(request, clientOf(client, request), origins, isSecure(request, client, proxies));
    if (refusal) return sendProblem(response, refusal.type, refusal.detail);
    if (path === WEB_SOCKET_PATH)
      return sendProblem(response, 'upgrade-required', 'Connect to it as ws://HOST:PORT/ws.', { upgrade: 'websocket' });
    if (path === '/metrics' && options.metrics) return sendMetrics(request, response, options.metrics);
    if (path.startsWith(`${API_PATH}/`)) {
      // One a turn: most of what it costs is done later, where no turn counts it.
      await hub.turns.next();
      return api.answer(request, response);
    }
    const shown = client.peer.rights?.page !== false && page.answer(path, request, response);
    if (shown && (await shown)) return;
    sendProblem(response, 'not-found', `There is nothing at ${path.slice(0, 128)}.`);
  }

  /** Tells a client that is not understood, or late, why its connection is closed. */
  function hangUp(client: HttpClient, type: ProblemType, detail: string): void {
    const { stream } = client;
    if (!stream.writable) return void stream.destroy();
    if (client.isAsking) {
      // Once that is sent, the connection is closed, as the request is not complete.
      const { openAnswer } = client;
      return openAnswer ? sendProblem(openAnswer, type, detail, { connection: 'close' }) : void stream.destroy();
    }
    stream.write(rawProblem(type, detail));
    client.end();
  }

  const ticker = createTicker(TICK_MS, () => {
    const now = performance.now();
    for (const client of crowd.all) {
      if (client.checkTime(now) === null) continue;
      if (client.isIdle) client.end();
      else hangUp(client, 'request-timeout', 'The request was not complete in time.');
    }
    return crowd.size > 0;
  });

  return {
    accept(socket, peer) {
      if (stopping || !crowd.makeRoom(countedAddress(peer.address), performance.now())) {
        if (!stopping) hub.figures.hits.maxHttpConnections++;
        if (!stopping) log.warn('HTTP connection limit reached: refused', { peer: peer.name, limit: crowd.max });
        socket.on('error', () => {});
        return void socket.destroy();
      }
      const client = new HttpClient(socket, peer, hub, limits, log);
      if (!client.loan) return;
      crowd.add(client);
      ticker.wake();
      clients.set(client.stream, client);
      socket.once('close', () => crowd.delete(client));
      server.emit('connection', client.stream);
    },
    stop() {
      stopping = true;
      readiness.stopping = true;
      webSockets.close();
      for (const client of crowd.all) client.letGo();
    },
  };
}

const TOO_LONG = ['HPE_HEADER_OVERFLOW'];

function pathOf({ url = '/' }: http.IncomingMessage): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

async function sendMetrics(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  source: Pick<MetricsSource, 'contentType' | 'text'>,
) {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return sendProblem(response, 'method-not-allowed', '/metrics is read with GET or HEAD.', { allow: 'GET, HEAD' });
  const text = await source.text();
  response.writeHead(200, {
    'content-type': source.contentType,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(text),
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
