import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { AddressError, reasonOf } from '../../../errors.ts';
import { type Address, formatAddress } from '../address.ts';
import { clientTls, explainTls, type TlsTrust } from '../tls/trust.ts';
import { WebSocketStream } from './stream.ts';

export interface WebSocketDialOptions {
  readonly timeoutMs: number;
  /** The longest message accepted from the server. */
  readonly maxMessageBytes: number;
  /** For wss://. */
  readonly trust?: TlsTrust;
  /** Gives the attempt up when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects to a WebSocket server; lines go in and out of the stream.
 * @throws AddressError naming the address and what went wrong
 */
export async function dialWebSocket(
  address: Address & { kind: 'ws' },
  { timeoutMs, maxMessageBytes, trust = {}, signal }: WebSocketDialOptions,
): Promise<Duplex> {
  const name = formatAddress(address);
  const ws = new WebSocket(name, {
    handshakeTimeout: timeoutMs,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    skipUTF8Validation: true,
    ...(address.secure && clientTls(trust)),
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
  if (error.message.includes('wrong version number')) return 'it does not speak TLS; is it ws:// instead of wss://?';
  const distrust = explainTls(error);
  if (distrust !== null) return distrust;
  if (code.startsWith('HPE_')) return 'it does not speak WebSocket; are host and port right, and is it wss://?';
  if (code === 'ECONNRESET') return 'it hung up on the WebSocket handshake; are host and port right, and is it wss://?';
  return reasonOf(error) || code;
}
