import net from 'node:net';
import type { ProxySource } from './proxies.ts';

/** What is known of the bytes with which a connection begins. */
export type HeaderReading =
  /** There is nothing to know before there are `atLeast` bytes. */
  | { readonly kind: 'more'; readonly atLeast: number }
  /** The first `length` bytes are the header; the next belongs to the client. */
  | { readonly kind: 'header'; readonly source: ProxySource; readonly length: number }
  | { readonly kind: 'wrong'; readonly why: string };

/** The longest header that is read: what nginx takes, and far more than proxies send. */
export const MAX_HEADER_BYTES = 4096;

/** Version 1: a line, with its CR LF. */
const V1_START = Buffer.from('PROXY ');
const V1_MAX_BYTES = 107;
/** Version 2: a signature, version and command, family, length. */
const V2_START = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_FIXED_BYTES = 16;

/** Bytes of the addresses of a family: of both ends, with their ports. */
const ADDRESS_BYTES = { none: 0, inet: 12, inet6: 36, unix: 216 } as const;
const FAMILIES = ['none', 'inet', 'inet6', 'unix'] as const;
const STREAM = 1;
const LAST_TRANSPORT = 2;

/**
 * Reads a PROXY protocol header, version 1 or 2, as HAProxy's specification has it. Pure: asks for more bytes, or tells what
 * they are; never throws. Whoever sends something else is told apart at the first byte that differs.
 */
export function readProxyHeader(bytes: Buffer): HeaderReading {
  if (bytes.length === 0) return more(1);
  if (beginsLike(bytes, V1_START)) return readVersion1(bytes);
  if (beginsLike(bytes, V2_START)) return readVersion2(bytes);
  return wrong('it does not begin with a PROXY protocol header');
}

const more = (atLeast: number): HeaderReading => ({ kind: 'more', atLeast });
const wrong = (why: string): HeaderReading => ({ kind: 'wrong', why });

function beginsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function readVersion1(bytes: Buffer): HeaderReading {
  const end = bytes.subarray(0, V1_MAX_BYTES).indexOf('\n');
  if (end < 0) {
    return bytes.length < V1_MAX_BYTES
      ? more(bytes.length + 1)
      : wrong(`its line is longer than ${V1_MAX_BYTES} bytes`);
  }
  const line = bytes.toString('latin1', 0, end + 1);
  const source = /^PROXY UNKNOWN(?: [^\r\n]*)?\r\n$/.test(line) ? { kind: 'unknown' as const } : readLine(line);
  return source ? { kind: 'header', source, length: end + 1 } : wrong('its line is not as in version 1');
}

const V1_LINE = /^PROXY TCP([46]) (\S+) (\S+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})\r\n$/;

function readLine(line: string): ProxySource | null {
  const [, version, address = '', own = '', port, ownPort] = V1_LINE.exec(line) ?? [];
  const good = (text: string) => !text.includes('%') && net.isIP(text) === Number(version);
  if (!version || !good(address) || !good(own) || Number(port) > 65535 || Number(ownPort) > 65535) return null;
  return { kind: 'address', address, port: Number(port) };
}

function readVersion2(bytes: Buffer): HeaderReading {
  if (bytes.length < V2_FIXED_BYTES) return more(V2_FIXED_BYTES);
  const [versionAndCommand, familyAndTransport] = [bytes[12]!, bytes[13]!];
  const length = V2_FIXED_BYTES + bytes.readUInt16BE(14);
  const command = versionAndCommand & 0x0f;
  if (versionAndCommand >> 4 !== 2) return wrong(`it has version ${versionAndCommand >> 4} instead of 2`);
  if (command > 1) return wrong(`it has the unknown command ${command}`);
  if (length > MAX_HEADER_BYTES) return wrong(`it is longer than ${MAX_HEADER_BYTES} bytes`);
  const family = FAMILIES[familyAndTransport >> 4];
  const transport = familyAndTransport & 0x0f;
  // Of a proxy's own connection nothing else is read, as the specification has it.
  const isSelf = command === 0;
  if (!isSelf && (family === undefined || transport > LAST_TRANSPORT)) return wrong('it has an unknown address family');
  if (!isSelf && length - V2_FIXED_BYTES < ADDRESS_BYTES[family!]) return wrong('its addresses are cut short');
  if (bytes.length < length) return more(length);
  const header = bytes.subarray(0, length);
  if (isSelf) return { kind: 'header', source: { kind: 'self' }, length };
  // Without a family the rest has no known form.
  const fault = family === 'none' ? null : faultOfExtensions(header, V2_FIXED_BYTES + ADDRESS_BYTES[family!]);
  if (fault !== null) return wrong(fault);
  return { kind: 'header', source: sourceOf(header, family!, transport), length };
}

function sourceOf(header: Buffer, family: (typeof FAMILIES)[number], transport: number): ProxySource {
  // What came to the proxy as datagrams is no connection of anybody.
  if (transport !== STREAM) return { kind: 'unknown' };
  switch (family) {
    case 'inet':
      return { kind: 'address', address: [...header.subarray(16, 20)].join('.'), port: header.readUInt16BE(24) };
    case 'inet6':
      return { kind: 'address', address: textOf(header.subarray(16, 32)), port: header.readUInt16BE(48) };
    case 'unix':
      return { kind: 'unix' };
    default:
      return { kind: 'unknown' };
  }
}

/** An IPv6 address in the form in which the system gives those of connections. */
function textOf(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16)).join(':');
  return new net.SocketAddress({ address: groups, family: 'ipv6' }).address;
}

const CRC32C = 3;
const CRC32C_BYTES = 4;

/** Passes over the extensions (type, length, value); a CRC32C among them must be right. What is wrong, or null. */
function faultOfExtensions(header: Buffer, start: number): string | null {
  for (let at = start; at < header.length; ) {
    const value = at + 3;
    if (value > header.length) return 'its extensions are cut short';
    const end = value + header.readUInt16BE(at + 1);
    if (end > header.length) return 'its extensions are cut short';
    if (header[at] === CRC32C) {
      if (end - value !== CRC32C_BYTES) return 'its CRC32C has a wrong length';
      const summed = Buffer.from(header).fill(0, value, end);
      if (crc32c(summed) !== header.readUInt32BE(value)) return 'its CRC32C is wrong';
    }
    at = end;
  }
  return null;
}

/** RFC 3720, appendix B.4. Bit by bit: a header is short, and few have one. */
export function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}
