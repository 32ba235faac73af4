import net from 'node:net';
import { AddressError, reasonOf } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Limits } from '../limits.ts';
import type { Host } from '../service.ts';
import { type Address, formatAddress, isLocalAddress } from './address.ts';
import { checkListenAddress, type ListenAccess, socketGroup } from './listen-check.ts';
import { bindUnixSocket } from './unix/socket.ts';
import type { acceptWebSockets, WebSocketAcceptor, WebSocketOptions } from './websocket/server.ts';

/** A listening address. */
export interface Listener {
  /** The address, with the real port where 0 was given. */
  readonly address: Address;
  /** Stops accepting; existing connections go on. A Unix socket's own file is removed. */
  close(): Promise<void>;
}

/** Options that apply to some listener kinds only. */
export type ListenOptions = Partial<WebSocketOptions & { readonly access: ListenAccess }>;

const ANY_ACCESS: ListenAccess = { mode: null, group: null };

/** The kernel's queue of connections not yet accepted: a whole farm may connect at the same moment. */
const BACKLOG = 1024;

/**
 * Listens on an address and hands every client to the host.
 * @param log gets a line for each connection that could not be accepted, so it must limit its rate
 * @throws AddressError when the address cannot be bound; the message names it
 */
export async function listen(
  address: Address,
  host: Host,
  limits: Limits,
  log: Logger,
  { allowOrigins = [], access = ANY_ACCESS }: ListenOptions = {},
): Promise<Listener> {
  checkListenAddress(address, access);
  const webSockets = address.kind === 'ws' ? await acceptor(host, limits, { allowOrigins }, log) : null;
  const local = address.kind === 'unix';
  const server = net.createServer({
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: limits.keepAliveMs,
    allowHalfOpen: true,
  });
  server.on('connection', (socket) => {
    const remote = socket.remoteAddress ?? null;
    const peer = {
      name: local ? 'unix' : `${remote}:${socket.remotePort}`,
      address: local ? null : remote,
      local: isLocalAddress(address),
    };
    if (webSockets) webSockets.accept(socket, peer);
    else host.accept(socket, peer);
  });
  if (address.kind === 'unix') {
    const release = await bindUnixSocket(server, address.path, BACKLOG, {
      mode: access.mode ?? undefined,
      group: socketGroup(access),
    });
    server.on('error', (error) => log.error('listener failed', { address: formatAddress(address), error }));
    return {
      address,
      close: async () => {
        // In this order: once nobody listens there, another server may have put its own socket in place of ours.
        release();
        await closeServer(server);
      },
    };
  }
  await bindTcp(server, address);
  server.on('error', (error) => log.error('listener failed', { address: formatAddress(address), error }));
  const { port } = server.address() as net.AddressInfo;
  return {
    address: { ...address, port },
    close: () => {
      webSockets?.close();
      return closeServer(server);
    },
  };
}

/** Loaded only when needed: most servers have no WebSocket listener, and every server should start fast. */
async function acceptor(...args: Parameters<typeof acceptWebSockets>): Promise<WebSocketAcceptor> {
  const webSocket = await import('./websocket/server.ts');
  return webSocket.acceptWebSockets(...args);
}

async function bindTcp(server: net.Server, address: Exclude<Address, { kind: 'unix' }>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? 'the port is in use; stop the other server or choose another port'
          : reasonOf(error);
      reject(new AddressError(`cannot listen on ${formatAddress(address)}: ${why}`, error));
    });
    server.listen({ port: address.port, backlog: BACKLOG, ...(address.host && { host: address.host }) }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

/** Stops accepting. Does not wait for connections, which the host closes. */
async function closeServer(server: net.Server): Promise<void> {
  server.close();
}
