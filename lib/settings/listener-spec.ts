import type { Access, Rights } from '../asyncrpc/rights.ts';
import { type Address, formatAddress, parseAddress } from '../asyncrpc/transport/address.ts';
import { RESERVED_NAMES } from '../asyncrpc/transport/inherited.ts';
import type { ListenAccess } from '../asyncrpc/transport/listen-check.ts';
import type { TlsFiles } from '../asyncrpc/transport/tls/credentials.ts';
import { ConfigError } from '../errors.ts';
import { parseAnonymousPermissions } from '../hashserv/access/permissions.ts';
import { type ListenerGiven, readListener } from './listener-words.ts';
import { SOCKET_MODE } from './serve-options.ts';
import { type TlsDefaults, tlsOf } from './tls-settings.ts';

/** An address to listen on, and what its clients may do. */
export interface ListenerSpec {
  readonly address: Address;
  /** A socket that is handed over with this name takes the place of the address; or null. */
  readonly name: string | null;
  readonly rights: Rights;
  /** Who may connect, where it is a Unix socket. */
  readonly access: ListenAccess;
  /** Connections begin with a header of the PROXY protocol. */
  readonly proxyProtocol: boolean;
  /** Its certificate, where TLS is spoken; null elsewhere, and where none is named, which a start refuses. */
  readonly tls: TlsFiles | null;
}

/** What holds for listeners that do not say. */
export interface ListenerDefaults {
  /** Who may connect to Unix sockets. */
  readonly access: ListenAccess;
  readonly tls: TlsDefaults;
  /** Whether HTTP listeners show the page; absent: they do. */
  readonly page?: boolean;
}

/** What FileDescriptorName= takes (systemd.socket(5)). */
const SOCKET_NAME = /^[ -9;-~]{1,255}$/;

/** The protocols of the services, by the name that settings have for them. */
const PROTOCOLS = { hashserv: 'OEHASHEQUIV', prserv: 'PRSERVICE' } as const;

export type ServiceName = keyof typeof PROTOCOLS;

/**
 * Reads a listener as it was given.
 * @throws ConfigError, AddressError naming what is wrong
 */
export function parseListener(given: ListenerGiven, { access, tls, page = true }: ListenerDefaults): ListenerSpec {
  const said = typeof given === 'string' ? readListener(given) : given;
  const address = parseAddress(said.address);
  const bad = (why: string) => new ConfigError(`${formatAddress(address)}: ${why}`);
  const services = said.services === undefined ? undefined : words(said.services);
  const unknown = services?.find((name) => !Object.hasOwn(PROTOCOLS, name));
  if (unknown !== undefined)
    throw bad(`services: ${JSON.stringify(unknown)} is no service; there are hashserv, prserv`);
  const { pr, 'socket-mode': mode, 'socket-group': group, 'anon-perms': anonymous } = said;
  if (pr !== undefined && pr !== 'read-only' && pr !== 'none')
    throw bad(`pr: ${JSON.stringify(pr)} is not read-only or none`);
  if (pr !== undefined && services && !services.includes('prserv'))
    throw bad(`pr=${pr} says something of a service that is not served there`);
  if (said['pr-auth'] && (pr === 'none' || (services && !services.includes('prserv'))))
    throw bad('pr-auth says something of a service that is not served there');
  if (said['no-page'] && address.kind !== 'http') throw bad('no-page is for http:// and https:// addresses');
  if (address.kind !== 'unix' && (mode ?? group) !== undefined)
    throw bad('socket-mode and socket-group are for Unix sockets');
  if (mode !== undefined && !new RegExp(SOCKET_MODE.pattern).test(mode))
    throw bad(`socket-mode: ${JSON.stringify(mode)} is not ${SOCKET_MODE.expected}`);
  if (said.name !== undefined && !SOCKET_NAME.test(said.name))
    throw bad(`name: ${JSON.stringify(said.name)} is not 1 to 255 ASCII characters without a colon`);
  if (RESERVED_NAMES.includes(said.name ?? ''))
    throw bad(`name: systemd gives ${said.name} to sockets that have no name; choose another`);
  const general: Access = said['read-only'] ? 'read-only' : 'read-write';
  return {
    address,
    name: said.name ?? null,
    rights: {
      protocols: services?.map((name) => PROTOCOLS[name as ServiceName]) ?? null,
      access: { [PROTOCOLS.hashserv]: general, [PROTOCOLS.prserv]: pr ?? general },
      anonymous: anonymous === undefined ? null : parseAnonymousPermissions(words(anonymous)),
      ...((said['no-page'] || (!page && address.kind === 'http')) && { page: false }),
      ...(said['pr-auth'] && { logins: [PROTOCOLS.prserv] }),
    },
    access: {
      mode: mode === undefined ? access.mode : Number.parseInt(mode, 8),
      group: group ?? access.group,
    },
    proxyProtocol: said['proxy-protocol'] ?? false,
    tls: tlsOf(said, address, tls, bad),
  };
}

function words(given: string | readonly string[]): readonly string[] {
  return typeof given === 'string' ? given.split(/[\s,]+/).filter(Boolean) : given;
}

/** @throws ConfigError for two listeners of one name: their sockets could not be told apart */
export function requireNames(specs: readonly ListenerSpec[]): void {
  const names = new Set<string>();
  for (const { name, address } of specs) {
    if (name === null) continue;
    if (names.has(name)) throw new ConfigError(`${formatAddress(address)}: another listener has the name ${name} too`);
    names.add(name);
  }
}

/** @throws ConfigError for a listener on which nothing would be served */
export function requireServices(specs: readonly ListenerSpec[], served: { hashserv: boolean; prserv: boolean }): void {
  for (const { address, rights } of specs) {
    if (asksPrLogin(rights) && !served.hashserv)
      throw new ConfigError(
        `${formatAddress(address)}: pr-auth needs the users of hash equivalence, which is not served`,
      );
    const open = (['hashserv', 'prserv'] as const).filter((name) => served[name] && accessTo(rights, name) !== null);
    if (open.every((name) => accessTo(rights, name) === 'none'))
      throw new ConfigError(`${formatAddress(address)}: nothing is served there`);
  }
}

/** @throws ConfigError for a listener where only proxies are let in, and none can come */
export function requireProxies(specs: readonly ListenerSpec[], trusted: readonly string[]): void {
  for (const { address, proxyProtocol } of specs) {
    const isUnix = address.kind === 'unix';
    if (!proxyProtocol || trusted.some((word) => (word === 'unix') === isUnix)) continue;
    throw new ConfigError(
      `${formatAddress(address)}: proxy-protocol lets in only those that --trust-proxy names: name ${isUnix ? 'unix' : 'the address of the proxy'} there`,
    );
  }
}

/** Whether PR clients must log in on a listener. */
export function asksPrLogin(rights: Rights): boolean {
  return rights.logins?.includes(PROTOCOLS.prserv) === true;
}

/** How a service is served on a listener; null where its protocol is not spoken. */
export function accessTo(rights: Rights, service: ServiceName): Access | null {
  const protocol = PROTOCOLS[service];
  if (rights.protocols && !rights.protocols.includes(protocol)) return null;
  return rights.access[protocol] ?? 'read-write';
}
