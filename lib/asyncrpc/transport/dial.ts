import net from 'node:net';
import type { Duplex } from 'node:stream';
import { AddressError, reasonOf } from '../../errors.ts';
import { type Address, formatAddress, protocolAddress } from './address.ts';
import { connectUnixSocket } from './unix/path.ts';

export interface DialOptions {
  readonly timeoutMs: number;
  /** A PEM file of certificate authorities to trust for tls:// and wss://, in addition to the system's. */
  readonly caFile?: string | null | undefined;
  /** PEM files of the certificate to show there, for a server that asks for one, and of its key. */
  readonly certFile?: string | null | undefined;
  readonly keyFile?: string | null | undefined;
  /** Whoever answers over TLS will do: for a server of our own, and nothing secret. */
  readonly anyServer?: boolean;
  /** The longest message accepted from the server over WebSocket, where it is one frame; 256 MiB for our own commands. */
  readonly maxMessageBytes?: number;
  /** Gives the attempt up when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

const MAX_FRAME_BYTES = 256 * 1024 * 1024;

/** A byte stream to a server, nothing sent yet. */
export interface Dialed {
  readonly stream: Duplex;
  /** Whether long messages are sent in chunks on this transport. */
  readonly chunked: boolean;
}

/**
 * Connects to an address of any kind.
 * @throws AddressError when nobody answers there; its cause is the system's error
 * @throws ConfigError when a file of a certificate cannot be used
 */
export async function dial(address: Address, options: DialOptions): Promise<Dialed> {
  const { timeoutMs, maxMessageBytes = MAX_FRAME_BYTES, signal } = options;
  // Loaded only when needed: a client command must start fast.
  if (address.kind === 'ws') {
    const { dialWebSocket } = await import('./websocket/client.ts');
    const stream = await dialWebSocket(address, { timeoutMs, maxMessageBytes, trust: options, signal });
    return { stream, chunked: false };
  }
  if (address.kind === 'http') {
    throw new AddressError(
      `cannot connect to ${formatAddress(address)}: clients of the protocol reach an HTTP listener as ${formatAddress(protocolAddress(address))}`,
    );
  }
  if (address.kind === 'tls') {
    const [{ connectTls }, { explainTls }] = await Promise.all([import('./tls/connect.ts'), import('./tls/trust.ts')]);
    const socket = connectTls(address, options);
    return { stream: await connected(socket, 'secureConnect', address, options, explainTls), chunked: true };
  }
  const socket =
    address.kind === 'unix'
      ? connectUnixSocket(address.path)
      : net.connect({ host: address.host || '127.0.0.1', port: address.port, noDelay: true, keepAlive: true });
  return { stream: await connected(socket, 'connect', address, options), chunked: true };
}

/** @param event emitted once the stream can be used */
function connected(
  socket: net.Socket,
  event: 'connect' | 'secureConnect',
  address: Address,
  { timeoutMs, signal }: DialOptions,
  explain: (error: Error) => string | null = () => null,
): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) => {
      settle();
      socket.destroy();
      reject(new AddressError(`cannot connect to ${formatAddress(address)}: ${why}`, cause));
    };
    const stop = () => fail('given up', signal?.reason);
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    };
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs / 1000} s`), timeoutMs);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
    socket.once(event, () => {
      settle();
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) =>
      fail(REASONS[error.code ?? ''] ?? explain(error) ?? reasonOf(error), error),
    );
  });
}

const REASONS: Record<string, string> = {
  ENOENT: 'no such socket; start a server with "bakeserv serve"',
  ECONNREFUSED: 'nobody is listening; start a server with "bakeserv serve"',
  EACCES: 'permission denied',
  ENOTSOCK: 'not a socket',
  ENOTFOUND: 'no such host',
};
