import { AddressError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { ListenerFigures } from '../hub-figures.ts';
import type { Limits } from '../limits.ts';
import { ALL_RIGHTS, type HeldRights } from '../rights.ts';
import type { Host } from '../service.ts';
import type { Acceptor } from './acceptor.ts';
import { type Address, formatAddress, usesTls } from './address.ts';
import { type Bound, bindAddress } from './bound.ts';
import { inheritedAddress } from './inherited.ts';
import { checkListenAddress, type ListenAccess, requireCertificate } from './listen-check.ts';
import { NO_PROXIES, peerOfStream } from './proxies.ts';
import { type Accept, acceptProxied } from './proxy-layer.ts';
import { acceptOn, bind, type Connections, createSocketServer, logFailures } from './server.ts';
import type { TlsFiles } from './tls/credentials.ts';
import type { createTlsLayer, ListenerCertificate, TlsLayer } from './tls/listener.ts';
import type { acceptWebSockets, WebSocketAcceptor, WebSocketOptions } from './websocket/server.ts';

/** A listening address. */
export interface Listener {
  /** The address, with the real port where 0 was given. */
  readonly address: Address;
  readonly figures: ListenerFigures;
  /** Its certificate, where TLS is spoken. */
  readonly certificate?: ListenerCertificate;
  /** Stops accepting, and does not wait for connections: the host closes those. A Unix socket's own file is removed. */
  close(): Promise<void>;
}

/** Options that apply to some listener kinds only. */
export type ListenOptions = Partial<
  WebSocketOptions & {
    readonly access: ListenAccess;
    /** What clients may do; all that the services allow where it is not said. */
    readonly rights: HeldRights;
    /** Connections begin with a header of the PROXY protocol; only those of `proxies` are taken. */
    readonly proxyProtocol: boolean;
    /** Opens what takes the clients of HTTP listeners, which outlives them. */
    readonly http: () => Promise<Acceptor>;
    /** For addresses with TLS, which cannot do without. */
    readonly tls: TlsFiles | null;
  }
>;

const ANY_ACCESS: ListenAccess = { mode: null, group: null };
const ANY_RIGHTS: HeldRights = { current: ALL_RIGHTS };

/** What stands between the sockets of a listener and the host. */
interface Front {
  readonly accept: Accept;
  readonly certificate?: ListenerCertificate;
  /** Ends what clients are in before they are the host's. */
  close(): void;
}

/**
 * Listens on an address and hands every client to the host.
 * @param log gets a line for each connection that could not be accepted, so it must limit its rate
 * @throws AddressError when the address cannot be bound; the message names it
 * @throws ConfigError when a file of its certificate cannot be used
 */
export async function listen(
  address: Address,
  host: Host,
  limits: Limits,
  log: Logger,
  options: ListenOptions = {},
): Promise<Listener> {
  const { access = ANY_ACCESS, tls = null } = options;
  checkListenAddress(address, access, tls);
  const server = createSocketServer(limits);
  const front = await openFront(address, host, limits, log, options);
  const figures = acceptOn(server, address, options.rights ?? ANY_RIGHTS, front.accept);
  const bound = await bindAddress(server, address, access);
  logFailures(server, address, log);
  return listenerOf(bound, figures, front);
}

/**
 * Accepts clients on a socket that was handed over. Its file is for its owner to remove.
 * @param asked what is spoken there, as an address of that kind; the raw stream without it
 * @throws ConfigError where that is not spoken on sockets of its kind; the system's error when the descriptor is not a
 * listening socket
 */
export async function listenInherited(
  fd: number,
  asked: Address | undefined,
  host: Host,
  limits: Limits,
  log: Logger,
  options: ListenOptions = {},
): Promise<Listener> {
  const front = await openFront(asked, host, limits, log, options);
  const server = createSocketServer(limits);
  await bind(server, { fd });
  // Nothing is waited for from here on: a client that came in between would be lost.
  try {
    const address = inheritedAddress(server, fd, asked);
    const figures = acceptOn(server, address, options.rights ?? ANY_RIGHTS, front.accept);
    logFailures(server, address, log);
    return listenerOf({ address, close: () => void server.close() }, figures, front);
  } catch (error) {
    server.close();
    throw error;
  }
}

/** A listener of this server on which another process accepts the clients. */
export interface HandedListener {
  readonly address: Address;
  /** What is spoken there, as an address of that kind; null: the raw stream. */
  readonly asked: Address | null;
  readonly clients: Connections;
}

/**
 * Takes the clients of a listener that another process accepts.
 * @throws ConfigError when a file of its certificate cannot be used
 */
export async function listenHanded(
  { address, asked, clients }: HandedListener,
  host: Host,
  limits: Limits,
  log: Logger,
  options: ListenOptions = {},
): Promise<Listener> {
  const front = await openFront(asked ?? undefined, host, limits, log, options);
  const figures = acceptOn(clients, address, options.rights ?? ANY_RIGHTS, front.accept);
  return listenerOf({ address, close() {} }, figures, front);
}

/** What every listener of a kind does with its clients, however it came to its socket. */
async function openFront(
  address: Address | undefined,
  host: Host,
  limits: Limits,
  log: Logger,
  options: ListenOptions,
): Promise<Front> {
  const { proxies = NO_PROXIES, proxyProtocol = false, tls = null } = options;
  if (address) requireCertificate(address, tls);
  // From the top layer down: HTTP, WebSocket or the stream as it is, TLS, PROXY protocol.
  const top = await openTop(address, host, limits, log, options);
  const layer = address && usesTls(address) ? await tlsLayer(tls!, host, log) : null;
  const secured: Front = layer ? { ...top, accept: layer.secure(top.accept), certificate: layer.certificate } : top;
  return proxyProtocol ? { ...secured, accept: acceptProxied(host, proxies, secured.accept) } : secured;
}

async function openTop(
  address: Address | undefined,
  host: Host,
  limits: Limits,
  log: Logger,
  { allowOrigins = [], proxies = NO_PROXIES, http }: ListenOptions,
): Promise<Front> {
  if (address?.kind === 'ws') return acceptor(host, limits, { allowOrigins, proxies }, log);
  if (address?.kind !== 'http')
    return { accept: (socket, peer) => host.accept(socket, peerOfStream(peer, proxies)), close: () => {} };
  if (!http) throw new AddressError(`cannot listen on ${formatAddress(address)}: no HTTP is served here`);
  const door = await http();
  return { accept: (socket, peer) => door.accept(socket, peer), close: () => {} };
}

function listenerOf(bound: Bound, figures: ListenerFigures, front: Front): Listener {
  return {
    address: bound.address,
    figures,
    ...(front.certificate && { certificate: front.certificate }),
    close: async () => {
      bound.close();
      front.close();
    },
  };
}

/** Loaded only when needed: most servers have no WebSocket listener, and every server should start fast. */
async function acceptor(...args: Parameters<typeof acceptWebSockets>): Promise<WebSocketAcceptor> {
  const webSocket = await import('./websocket/server.ts');
  return webSocket.acceptWebSockets(...args);
}

/** The same holds for TLS. */
async function tlsLayer(...args: Parameters<typeof createTlsLayer>): Promise<TlsLayer> {
  const layers = await import('./tls/listener.ts');
  return layers.createTlsLayer(...args);
}
