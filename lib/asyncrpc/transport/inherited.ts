import fs from 'node:fs';
import type net from 'node:net';
import type { Logger } from '../../log.ts';
import type { Limits } from '../limits.ts';
import { ALL_RIGHTS } from '../rights.ts';
import type { Host } from '../service.ts';
import type { Address } from './address.ts';
import type { Listener } from './listen.ts';
import { acceptOn, bind, createSocketServer, logFailures } from './server.ts';

/** The first descriptor that systemd hands over (sd_listen_fds(3)). */
const FIRST_DESCRIPTOR = 3;

/**
 * The listening sockets that a service manager passed to this process, as sd_listen_fds(3) says; removed from the
 * environment, so that no child takes them for its own.
 */
export function takeInheritedSockets(environment: NodeJS.ProcessEnv): readonly number[] {
  const { LISTEN_PID, LISTEN_FDS } = environment;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete environment[name];
  if (Number(LISTEN_PID) !== process.pid || !/^\d{1,3}$/.test(LISTEN_FDS ?? '')) return [];
  return Array.from({ length: Number(LISTEN_FDS) }, (_, i) => FIRST_DESCRIPTOR + i);
}

/**
 * Accepts clients on a socket that was passed to us. Its file is for its owner to remove.
 * @param log as for `listen`
 * @throws the system's error when the descriptor is not a listening socket
 */
export async function listenInherited(fd: number, host: Host, limits: Limits, log: Logger): Promise<Listener> {
  const server = createSocketServer(limits);
  await bind(server, { fd });
  const address = addressOf(server, fd);
  acceptOn(server, address, ALL_RIGHTS, (socket, peer) => host.accept(socket, peer));
  logFailures(server, address, log);
  return { address, close: async () => void server.close() };
}

function addressOf(server: net.Server, fd: number): Address {
  const address = server.address();
  if (address !== null && typeof address === 'object')
    return { kind: 'tcp', host: address.address, port: address.port };
  return { kind: 'unix', path: socketPath(fd) };
}

/** The path of a Unix socket of which we have only a descriptor, found by its inode in proc_net(5). */
function socketPath(fd: number): string {
  const inode = /^socket:\[(\d+)\]$/.exec(fs.readlinkSync(`/proc/self/fd/${fd}`))?.[1];
  for (const line of fs.readFileSync('/proc/net/unix', 'utf8').split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (fields[6] === inode && fields[7]) return fields[7];
  }
  return `fd ${fd}`;
}
