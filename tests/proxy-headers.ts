import net from 'node:net';
import { crc32c } from '../lib/asyncrpc/transport/proxy-protocol.ts';

/** An end of a connection as a PROXY protocol header has it. */
export interface End {
  readonly address: string;
  readonly port: number;
}

const HERE: End = { address: '192.0.2.254', port: 8585 };
const HERE6: End = { address: '2001:db8::fe', port: 8585 };

/** A header of version 1. */
export function version1(client: End): Buffer {
  const isV4 = net.isIPv4(client.address);
  const server = isV4 ? HERE : HERE6;
  return Buffer.from(
    `PROXY TCP${isV4 ? 4 : 6} ${client.address} ${server.address} ${client.port} ${server.port}\r\n`,
    'latin1',
  );
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** Type and value of an extension. */
export type Extension = readonly [type: number, value: Buffer];

/** A header of version 2 with any command, family and body. */
export function rawVersion2(command: number, family: number, body: Buffer): Buffer {
  const fixed = Buffer.from([0x20 | command, family, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([SIGNATURE, fixed, body]);
}

/** A header of version 2; with a checksum if asked for. */
export function version2(client: End, extensions: readonly Extension[] = [], checksum = false): Buffer {
  const isV4 = net.isIPv4(client.address);
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(client.port, 0);
  ports.writeUInt16BE(HERE.port, 2);
  const addresses = [client.address, isV4 ? HERE.address : HERE6.address].map(bytesOf);
  const all = checksum ? [...extensions, [3, Buffer.alloc(4)] as const] : extensions;
  const header = rawVersion2(1, isV4 ? 0x11 : 0x21, Buffer.concat([...addresses, ports, ...all.map(extension)]));
  if (checksum) header.writeUInt32BE(crc32c(header), header.length - 4);
  return header;
}

/** What a health check of the proxy itself begins with. */
export const LOCAL = rawVersion2(0, 0, Buffer.alloc(0));
/** A client of the proxy's own Unix socket. */
export const UNIX_CLIENT = rawVersion2(1, 0x31, Buffer.alloc(216));

function extension([type, value]: Extension): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]);
}

function bytesOf(address: string): Buffer {
  if (net.isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [before = '', after] = address.split('::');
  const left = before === '' ? [] : before.split(':');
  const right = after ? after.split(':') : [];
  const zeros = after === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
  const bytes = Buffer.alloc(16);
  for (const [i, group] of groups.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * i);
  return bytes;
}
