import net from 'node:net';
import type { Duplex } from 'node:stream';
import { AddressError, reasonOf } from '../../errors.ts';
import { type Address, formatAddress, protocolAddress } from './address.ts';
import { connectUnixSocket } from './unix/path.ts';

export interface DialOptions {
  readonly timeoutMs: number;
  /** A PEM file of certificate authorities to trust for wss://, in addition to the system's. */
  readonly caFile?: string | null | undefined;
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
 */
export async function dial(address: Address, options: DialOptions): Promise<Dialed> {
  const { timeoutMs, caFile, maxMessageBytes = MAX_FRAME_BYTES, signal } = options;
  if (address.kind === 'ws') {
    // Loaded only when needed: a client command must start fast.
    const { dialWebSocket } = await import('./websocket/client.ts');
    const stream = await dialWebSocket(address, { timeoutMs, maxMessageBytes, caFile: caFile ?? undefined, signal });
    return { stream, chunked: false };
  }
  if (address.kind === 'http') {
    throw new AddressError(
      `cannot connect to ${formatAddress(address)}: clients of the protocol reach an HTTP listener as ${formatAddress(protocolAddress(address))}`,
    );
  }
  return { stream: await dialSocket(address, timeoutMs, signal), chunked: true };
}

function dialSocket(
  address: Exclude<Address, { kind: 'ws' | 'http' }>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket =
      address.kind === 'unix'
        ? connectUnixSocket(address.path)
        : net.connect({ host: address.host || '127.0.0.1', port: address.port, noDelay: true, keepAlive: true });
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
    socket.once('connect', () => {
      settle();
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => fail(REASONS[error.code ?? ''] ?? reasonOf(error), error));
  });
}

const REASONS: Record<string, string> = {
  ENOENT: 'no such socket; start a server with "bakeserv serve"',
  ECONNREFUSED: 'nobody is listening; start a server with "bakeserv serve"',
  EACCES: 'permission denied',
  ENOTSOCK: 'not a socket',
  ENOTFOUND: 'no such host',
};
