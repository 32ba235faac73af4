import fs from 'node:fs';
import type net from 'node:net';
import { ConfigError } from '../../errors.ts';
import { type Address, formatAddress } from './address.ts';

/** The first descriptor that systemd hands over (sd_listen_fds(3)). */
const FIRST_DESCRIPTOR = 3;

/** What systemd calls sockets to which nobody gave a name, or that are no listeners (sd_listen_fds_with_names(3)). */
export const RESERVED_NAMES: readonly string[] = ['unknown', 'connection', 'stored'];

/** A listening socket that was handed over. */
export interface InheritedSocket {
  readonly fd: number;
  /** As FileDescriptorName= has it, otherwise the name of the socket unit; null where none was given. Several may have one name. */
  readonly name: string | null;
}

/**
 * The listening sockets that a service manager passed to this process, as sd_listen_fds_with_names(3) says; removed from the
 * environment, so that no child takes them for its own.
 */
export function takeInheritedSockets(environment: NodeJS.ProcessEnv): readonly InheritedSocket[] {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = environment;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete environment[name];
  if (Number(LISTEN_PID) !== process.pid || !/^\d{1,3}$/.test(LISTEN_FDS ?? '')) return [];
  const count = Number(LISTEN_FDS);
  const names = LISTEN_FDNAMES?.split(':') ?? [];
  // With another number of names it is not known which is whose.
  const nameOf = (i: number) => (names.length === count && !RESERVED_NAMES.includes(names[i]!) && names[i]) || null;
  return Array.from({ length: count }, (_, i) => ({ fd: FIRST_DESCRIPTOR + i, name: nameOf(i) }));
}

/**
 * The address of a socket that was handed over.
 * @param asked what is spoken there; the raw stream without it
 * @throws ConfigError where that is not spoken on sockets of its kind
 */
export function inheritedAddress(server: net.Server, fd: number, asked?: Address): Address {
  const found = server.address();
  if (found !== null && typeof found === 'object') {
    const { address: host, port } = found;
    return asked && asked.kind !== 'unix' ? { ...asked, host, port } : { kind: 'tcp', host, port };
  }
  const unix: Address = { kind: 'unix', path: socketPath(fd) };
  if (!asked || asked.kind === 'unix' || asked.kind === 'tcp') return unix;
  throw new ConfigError(`${formatAddress(unix)} was handed over for ${formatAddress(asked)}, which needs a TCP socket`);
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
