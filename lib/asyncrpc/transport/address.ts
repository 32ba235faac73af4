import { AddressError } from '../../errors.ts';

/** Where a server listens or a client connects. Port 0 asks for a free one; host '' means all interfaces. */
export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** The same lines as over TCP, in TLS. */
  | { readonly kind: 'tls'; readonly host: string; readonly port: number }
  | {
      readonly kind: 'ws';
      readonly secure: boolean;
      readonly host: string;
      readonly port: number;
      readonly path: string;
    }
  | { readonly kind: 'http'; readonly secure: boolean; readonly host: string; readonly port: number };

const FORMS =
  'unix://PATH, HOST:PORT, [V6]:PORT, :PORT, tls://HOST:PORT, ws://HOST:PORT, wss://HOST:PORT, http://HOST:PORT or https://HOST:PORT';

const TLS = 'tls://';

/**
 * Reads an address in any form.
 * @throws AddressError naming the text when it is not an address
 */
export function parseAddress(text: string): Address {
  const bad = (why: string) => new AddressError(`address ${JSON.stringify(text)}: ${why}; expected ${FORMS}`);
  if (text.includes('\0')) throw bad('holds a NUL');
  if (text.startsWith('unix://')) {
    const path = text.slice('unix://'.length);
    if (!path) throw bad('the socket path is empty');
    return { kind: 'unix', path };
  }
  if (text.startsWith('ws://') || text.startsWith('wss://')) return parseWebSocket(text, bad);
  if (text.startsWith('http://') || text.startsWith('https://')) return parseHttp(text, bad);
  const secure = text.startsWith(TLS);
  const split = /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([^:[\]\s/]*)):(\d{1,5})$/.exec(secure ? text.slice(TLS.length) : text);
  if (!split) throw bad('not an address');
  const port = Number(split[3]);
  if (port > 65535) throw bad('the port is above 65535');
  return { kind: secure ? 'tls' : 'tcp', host: split[1] ?? split[2] ?? '', port };
}

function parseWebSocket(text: string, bad: (why: string) => AddressError): Address {
  const { url, ...place } = parseUrl(text, bad);
  return { kind: 'ws', ...place, path: url.pathname + url.search };
}

function parseHttp(text: string, bad: (why: string) => AddressError): Address {
  const { url, ...place } = parseUrl(text, bad);
  if (url.pathname !== '/' || url.search || url.hash) throw bad('an HTTP address has no path');
  return { kind: 'http', ...place };
}

function parseUrl(text: string, bad: (why: string) => AddressError) {
  if (!URL.canParse(text)) throw bad('not a URL');
  const url = new URL(text);
  if (!url.hostname) throw bad('the host is missing');
  if (url.username || url.password) throw bad('credentials do not belong in an address');
  const secure = url.protocol === 'wss:' || url.protocol === 'https:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port ? Number(url.port) : secure ? 443 : 80;
  return { url, secure, host, port };
}

/** The text that `parseAddress` reads back as the same address. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix://${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  if (address.kind === 'tcp') return `${host}:${address.port}`;
  if (address.kind === 'tls') return `${TLS}${host}:${address.port}`;
  if (address.kind === 'http') return `${address.secure ? 'https' : 'http'}://${host}:${address.port}`;
  return `${address.secure ? 'wss' : 'ws'}://${host}:${address.port}${address.path === '/' ? '' : address.path}`;
}

/** Where clients of the protocol reach an HTTP listener; any other address as it is. */
export function protocolAddress(address: Address): Exclude<Address, { kind: 'http' }> {
  return address.kind === 'http' ? { ...address, kind: 'ws', path: '/ws' } : address;
}

/** True if what is said there is encrypted, and a listener there needs a certificate. */
export function usesTls(address: Address): boolean {
  return address.kind === 'tls' || ((address.kind === 'ws' || address.kind === 'http') && address.secure);
}

/** True if only programs on this machine can connect: Unix sockets and loopback addresses. */
export function isLocalAddress(address: Address): boolean {
  return address.kind === 'unix' || isLoopback(address.host);
}

/** True for localhost, 127.0.0.0/8, ::1 and their v6-mapped forms. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/i.test(host);
}
