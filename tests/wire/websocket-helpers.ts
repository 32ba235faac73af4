import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';
import type { Limits } from '../../lib/asyncrpc/limits.ts';
import type { Address } from '../../lib/asyncrpc/transport/address.ts';
import { listen } from '../../lib/asyncrpc/transport/listen.ts';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { SILENT } from '../../lib/log.ts';
import { createApp } from '../../lib/server.ts';
import { configIn, temporaryFolder } from './helpers.ts';

export type Test = { after(fn: () => void | Promise<void>): void };

export interface TestServer {
  readonly address: Address & { kind: 'ws' };
  readonly port: number;
  readonly url: string;
  /** What the server holds for its clients. */
  heldBytes(): number;
  /** As a stopping server does it; also done when the test is over. */
  close(): Promise<void>;
}

/** Turns in which a WebSocket reads its packets once the test lets it, one each. */
export function heldTurns(isOver: boolean) {
  const waiting: { work(): void }[] = [];
  const turns = {
    isOver,
    spend() {},
    queue: (worker: { work(): void }) => void waiting.push(worker),
    next: async () => {},
  };
  return { turns, waiting };
}

/** Both services on a WebSocket listener of their own. */
export async function webSocketServer(
  t: Test,
  flags: Record<string, unknown> = {},
  limits: Partial<Limits> = {},
): Promise<TestServer> {
  // Hooks run in the order they are added: the folder must outlive the server.
  const afterwards: (() => void | Promise<void>)[] = [];
  const config = configIn(temporaryFolder({ after: (fn) => afterwards.push(fn) }), flags, limits);
  const app = await createApp(config, SILENT);
  const asked = { kind: 'ws', secure: false, host: '127.0.0.1', port: 0, path: '/' } as const;
  const listener = await listen(asked, app.hub, config.limits, SILENT, config);
  const address = listener.address as Address & { kind: 'ws' };
  let closing: Promise<void> | null = null;
  const close = () => {
    closing ??= listener.close().then(() => app.close());
    return closing;
  };
  t.after(async () => {
    await close();
    for (const fn of afterwards) await fn();
  });
  const url = `ws://127.0.0.1:${address.port}/ws`;
  return { address, port: address.port, url, heldBytes: () => app.hub.heldBytes, close };
}

/** A bare WebSocket client that sees frames as they are. */
export class FrameClient {
  readonly ws: WebSocket;
  /** How the connection ended: close code and reason. */
  readonly closed: Promise<{ code: number; reason: string }>;
  private readonly frames: string[] = [];
  private wake: (() => void) | null = null;

  constructor(url: string, options: ClientOptions = {}) {
    this.ws = new WebSocket(url, { perMessageDeflate: false, maxPayload: 0, ...options });
    this.ws.on('message', (data) => {
      this.frames.push(String(data));
      this.wake?.();
    });
    this.ws.on('error', () => {});
    this.closed = new Promise((resolve) => {
      this.ws.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
  }

  static async open(url: string, options: ClientOptions = {}, protocol = 'OEHASHEQUIV 1.1'): Promise<FrameClient> {
    const client = new FrameClient(url, options);
    await once(client.ws, 'open');
    for (const line of [protocol, 'needs-headers: false', '']) client.ws.send(line);
    return client;
  }

  /** The next frame; rejects when the connection ends first. */
  async frame(): Promise<string> {
    while (this.frames.length === 0) {
      const more = new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      const end = this.closed.then(({ code }) => {
        if (this.frames.length === 0) throw new Error(`closed with ${code} instead of a frame`);
      });
      await Promise.race([more, end]);
    }
    return this.frames.shift()!;
  }

  /** Frames that have come and were not taken. */
  unread(): string[] {
    return this.frames.splice(0);
  }

  async ask(command: string, args: Json): Promise<Json> {
    this.ws.send(JSON.stringify({ [command]: args }));
    return JSON.parse(await this.frame());
  }
}

/** The HTTP status a client is refused with, or null when it gets its WebSocket. */
export async function upgradeStatus(url: string, headers: Record<string, string>): Promise<number | null> {
  const ws = new WebSocket(url, { headers });
  ws.on('error', () => {});
  return new Promise((resolve) => {
    ws.on('unexpected-response', (_request, response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    ws.on('open', () => {
      ws.terminate();
      resolve(null);
    });
  });
}

export const HASHES = {
  method: 'TestMethod',
  taskhash: '35788efcb8dfb0a02659d81cf2bfd695fb30faf9',
  outhash: '2765d4a5884be49b28601445c2760c5f21e7e5c0ee2b7e3fce98fd7e5970796f',
  unihash: 'f46d3fbb439bd9b921095da657a4de906510d2cd1a3bd3fb3a7e2a1ee3a3b4c5',
} as const;
