import fs from 'node:fs';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { WebSocket } from 'ws';
import { AddressError, reasonOf } from '../../../errors.ts';
import { type Address, formatAddress } from '../address.ts';
import { readAuthorities } from '../authorities.ts';
import { WebSocketStream } from './stream.ts';

export interface WebSocketDialOptions {
  readonly timeoutMs: number;
  /** The longest message accepted from the server. */
  readonly maxMessageBytes: number;
  /** A PEM file of certificate authorities to trust for wss://, in addition to the system's. */
  readonly caFile?: string | undefined;
  /** Gives the attempt up when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects to a WebSocket server; lines go in and out of the stream.
 * @throws AddressError naming the address and what went wrong
 */
export async function dialWebSocket(
  address: Address & { kind: 'ws' },
  { timeoutMs, maxMessageBytes, caFile, signal }: WebSocketDialOptions,
): Promise<Duplex> {
  const name = formatAddress(address);
  const ca = address.secure ? trustedAuthorities(caFile) : undefined;
  const ws = new WebSocket(name, {
    handshakeTimeout: timeoutMs,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    skipUTF8Validation: true,
    ...(ca && { ca }),
  });
  return new Promise((resolve, reject) => {
    const stop = () => ws.terminate();
    const fail = (error: NodeJS.ErrnoException) => {
      signal?.removeEventListener('abort', stop);
      reject(new AddressError(`cannot connect to ${name}: ${explain(error, timeoutMs)}`, error));
    };
    ws.once('error', fail);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
    ws.once('upgrade', ({ socket }) => {
      ws.once('open', () => {
        const stream = new WebSocketStream(ws, socket);
        ws.off('error', fail);
        signal?.removeEventListener('abort', stop);
        resolve(stream);
      });
    });
  });
}

function explain(error: NodeJS.ErrnoException, timeoutMs: number): string {
  if (error.message.startsWith('Opening handshake has timed out')) return `no answer within ${timeoutMs / 1000} s`;
  const status = /^Unexpected server response: (\d+)/.exec(error.message)?.[1];
  if (status) return `it answers HTTP ${status} instead of a WebSocket; are host and path right?`;
  const code = error.code ?? '';
  if (code === 'ENOTFOUND') return 'no such host';
  if (code === 'ECONNREFUSED') return 'nobody is listening; start a server with "bakeserv serve"';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `its certificate is for another host (${error.message})`;
  if (/CERT|SIGNATURE|ISSUER/.test(code)) {
    return `its certificate is not trusted (${error.message}); name the authority that issued it with --ca FILE`;
  }
  if (code === 'EPROTO') return 'it does not speak TLS; is it ws:// instead of wss://?';
  if (code.startsWith('HPE_')) return 'it does not speak WebSocket; are host and port right, and is it wss://?';
  if (code === 'ECONNRESET') return 'it hung up on the WebSocket handshake; are host and port right, and is it wss://?';
  return reasonOf(error) || code;
}

/** Where Linux distributions and the BSDs keep the certificate authorities they trust. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * The authorities of the system (of `$SSL_CERT_FILE` if that is set, of Node.js if the system has none), those of
 * `$NODE_EXTRA_CA_CERTS`, and those of the file: naming one adds to the others.
 */
function trustedAuthorities(caFile: string | undefined): string[] {
  const system = [process.env.SSL_CERT_FILE, ...SYSTEM_BUNDLES].find((file) => file && fs.existsSync(file));
  const authorities = system ? [readAuthorities(system)] : [...tls.rootCertificates];
  if (process.env.NODE_EXTRA_CA_CERTS) authorities.push(readAuthorities(process.env.NODE_EXTRA_CA_CERTS));
  if (caFile) authorities.push(readAuthorities(caFile));
  return authorities;
}
