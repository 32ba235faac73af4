import fs from 'node:fs';
import path from 'node:path';
import { AddressError, ConfigError, reasonOf } from '../../errors.ts';
import { type Address, formatAddress, usesTls } from './address.ts';
import { groupId } from './passwd.ts';
import type { TlsFiles } from './tls/credentials.ts';

/** Who may connect to Unix sockets, as configured; null: as the process's umask and group say. */
export interface ListenAccess {
  readonly mode: number | null;
  /** By name or number. */
  readonly group: string | null;
}

/**
 * Checks that an address can be listened on, as far as that can be told while another server may be listening there.
 * What its certificate is worth is not looked at.
 * @throws AddressError, ConfigError naming the address or the group
 */
export function checkListenAddress(address: Address, access: ListenAccess, tls: TlsFiles | null): void {
  requireCertificate(address, tls);
  if (address.kind !== 'unix') return;
  socketGroup(access);
  const target = path.resolve(address.path);
  const cannot = (why: string) => new AddressError(`cannot listen on unix://${target}: ${why}`);
  const folder = path.dirname(target);
  try {
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw cannot(code === 'ENOENT' ? `there is no folder ${folder}` : `the folder ${folder}: ${reasonOf(error)}`);
  }
  const found = fs.lstatSync(target, { throwIfNoEntry: false });
  if (found && !found.isSocket()) throw cannot('a file that is no socket is in the way');
}

/** @throws AddressError where TLS would be spoken without a certificate */
export function requireCertificate(address: Address, tls: TlsFiles | null): void {
  if (!usesTls(address) || tls !== null) return;
  throw new AddressError(
    `cannot listen on ${formatAddress(address)}: TLS needs a certificate and its key; give --tls-cert and --tls-key`,
  );
}

/** Emptied at each boot: a folder in it is created for a service when that starts (RuntimeDirectory= in its unit). */
const VOLATILE = ['/run/', '/var/run/'];

/** The missing folder of a socket that may yet be created together with the service that listens on it; or null. */
export function folderToCome(address: Address): string | null {
  if (address.kind !== 'unix') return null;
  const folder = path.dirname(path.resolve(address.path));
  return VOLATILE.some((prefix) => folder.startsWith(prefix)) && !fs.existsSync(folder) ? folder : null;
}

/**
 * The number of the group that Unix sockets must have, or undefined.
 * @throws ConfigError when there is no such group
 */
export function socketGroup({ group }: ListenAccess): number | undefined {
  if (group === null) return undefined;
  const id = groupId(group);
  if (id === null) throw new ConfigError(`--socket-group: there is no group ${JSON.stringify(group)}`);
  return id;
}
