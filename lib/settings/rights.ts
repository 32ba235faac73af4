import { type Access, ALL_RIGHTS, type Rights } from '../asyncrpc/rights.ts';
import { type Address, isLocalAddress } from '../asyncrpc/transport/address.ts';
import { createProxies } from '../asyncrpc/transport/proxies.ts';
import { DB_ADMIN, LOCAL_ANONYMOUS, REMOTE_ANONYMOUS } from '../hashserv/access/permissions.ts';
import type { Config } from './config.ts';
import { accessTo, asksPrLogin, type ListenerSpec, type ServiceName } from './listener-spec.ts';

/** What a client may do without a login: as its listener has it, or the server, or by whether it is of this machine. */
export function anonymousPermissions(
  { anonymousPermissions: general }: Pick<Config, 'anonymousPermissions'>,
  { local, rights = ALL_RIGHTS }: { readonly local: boolean; readonly rights?: Rights },
): readonly string[] {
  return rights.anonymous ?? general ?? (local ? LOCAL_ANONYMOUS : REMOTE_ANONYMOUS);
}

/** What a listener's clients may do, as far as it does not depend on who they are. */
interface Standing extends Pick<Config, 'anonymousPermissions'> {
  readonly rights: Rights;
}

const RANKS = { 'read-write': 3, 'read-only': 2, none: 1 } as const;

/** Whether any client of a listener may do less now than before. What is not known here counts as less when it changes. */
export function isReduced(before: Standing, now: Standing): boolean {
  const rank = ({ rights }: Standing, service: ServiceName) => {
    const access = accessTo(rights, service);
    return access === null ? 0 : RANKS[access];
  };
  const hasLess = (['hashserv', 'prserv'] as const).some((service) => rank(now, service) < rank(before, service));
  // A client of either kind may come through a proxy.
  const mayLess = [true, false].some((local) => {
    const held = anonymousPermissions(now, { local, rights: now.rights });
    return anonymousPermissions(before, { local, rights: before.rights }).some((each) => !held.includes(each));
  });
  const rest = ({ rights: { protocols: _, access: __, anonymous: ___, ...others } }: Standing) =>
    JSON.stringify(others);
  return hasLess || mayLess || rest(before) !== rest(now);
}

/** What clients of a listener may do, for people; a service that is not served there is null. */
export interface ListenerReport {
  readonly hashserv: Access | null;
  readonly prserv: Access | null;
  /** What the former lets clients do without a login; also whether PR values can be removed. */
  readonly anonymous: readonly string[];
  /** PR clients must log in, and then have the permissions of their user. */
  readonly prLogin: boolean;
  /** The same of clients that a proxy on this machine has as local; null where nobody has more than the others. */
  readonly behindProxy: readonly string[] | null;
  /** Whether clients must show a certificate; absent in servers from before. */
  readonly clientCertificates?: boolean;
  /** Whether connections must begin with a PROXY protocol header; absent in servers from before. */
  readonly proxyProtocol?: boolean;
}

/** What a server with these settings lets clients of a listener do. */
export function reportOf(
  config: Pick<Config, 'anonymousPermissions' | 'trustProxy' | 'hashserv' | 'prserv' | 'readOnly'>,
  { address, rights, proxyProtocol, tls }: Pick<ListenerSpec, 'address' | 'rights' | 'proxyProtocol' | 'tls'>,
): ListenerReport {
  const open = (local: boolean) => anonymousPermissions(config, { local, rights });
  const local = isLocalAddress(address);
  const isProxied = proxyProtocol || (local && trustsLoopback(config, address));
  const anonymous = open(local && !isProxied);
  const mayBeNamed = local && isProxied && (proxyProtocol || !isStream(address));
  const access = (service: ServiceName) => {
    const found = config[service] ? accessTo(rights, service) : null;
    return found === 'read-write' && config.readOnly ? 'read-only' : found;
  };
  return {
    hashserv: access('hashserv'),
    prserv: access('prserv'),
    anonymous,
    prLogin: asksPrLogin(rights),
    behindProxy: mayBeNamed && open(true) !== anonymous ? open(true) : null,
    clientCertificates: (tls?.clientCaFile ?? null) !== null,
    proxyProtocol,
  };
}

/** Whether nothing but a header of the PROXY protocol can say there who the client is. */
function isStream({ kind }: Address): boolean {
  return kind === 'tcp' || kind === 'tls';
}

/** Whether whoever connects from this machine over the network counts as a proxy. */
function trustsLoopback({ trustProxy }: Pick<Config, 'trustProxy'>, address: Address): boolean {
  const proxies = createProxies(trustProxy);
  return address.kind !== 'unix' && (proxies.trusts('127.0.0.1') || proxies.trusts('::1'));
}

/** The report in a line. The PR service has no users: what --anon-perms leaves out closes nothing of it but the removing. */
export function tellReport(report: ListenerReport): string {
  const { hashserv, prserv, anonymous, prLogin, behindProxy, clientCertificates } = report;
  const told: string[] = [];
  if (clientCertificates) told.push('clients need a certificate');
  if (hashserv) told.push(`hash equivalence ${hashserv}, without a login ${anonymous.join(',') || 'nothing'}`);
  const users = prLogin && prserv !== null && prserv !== 'none';
  if (users) told.push(`PR values ${prserv} for users who log in`);
  else if (prserv === 'read-write')
    told.push(`PR values read-write for everybody, removing ${anonymous.includes(DB_ADMIN) ? 'too' : 'refused'}`);
  else if (prserv === 'read-only') told.push('PR values read-only for everybody');
  if (prserv === 'none') told.push('PR values refused');
  if (behindProxy) told.push(`clients of this machine, if the proxy says so, ${behindProxy.join(',')}`);
  return told.join('; ');
}
