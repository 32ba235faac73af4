import dns from 'node:dns/promises';
import net from 'node:net';
import os from 'node:os';
import { type Address, formatAddress, isLoopback, parseAddress } from '../../asyncrpc/transport/address.ts';

/** The addresses of a host; none where it cannot be found out. */
export type Resolve = (host: string) => Promise<readonly string[]>;

const resolveHere: Resolve = async (host) => {
  if (net.isIP(host)) return [host];
  try {
    return (await dns.lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
};

/** An address of v4 as v4 has it. */
const plain = (address: string) => address.toLowerCase().replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, '');
const isWildcard = (host: string) => host === '' || host === '0.0.0.0' || host === '::';

/**
 * Whether a client on this machine that connects to an address gets to a listener, whatever names the two have: a name and
 * its number, or any number of this machine where it listens on all.
 */
export async function reaches(wanted: string, listening: string, resolve: Resolve = resolveHere): Promise<boolean> {
  if (wanted === listening) return true;
  const [one, other] = [parseAddress(wanted), parseAddress(listening)];
  if (one.kind === 'unix' || other.kind === 'unix') return false;
  if (nameless(one) !== nameless(other)) return false;
  if (isWildcard(one.host) && isWildcard(other.host)) return true;
  const [ours, theirs] = await Promise.all([one, other].map(({ host }) => addressesOf(host, resolve)));
  if (ours!.some((address) => theirs!.includes(address))) return true;
  return isWildcard(other.host) ? ours!.some(isOfThisMachine) : isWildcard(one.host) && theirs!.some(isOfThisMachine);
}

/** All of an address but its host. */
const nameless = (address: Exclude<Address, { kind: 'unix' }>) => formatAddress({ ...address, host: 'host' });

async function addressesOf(host: string, resolve: Resolve): Promise<readonly string[]> {
  return isWildcard(host) ? [] : (await resolve(host)).map(plain);
}

function isOfThisMachine(address: string): boolean {
  if (isLoopback(address)) return true;
  return Object.values(os.networkInterfaces()).some((each) => each?.some((one) => plain(one.address) === address));
}
