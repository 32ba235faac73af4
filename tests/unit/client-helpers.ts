import os from 'node:os';
import type { Duplex } from 'node:stream';
import { createClient } from '../../lib/asyncrpc/client/client.ts';
import type { ClientOptions } from '../../lib/asyncrpc/client/options.ts';
import type { Dialed } from '../../lib/asyncrpc/transport/dial.ts';
import { LineSplitter } from '../../lib/asyncrpc/wire/lines.ts';
import { duplexPair } from '../wire/helpers.ts';

/** The server's end of one connection. */
export interface Peer {
  say(...lines: string[]): void;
  hangUp(): void;
  reset(): void;
}

export type Script = (line: string, peer: Peer, connection: number) => void;

/** A client whose server is `script`, called for every line after the handshake. */
export function clientOf(script: Script, options: Partial<ClientOptions> = {}) {
  const { dial, connections } = fakeServer(script);
  const client = createClient(
    { kind: 'unix', path: 'fake' },
    { protocol: 'OEHASHEQUIV 1.1', dial, reconnectDelayMs: 1, ...options },
  );
  return { client, connections };
}

export function fakeServer(script: Script) {
  let connections = 0;
  const dial = async (): Promise<Dialed> => {
    const [near, far] = duplexPair();
    const reset = () => near.destroy(Object.assign(new Error('read ECONNRESET'), RESET));
    serve(far, script, ++connections, reset);
    return { stream: near, chunked: true };
  };
  return { dial, connections: () => connections };
}

/** As the system reports it. */
const RESET = { errno: -os.constants.errno.ECONNRESET, code: 'ECONNRESET', syscall: 'read' };

export function serve(stream: Duplex, script: Script, connection: number, onReset = () => {}): void {
  const splitter = new LineSplitter(1 << 20);
  let headers = true;
  const peer: Peer = {
    say: (...lines) => void stream.write(lines.map((line) => `${line}\n`).join('')),
    hangUp: () => void stream.destroy(),
    reset: () => onReset(),
  };
  stream.on('error', () => {});
  stream.on('data', (chunk: Buffer) => {
    for (const line of splitter.push(chunk)) {
      if (headers) headers = line !== '';
      else script(line, peer, connection);
    }
  });
}
