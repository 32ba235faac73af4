import http from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../../../log.ts';
import type { LimitHits, Limits } from '../../limits.ts';
import type { Host, Peer } from '../../service.ts';
import { createTicker } from '../../ticker.ts';
import type { Acceptor } from '../acceptor.ts';
import { type Proxies, peerOfRequest } from '../proxies.ts';
import { WebSocketStream } from './stream.ts';

/** Takes the sockets of a `ws://` listener, and those of which an HTTP server has read the request for an upgrade. */
export interface WebSocketAcceptor extends Acceptor {
  /** Whether a request does not become a WebSocket: it is answered then, and the client closes the connection. */
  refuses(request: http.IncomingMessage, socket: Duplex, name: string): boolean;
  /** Upgrades a client that has its place and hands it to the host. */
  upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer, peer: Peer): void;
  /** From now on connections are closed with 1001, "going away". */
  close(): void;
}

export interface WebSocketOptions {
  /** Web origins whose pages may connect, as `scheme://host[:port]`. */
  readonly allowOrigins: readonly string[];
  /** Who is believed when it names its clients. */
  readonly proxies: Proxies;
}

/** Pings without an answer after which a peer is dead. */
const MISSED_PINGS = 2;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Serves clients over WebSocket, on any path. The host knows of a client as soon as it connects, so the connection limit,
 * the handshake limits and the handshake time cover the upgrade; only that tells who it is, if it came through a proxy. A request
 * with an Origin comes from a web page; it is refused unless listed, even when it names this host: so does a page whose name an attacker has pointed at this address.
 */
export function acceptWebSockets(
  host: Host,
  limits: Limits,
  { allowOrigins, proxies }: WebSocketOptions,
  log: Logger,
): WebSocketAcceptor {
  const origins = new Set(allowOrigins);
  const connected = new WeakMap<Duplex, Peer>();
  let stopping = false;
  const upgrader = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.maxMessageBytes,
    // Lines are checked in one place for every transport, and the client gets an error in words.
    skipUTF8Validation: true,
  });
  const pinger = createPinger(limits.websocketPingMs, host.figures.hits, log);
  const refused = new WeakSet<Duplex>();
  const server = http.createServer((request, response) => {
    refused.add(request.socket);
    host.figures.rejected['not-a-websocket']++;
    request.resume();
    response.writeHead(426, { connection: 'Upgrade, close', upgrade: 'websocket', 'content-type': 'text/plain' });
    response.end(UPGRADE_TEXT);
  });
  // Behind 2,000 others the headers of a proxy would be left out, and its client taken for one of this machine.
  server.maxHeadersCount = 0;
  server.on('clientError', (_error, socket) => {
    host.figures.rejected['not-a-websocket']++;
    answerHttp(socket, '400 Bad Request', 'This is not an HTTP request.\n');
  });
  server.on('upgrade', (request, socket, head) => {
    const peer = peerOfRequest(connected.get(socket)!, request.headers, proxies);
    // Sent after a request that was answered by closing the connection.
    if (refused.has(socket)) return void socket.resume().end();
    if (!refuses(request, socket, peer.name)) upgrade(request, socket, head, peer);
  });

  function refuses(request: http.IncomingMessage, socket: Duplex, name: string): boolean {
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
      host.figures.rejected['not-a-websocket']++;
      answerHttp(socket, '426 Upgrade Required', UPGRADE_TEXT, 'Upgrade: websocket\r\n');
      return true;
    }
    const origin = request.headers.origin ?? request.headers['sec-websocket-origin'];
    if (origin === undefined || origins.has(String(origin).toLowerCase())) return false;
    host.figures.rejected.origin++;
    log.warn('WebSocket refused: its Origin is not allowed', { peer: name, origin: String(origin).slice(0, 128) });
    answerHttp(socket, '403 Forbidden', 'This Origin is not allowed; the server has --allow-origin for it.\n');
    return true;
  }

  function upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer, peer: Peer): void {
    upgrader.handleUpgrade(request, socket, head, (ws) => {
      const stream = new WebSocketStream(ws, socket, {
        turns: host.turns,
        onDestroy: () => socket.destroy(),
        closeCode: () => (stopping ? 1001 : 1000),
      });
      pinger.add(ws, socket, peer.name);
      host.accept(stream, peer, { chunked: false, heldBytes: () => stream.heldBytes });
    });
  }

  return {
    accept(socket, peer) {
      const onLate = () => answerHttp(socket, '408 Request Timeout', 'No WebSocket handshake was made in time.\n');
      const place = host.arrive(socket, peer, onLate);
      if (!place) return;
      connected.set(socket, { ...peer, place });
      server.emit('connection', socket);
    },
    refuses,
    upgrade,
    close() {
      stopping = true;
      pinger.close();
    },
  };
}

const UPGRADE_TEXT = 'This is a WebSocket server for BitBake: connect to it as ws://HOST:PORT or wss://HOST:PORT.\n';

/** Answers an HTTP request that does not become a WebSocket. The client closes the connection, or the handshake time ends it. */
function answerHttp(socket: Duplex, status: string, text: string, headers = ''): void {
  if (!socket.writable) return void socket.destroy();
  socket.resume();
  socket.end(
    `HTTP/1.1 ${status}\r\n${headers}Connection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}

/** Pings every WebSocket, so that proxies keep idle links, and closes those that no longer answer. */
function createPinger(
  intervalMs: number,
  hits: LimitHits,
  log: Logger,
): { add(ws: WebSocket, socket: Duplex, name: string): void; close(): void } {
  const unanswered = new Map<WebSocket, { name: string; socket: Duplex; pings: number }>();
  const ticker = createTicker(Math.min(intervalMs, LONGEST_TIMER_MS), () => {
    for (const [ws, link] of unanswered) {
      // While we do not read, no answer can arrive; behind waiting output, no ping can. Waiting output has a limit of its own.
      if (ws.isPaused || link.socket.writableLength > 0) link.pings = 0;
      if (link.pings >= MISSED_PINGS) {
        hits.websocketPingMs++;
        log.info('WebSocket client does not answer pings: closed', { peer: link.name });
        ws.terminate();
      } else if (ws.readyState === ws.OPEN) {
        link.pings++;
        ws.ping();
      }
    }
    return unanswered.size > 0;
  });
  return {
    add(ws, socket, name) {
      const link = { name, socket, pings: 0 };
      const alive = () => {
        link.pings = 0;
      };
      unanswered.set(ws, link);
      ticker.wake();
      ws.on('close', () => unanswered.delete(ws));
      // Any byte is a sign of life: a pong cannot interrupt a long frame.
      socket.on('data', alive);
    },
    close: ticker.close,
  };
}
