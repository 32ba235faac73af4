import fs from 'node:fs';
import path from 'node:path';
import { formatAddress, parseAddress } from '../../asyncrpc/transport/address.ts';
import { AddressError, BakeservError } from '../../errors.ts';
import { environmentName } from '../../settings/options.ts';
import type { Flags } from '../../settings/settings.ts';
import { UPSTREAM_VARIABLES } from '../auto/settings.ts';
import { isPrivate, type ServerStatus } from '../process/control.ts';
import { runningServers } from '../process/control-folder.ts';
import type { Upstreams } from './place.ts';

type Service = keyof Upstreams;

const NAMES: Readonly<Record<Service, string>> = { hashserv: 'hash equivalence', prserv: 'PR values' };

/**
 * The upstreams that were named: by --address, or each by its own option or variable. What was not named is absent.
 * @throws AddressError for what is no address
 */
export function namedUpstreams(flags: Flags, environment: NodeJS.ProcessEnv): Partial<Upstreams> {
  const named = (service: Service) => {
    const option = `${service}-upstream` as const;
    const text =
      flags[option] || flags.address || environment[environmentName(option)] || environment[UPSTREAM_VARIABLES[option]];
    return text ? { [service]: wholeAddress(text as string) } : {};
  };
  return { ...named('hashserv'), ...named('prserv') };
}

/**
 * The shared server that a new stage is of: as named, otherwise the only one that answers on this machine.
 * @throws BakeservError when there is none, or several
 */
export async function findUpstreams(named: Partial<Upstreams>): Promise<Upstreams> {
  const { hashserv, prserv } = named;
  if (hashserv !== undefined && prserv !== undefined) return { hashserv, prserv };
  const status = await onlyShared();
  return { hashserv: addressFor(status, 'hashserv'), prserv: addressFor(status, 'prserv'), ...named };
}

/** The address as it can be used from any folder. */
export function wholeAddress(text: string): string {
  const address = parseAddress(text);
  return formatAddress(address.kind === 'unix' ? { ...address, path: path.resolve(address.path) } : address);
}

async function onlyShared(): Promise<ServerStatus> {
  const shared = (await runningServers(process.env)).map(({ status }) => status).filter((each) => !isPrivate(each));
  const [first, ...others] = shared;
  if (!first)
    throw new AddressError('no shared server runs on this machine: name the one the stage is of with --address');
  if (others.length > 0)
    throw new BakeservError(
      'address-error',
      `several servers run here, name the one the stage is of with --address: ${shared.map(({ pid, addresses }) => `${pid} (${addresses.join(', ')})`).join('; ')}`,
    );
  return first;
}

/**
 * Where a running server can be asked as an upstream by whoever is on this machine; Unix sockets first.
 * @throws AddressError when there is no such address
 */
export function addressFor({ pid, addresses, listeners }: ServerStatus, service: Service): string {
  const open = addresses.filter((address, i) => {
    const report = listeners?.[i];
    if (/^https?:/.test(address)) return false;
    if (!report) return true;
    const mayRead = service === 'hashserv' ? report.anonymous.includes('@read') : !report.prLogin;
    return (
      report[service] !== null &&
      report[service] !== 'none' &&
      mayRead &&
      !report.clientCertificates &&
      !report.proxyProtocol
    );
  });
  const [local, remote] = [open.filter(isUnix), open.filter((address) => !isUnix(address))];
  const found = [...local.filter(mayConnect), ...remote][0];
  if (found !== undefined) return found;
  throw new AddressError(
    `server ${pid} has no address that gives ${NAMES[service]} to everybody: name one with --${service}-upstream, and a login with --${service}-upstream-user`,
  );
}

const isUnix = (address: string) => address.startsWith('unix://');

function mayConnect(address: string): boolean {
  try {
    fs.accessSync(address.slice('unix://'.length), fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
