import type net from 'node:net';
import { AddressError, reasonOf } from '../../errors.ts';
import type { Limits } from '../limits.ts';
import { type Address, formatAddress } from './address.ts';
import { inheritedAddress } from './inherited.ts';
import { checkListenAddress, type ListenAccess, socketGroup } from './listen-check.ts';
import { bind, createSocketServer } from './server.ts';
import type { TlsFiles } from './tls/credentials.ts';
import { bindUnixSocket } from './unix/socket.ts';

/** The kernel's queue of connections not yet accepted: a whole farm may connect at the same moment. */
const BACKLOG = 1024;

/** A socket that listens. */
export interface Bound {
  /** The address, with the real port where 0 was given. */
  readonly address: Address;
  /** Stops listening; a Unix socket's own file is removed first. Connections stay. */
  close(): void;
}

/**
 * Binds a server to an address.
 * @throws AddressError when the address cannot be bound; the message names it
 */
export async function bindAddress(server: net.Server, address: Address, access: ListenAccess): Promise<Bound> {
  if (address.kind === 'unix') {
    const release = await bindUnixSocket(server, address.path, BACKLOG, {
      mode: access.mode ?? undefined,
      group: socketGroup(access),
    });
    return {
      address,
      close() {
        // In this order: once nobody listens there, another server may have put its own socket in place of ours.
        release();
        server.close();
      },
    };
  }
  await bindTcp(server, address);
  const { port } = server.address() as net.AddressInfo;
  return { address: { ...address, port }, close: () => void server.close() };
}

/** Why nobody can listen there, and what to do. */
const WHY_NOT: ReadonlyMap<string, string> = new Map([
  [
    'EADDRINUSE',
    'the port is in use; stop the other server ("bakeserv status" shows those of this user), or choose another port (--bind)',
  ],
  ['EADDRNOTAVAIL', 'this machine has no such address; name one that it has (--bind), or :PORT for all of them'],
  ['EACCES', 'permission denied: this user may not listen on so low a port; choose one from 1024 on (--bind)'],
]);

async function bindTcp(server: net.Server, address: Exclude<Address, { kind: 'unix' }>): Promise<void> {
  try {
    await bind(server, { port: address.port, backlog: BACKLOG, ...(address.host && { host: address.host }) });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const why = WHY_NOT.get(code) ?? reasonOf(error);
    throw new AddressError(`cannot listen on ${formatAddress(address)}: ${why}`, error);
  }
}

/** Where clients come from that another process serves. */
export interface Entry {
  /** The address; what is spoken there where the socket was handed over. */
  readonly address: Address | undefined;
  /** The descriptor of a socket that was handed over in its place; or null. */
  readonly fd: number | null;
  readonly access: ListenAccess;
  readonly tls: TlsFiles | null;
}

/**
 * Listens for clients that another process serves: nothing is read from them.
 * @param take gets each client; also while this is under way, on a socket that was handed over
 * @throws AddressError, ConfigError as `listen` and `listenInherited`
 */
export async function openEntry(
  { address, fd, access, tls }: Entry,
  limits: Limits,
  take: (socket: net.Socket) => void,
): Promise<Bound & { readonly server: net.Server }> {
  const server = createSocketServer(limits, true);
  server.on('connection', take);
  if (fd === null) {
    checkListenAddress(address!, access, tls);
    return { server, ...(await bindAddress(server, address!, access)) };
  }
  await bind(server, { fd });
  try {
    return { server, address: inheritedAddress(server, fd, address), close: () => void server.close() };
  } catch (error) {
    server.close();
    throw error;
  }
}
