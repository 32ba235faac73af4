import type { IncomingHttpHeaders } from 'node:http';
import net from 'node:net';
import { ConfigError } from '../../errors.ts';
import type { Peer } from '../service.ts';
import { isLoopback } from './address.ts';

/** Whoever connects from there is a proxy, and is believed when it says who its client is. */
export interface Proxies {
  /** @param address as a peer has it; null: on a Unix socket */
  trusts(address: string | null): boolean;
}

/** The word for a proxy that connects over a Unix socket. */
const UNIX = 'unix';

/** The address by which limits count clients of a proxy on a Unix socket that did not say who they are. */
const UNKNOWN = 'unknown';

/**
 * Reads what `--trust-proxy` names: addresses, networks (`10.0.0.0/8`, `fd00::/8`), or `unix`.
 * @throws ConfigError naming the word
 */
export function createProxies(words: readonly string[]): Proxies {
  const networks = new net.BlockList();
  for (const word of words) {
    if (word === UNIX) continue;
    const [, address = '', prefix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(word) ?? [];
    const version = address.includes('%') ? 0 : net.isIP(address);
    const bits = version === 4 ? 32 : 128;
    if (version === 0 || Number(prefix ?? 0) > bits)
      throw new ConfigError(`${JSON.stringify(word)} is not an address, a network such as 10.0.0.0/8, or unix`);
    networks.addSubnet(address, Number(prefix ?? bits), version === 4 ? 'ipv4' : 'ipv6');
  }
  const unix = words.includes(UNIX);
  return {
    trusts(address) {
      if (address === null) return unix;
      const version = net.isIP(address);
      return version !== 0 && networks.check(address, version === 4 ? 'ipv4' : 'ipv6');
    },
  };
}

/** Nobody is believed. */
export const NO_PROXIES: Proxies = { trusts: () => false };

/** What a proxy says of its client. */
export type ProxySource =
  | { readonly kind: 'address'; readonly address: string; readonly port: number }
  /** A program on the machine of the proxy, which asks it over a Unix socket. */
  | { readonly kind: 'unix' }
  /** It does not know. */
  | { readonly kind: 'unknown' }
  /** There is none: it connects for itself, as for a health check. */
  | { readonly kind: 'self' };

/**
 * The client of a connection that was made through a trusted proxy. It is local only if the proxy is, and says so: a loopback
 * address is of the machine of whoever names it. A proxy that connects for itself, or says nothing, is not local either: it needs no
 * rights of an administrator, and one that forgets to name its clients must not give them away. A certificate that the proxy
 * has shown is not its clients'.
 */
export function peerFrom(proxy: Peer, source: ProxySource): Peer {
  const { user: _, ...known } = proxy;
  const remote: Peer = { ...known, address: proxy.address ?? UNKNOWN, local: false, proxy: proxy.name };
  switch (source.kind) {
    case 'address': {
      const { address, port } = source;
      if (isLoopback(address) && !proxy.local) return remote;
      return { ...remote, name: nameOf(address, port), address, local: isLoopback(address) };
    }
    case 'unix':
      return proxy.local ? { ...remote, name: 'unix', address: null, local: true } : remote;
    default:
      return remote;
  }
}

/**
 * The client of a byte stream that says nothing of proxies. From the address of a proxy comes whoever asks it: that is nobody
 * local, for all we know. A Unix socket is for those whom its mode lets in.
 */
export function peerOfStream(peer: Peer, proxies: Proxies): Peer {
  const unnamed = peer.proxy === undefined && peer.address !== null && proxies.trusts(peer.address);
  return unnamed ? { ...peer, local: false } : peer;
}

/** Of requests that came through a proxy, which is not on this machine for all we know. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];

/**
 * The client of an HTTP request. `X-Forwarded-For` of a trusted proxy is read from the right, through trusted proxies, to
 * the first other address: what stands left of that is the client's own word. Headers of anybody else are not believed, but tell of a
 * proxy whose clients are elsewhere.
 * @param peer who made the connection
 * @param headers of the request; several of one name joined by commas, as Node.js does
 */
export function peerOfRequest(peer: Peer, headers: IncomingHttpHeaders, proxies: Proxies): Peer {
  const isProxied = PROXY_HEADERS.some((name) => headers[name] !== undefined);
  if (!proxies.trusts(peer.address)) return isProxied ? { ...peer, local: false } : peer;
  const forwarded = headers['x-forwarded-for'];
  // Named by the PROXY protocol already, and no proxy itself.
  if (!isProxied && peer.proxy !== undefined) return peer;
  if (forwarded === undefined) return peerFrom(peer, { kind: 'unknown' });
  let hop = peer;
  for (const entry of String(forwarded).split(',').reverse()) {
    const source = readEntry(entry);
    if (!source) return peerFrom(hop, { kind: 'unknown' });
    hop = peerFrom(hop, source);
    if (!proxies.trusts(source.address)) break;
  }
  return { ...hop, proxy: peer.name };
}

/** An address as proxies write it: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`; null for anything else. */
function readEntry(entry: string): (ProxySource & { kind: 'address' }) | null {
  const text = entry.trim();
  const [, bracketed, plain, digits] = /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const address = bracketed ?? plain ?? text;
  const version = address.includes('%') ? 0 : net.isIP(address);
  if (version === 0 || (bracketed !== undefined && version !== 6)) return null;
  const port = Number(digits ?? 0);
  return port > 65535 ? null : { kind: 'address', address, port };
}

function nameOf(address: string, port: number): string {
  return port === 0 ? address : `${address}:${port}`;
}
