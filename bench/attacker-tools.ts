/** What attackers are made of: connections from 127.0.0.2, floods, and messages in chunks. */
import { once } from 'node:events';
import net from 'node:net';

export const HASH = 'OEHASHEQUIV 1.1\n\n';
export const PR = 'PRSERVICE 1.0\n\n';
export const MIB = 1024 * 1024;
const [port = '', webSocketPort = '', seconds = '', http = ''] = process.argv.slice(3);
export const httpPort = http;
export const until = performance.now() + Number(seconds) * 1000;

export const hex = (n: number) => n.toString(16).padStart(64, '0');
export const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
export const rest = () => wait(Math.max(0, until - performance.now()));
const pause = () => new Promise((resolve) => setImmediate(resolve));

export function connect(read = true, to = port): net.Socket {
  const socket = net.connect({ port: Number(to), host: '127.0.0.1', localAddress: '127.0.0.2', noDelay: true });
  socket.on('error', () => {});
  return read ? socket.resume() : socket.pause();
}

export function connected(count: number, hello: string, read = true): net.Socket[] {
  return Array.from({ length: count }, () => {
    const socket = connect(read);
    socket.write(hello);
    return socket;
  });
}

/** Writes a block again and again on each socket, as fast as it is taken. */
export async function flood(sockets: readonly net.Socket[], block: string | Buffer): Promise<void> {
  await Promise.all(
    sockets.map(async (socket) => {
      while (performance.now() < until && !socket.destroyed) {
        if (socket.write(block)) await pause();
        else
          await Promise.race([
            new Promise((resolve) => socket.removeAllListeners('drain').once('drain', resolve)),
            wait(200),
          ]);
      }
    }),
  );
}

/** A message in chunks, as the protocol has it. */
export function chunked(text: string): string {
  let lines = '{"chunk-stream": null}\n';
  for (let at = 0; at < text.length; at += 32_000) lines += `${text.slice(at, at + 32_000)}\n`;
  return `${lines}\n`;
}

export const request = (command: string, argument: unknown) => `${JSON.stringify({ [command]: argument })}\n`;

/** The lines of a stream, from its command to its END. */
export const stream = (command: string, lines: readonly string[]) =>
  `${request(command, null)}${lines.join('\n')}\nEND\n`;

/** A WebSocket that was let in. */
export async function webSocket(read = true): Promise<net.Socket> {
  const socket = connect(true, webSocketPort);
  socket.write(
    'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n',
  );
  await once(socket, 'data');
  return read ? socket : socket.pause();
}
