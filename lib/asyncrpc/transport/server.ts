import net from 'node:net';
import type { Logger } from '../../log.ts';
import { ListenerFigures } from '../hub-figures.ts';
import type { Limits } from '../limits.ts';
import type { HeldRights } from '../rights.ts';
import type { Peer } from '../service.ts';
import { type Address, formatAddress, isLocalAddress } from './address.ts';

/**
 * A server that is not bound yet, for a fresh socket or one that was handed over.
 * @param pauseOnConnect whether nothing is read from its clients: another process will
 */
export function createSocketServer(limits: Limits, pauseOnConnect = false): net.Server {
  return net.createServer({
    pauseOnConnect,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: limits.keepAliveMs,
    allowHalfOpen: true,
  });
}

/** Where sockets of clients come from: a server, or a process that accepted them. */
export interface Connections {
  on(event: 'connection', take: (socket: net.Socket) => void): unknown;
}

/**
 * Hands every client of a server that listens, or is about to, to `accept`.
 * @returns what is counted of them
 */
export function acceptOn(
  server: Connections,
  address: Address,
  rights: HeldRights,
  accept: (socket: net.Socket, peer: Peer) => void,
): ListenerFigures {
  const listener = new ListenerFigures();
  const local = isLocalAddress(address);
  server.on('connection', (socket) => {
    const remote = address.kind === 'unix' ? null : (socket.remoteAddress ?? null);
    accept(socket, {
      name: remote === null ? 'unix' : `${remote}:${socket.remotePort}`,
      address: remote,
      local,
      rights: rights.current,
      listener,
    });
  });
  return listener;
}

/** Binds a server. Rejects with what the system says. */
export async function bind(server: net.Server, options: net.ListenOptions | { readonly fd: number }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

/** From here on a failure of the server ends nothing: it is logged. */
export function logFailures(server: net.Server, address: Address, log: Logger): void {
  server.on('error', (error) => log.error('listener failed', { address: formatAddress(address), error }));
}
