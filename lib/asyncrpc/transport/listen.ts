import type net from 'node:net';
import { AddressError, reasonOf } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Limits } from '../limits.ts';
import { ALL_RIGHTS, type Rights } from '../rights.ts';
import type { Host } from '../service.ts';
import { type Address, formatAddress } from './address.ts';
import { checkListenAddress, type ListenAccess, socketGroup } from './listen-check.ts';
import { acceptOn, bind, createSocketServer, logFailures } from './server.ts';
import { bindUnixSocket } from './unix/socket.ts';
import type { acceptWebSockets, WebSocketAcceptor, WebSocketOptions } from './websocket/server.ts';

/** A listening address. */
export interface Listener {
  /** The address, with the real port where 0 was given. */
  readonly address: Address;
  /** Stops accepting, and does not wait for connections: the host closes those. A Unix socket's own file is removed. */
  close(): Promise<void>;
}

/** Options that apply to some listener kinds only. */
export type ListenOptions = Partial<
  WebSocketOptions & {
    readonly access: ListenAccess;
    /** What clients may do; all that the services allow where it is not said. */
    readonly rights: Rights;
  }
>;

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
  { allowOrigins = [], access = ANY_ACCESS, rights = ALL_RIGHTS }: ListenOptions = {},
): Promise<Listener> {
  checkListenAddress(address, access);
  const webSockets = address.kind === 'ws' ? await acceptor(host, limits, { allowOrigins }, log) : null;
  const server = createSocketServer(limits);
  acceptOn(server, address, rights, (socket, peer) => (webSockets ?? host).accept(socket, peer));
  if (address.kind === 'unix') {
    const release = await bindUnixSocket(server, address.path, BACKLOG, {
      mode: access.mode ?? undefined,
      group: socketGroup(access),
    });
    logFailures(server, address, log);
    return {
      address,
      close: async () => {
        // In this order: once nobody listens there, another server may have put its own socket in place of ours.
        release();
        server.close();
      },
    };
  }
  await bindTcp(server, address);
  logFailures(server, address, log);
  const { port } = server.address() as net.AddressInfo;
  return {
    address: { ...address, port },
    close: async () => {
      webSockets?.close();
      server.close();
    },
  };
}

/** Loaded only when needed: most servers have no WebSocket listener, and every server should start fast. */
async function acceptor(...args: Parameters<typeof acceptWebSockets>): Promise<WebSocketAcceptor> {
  const webSocket = await import('./websocket/server.ts');
  return webSocket.acceptWebSockets(...args);
}

async function bindTcp(server: net.Server, address: Exclude<Address, { kind: 'unix' }>): Promise<void> {
  try {
    await bind(server, { port: address.port, backlog: BACKLOG, ...(address.host && { host: address.host }) });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'EADDRINUSE' ? 'the port is in use; stop the other server or choose another port' : reasonOf(error);
    throw new AddressError(`cannot listen on ${formatAddress(address)}: ${why}`, error);
  }
}
