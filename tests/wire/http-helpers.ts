import net from 'node:net';
import type { Limits } from '../../lib/asyncrpc/limits.ts';
import { type Logger, SILENT } from '../../lib/log.ts';
import { type Server, startServer } from '../../lib/server.ts';
import { configIn, temporaryFolder } from './helpers.ts';

export interface HttpServer {
  readonly server: Server;
  readonly folder: string;
  readonly port: number;
  readonly url: string;
  /** A connection that is closed after the test. */
  connect(): net.Socket;
}

interface Running {
  after(fn: () => void | Promise<void>): void;
}

/** Both services on an HTTP listener. */
export async function httpServer(
  t: Running,
  options: { flags?: Record<string, unknown>; limits?: Partial<Limits>; log?: Logger; rights?: string } = {},
): Promise<HttpServer> {
  // Hooks run in the order they are added: the folder must outlive the server.
  const afterwards: (() => void)[] = [];
  const folder = temporaryFolder({ after: (fn) => afterwards.push(fn) });
  const bind = [`http://127.0.0.1:0${options.rights ?? ''}`];
  const config = configIn(folder, { bind, 'sync-mode': 'on_shutdown', ...options.flags }, options.limits);
  const server = await startServer(config, options.log ?? SILENT);
  const { address } = server.listeners.find((each) => each.address.kind === 'http')!;
  if (address.kind !== 'http') throw new Error('unreachable');
  const sockets: net.Socket[] = [];
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await server.close();
    for (const fn of afterwards) fn();
  });
  const connect = () => {
    const socket = net.connect({ port: address.port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => {});
    sockets.push(socket);
    return socket;
  };
  return { server, folder, port: address.port, url: `http://127.0.0.1:${address.port}`, connect };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Reads answers off a connection one by one, as they are on the wire. */
export class AnswerReader {
  readonly socket: net.Socket;
  /** Resolves when nothing more will come. */
  readonly ended: Promise<void>;
  private held = Buffer.alloc(0);
  private over = false;
  private wake = () => {};

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.held = Buffer.concat([this.held, chunk]);
      this.wake();
    });
    this.ended = new Promise((resolve) => {
      const end = () => {
        this.over = true;
        this.wake();
        resolve();
      };
      socket.on('end', end).on('close', end);
    });
  }

  /** The next answer; null when the connection ended before it. */
  async next(hasBody = true): Promise<RawAnswer | null> {
    for (;;) {
      const end = this.held.indexOf('\r\n\r\n');
      if (end >= 0) {
        const [first, ...lines] = this.held.toString('latin1', 0, end).split('\r\n');
        const headers = Object.fromEntries(
          lines.map((line) => [
            line.slice(0, line.indexOf(':')).toLowerCase(),
            line.slice(line.indexOf(':') + 1).trim(),
          ]),
        );
        const length = hasBody ? Number(headers['content-length'] ?? 0) : 0;
        if (this.held.length >= end + 4 + length) {
          const body = this.held.toString('utf8', end + 4, end + 4 + length);
          this.held = this.held.subarray(end + 4 + length);
          return { status: Number(first!.split(' ')[1]), headers, body };
        }
      }
      if (this.over) return null;
      await this.more();
    }
  }

  /** What comes after the answers read so far, once it is `enough`, or all of it when the connection ends before. */
  async after(enough: (said: string) => boolean): Promise<string> {
    while (!this.over && !enough(this.held.toString('latin1'))) await this.more();
    return this.held.toString('latin1');
  }

  private more(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}

/** Sends a request as it is written and reads the one answer to it. */
export async function rawRequest(server: HttpServer, text: string | Buffer): Promise<RawAnswer | null> {
  const socket = server.connect();
  const reader = new AnswerReader(socket);
  socket.write(text);
  return reader.next(!String(text).startsWith('HEAD'));
}
