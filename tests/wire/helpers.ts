import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { DEFAULT_LIMITS, type Limits, MIB } from '../../lib/asyncrpc/limits.ts';
import { protocolAddress } from '../../lib/asyncrpc/transport/address.ts';
import { listen } from '../../lib/asyncrpc/transport/listen.ts';
import { connectTls } from '../../lib/asyncrpc/transport/tls/connect.ts';
import { dialWebSocket } from '../../lib/asyncrpc/transport/websocket/client.ts';
import { encodeJson, frameMessage, type Json } from '../../lib/asyncrpc/wire/messages.ts';
import { type Logger, SILENT } from '../../lib/log.ts';
import { type App, createApp } from '../../lib/server.ts';
import { configIn, duplexPair, temporaryFolder } from '../helpers.ts';
import { type Certificate, selfSignedCertificate, writeCertificate } from './certificate.ts';

export { configIn, duplexPair, hash, METHOD, temporaryFolder } from '../helpers.ts';

/** How a client reaches an app. */
export interface Transport {
  readonly name: string;
  /** Makes the app reachable; returns how to connect. */
  open(
    app: App,
    limits: Limits,
    folder: string,
  ): Promise<{ connect: () => Duplex | Promise<Duplex>; close: () => Promise<void> }>;
}

export const MEMORY: Transport = {
  name: 'an in-memory stream',
  async open(app) {
    const connect = () => {
      const [client, server] = duplexPair();
      app.hub.accept(server, { name: 'memory', address: null, local: true });
      return client;
    };
    return { connect, close: async () => {} };
  },
};

const listening = (name: string, address: (folder: string) => Parameters<typeof listen>[0]): Transport => ({
  name,
  async open(app, limits, folder) {
    const listener = await listen(address(folder), app.hub, limits, SILENT);
    const at = listener.address;
    const connect = () =>
      at.kind === 'unix'
        ? net.connect(at.path)
        : net.connect({ port: at.kind === 'tcp' ? at.port : 0, host: '127.0.0.1', noDelay: true });
    return { connect, close: () => listener.close() };
  },
});

export const TCP = listening('TCP', () => ({ kind: 'tcp', host: '127.0.0.1', port: 0 }));
export const UNIX = listening('a Unix socket', (folder) => ({ kind: 'unix', path: path.join(folder, 's') }));

export const WEBSOCKET: Transport = {
  name: 'WebSocket',
  async open(app, limits) {
    const asked = { kind: 'ws', secure: false, host: '127.0.0.1', port: 0, path: '/ws' } as const;
    const { address, close } = await listen(asked, app.hub, limits, SILENT);
    assert(address.kind === 'ws');
    return { connect: () => dialWebSocket(address, { timeoutMs: 3000, maxMessageBytes: 64 * MIB }), close };
  },
};

export const HTTP: Transport = {
  name: '/ws of an HTTP listener',
  async open(app, limits) {
    const http = await app.openHttp();
    const asked = { kind: 'http', secure: false, host: '127.0.0.1', port: 0 } as const;
    const { address, close } = await listen(asked, app.hub, limits, SILENT, { http: async () => http });
    const at = protocolAddress(address);
    assert(at.kind === 'ws');
    return {
      connect: () => dialWebSocket(at, { timeoutMs: 3000, maxMessageBytes: 64 * MIB }),
      close: async () => {
        http.stop();
        await close();
      },
    };
  },
};

let certificate: Certificate | null = null;

/** A listener's certificate for this host, its own authority; the same for all tests of a file, as making it ready takes long. */
export function ownCertificate(folder: string) {
  certificate ??= selfSignedCertificate('localhost');
  const files = writeCertificate(folder, 'server', certificate);
  return { tls: { ...files, clientCaFile: null }, caFile: files.certFile };
}

export const TLS: Transport = {
  name: 'TLS',
  async open(app, limits, folder) {
    const { tls, caFile } = ownCertificate(folder);
    const asked = { kind: 'tls', host: '127.0.0.1', port: 0 } as const;
    const { address, close } = await listen(asked, app.hub, limits, SILENT, { tls });
    assert(address.kind === 'tls');
    const connect = () => connectTls({ ...address, host: 'localhost' }, { caFile });
    return { connect, close };
  },
};

export const SECURE_WEBSOCKET: Transport = {
  name: 'WebSocket over TLS',
  async open(app, limits, folder) {
    const { tls, caFile } = ownCertificate(folder);
    const asked = { kind: 'ws', secure: true, host: '127.0.0.1', port: 0, path: '/ws' } as const;
    const { address, close } = await listen(asked, app.hub, limits, SILENT, { tls });
    assert(address.kind === 'ws');
    const at = { ...address, host: 'localhost' };
    const options = { timeoutMs: 10_000, maxMessageBytes: 64 * MIB, trust: { caFile } };
    return { connect: () => dialWebSocket(at, options), close };
  },
};

export const SECURE_HTTP: Transport = {
  name: '/ws of an HTTPS listener',
  async open(app, limits, folder) {
    const http = await app.openHttp();
    const { tls, caFile } = ownCertificate(folder);
    const asked = { kind: 'http', secure: true, host: '127.0.0.1', port: 0 } as const;
    const { address, close } = await listen(asked, app.hub, limits, SILENT, { http: async () => http, tls });
    assert(address.kind === 'http');
    const at = protocolAddress({ ...address, host: 'localhost' });
    assert(at.kind === 'ws');
    return {
      connect: () => dialWebSocket(at, { timeoutMs: 10_000, maxMessageBytes: 64 * MIB, trust: { caFile } }),
      close: async () => {
        http.stop();
        await close();
      },
    };
  },
};

/** The client's end of a conversation, line by line. */
export class WireClient {
  readonly stream: Duplex;
  private buffer = '';
  private ended = false;
  private wake: (() => void) | null = null;
  private readonly piece: number;

  /** @param piece bytes a write is cut into; 0 leaves it whole */
  constructor(stream: Duplex, piece = 0) {
    this.stream = stream;
    this.piece = piece;
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => this.notice(() => (this.buffer += text)));
    for (const event of ['end', 'close', 'error']) stream.on(event, () => this.notice(() => (this.ended = true)));
  }

  private notice(change: () => void): void {
    change();
    this.wake?.();
  }

  send(text: string | Buffer): void {
    const bytes = Buffer.from(text as string);
    if (this.piece === 0) this.stream.write(bytes);
    else for (let at = 0; at < bytes.length; at += this.piece) this.stream.write(bytes.subarray(at, at + this.piece));
  }

  /** Everything has been handed to the stream. */
  async flushed(): Promise<void> {}

  /** The next line, or null when the server closed. */
  async line(): Promise<string | null> {
    for (;;) {
      const end = this.buffer.indexOf('\n');
      if (end >= 0) {
        const line = this.buffer.slice(0, end);
        this.buffer = this.buffer.slice(end + 1);
        return line;
      }
      if (this.ended) return null;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** The next message, chunks put together. */
  async message(): Promise<Json> {
    const line = await this.line();
    assert.notEqual(line, null, 'the server closed instead of answering');
    const value: Json = JSON.parse(line!);
    if (line !== '{"chunk-stream": null}') return value;
    let text = '';
    for (let chunk = await this.line(); chunk !== ''; chunk = await this.line()) text += chunk;
    return JSON.parse(text);
  }

  /** Everything up to the end of the connection. */
  async rest(): Promise<string> {
    const lines: string[] = [];
    for (let line = await this.line(); line !== null; line = await this.line()) lines.push(line);
    return lines.join('\n');
  }

  handshake(protocol = 'OEHASHEQUIV 1.1'): this {
    this.send(`${protocol}\nneeds-headers: false\n\n`);
    return this;
  }

  async ask(command: string, args: Json): Promise<Json> {
    this.send(frameMessage(JSON.stringify({ [command]: args }), true));
    return this.message();
  }

  close(): void {
    this.stream.destroy();
  }
}

/** An app under test, and clients that are hung up with it. */
export interface Served {
  readonly app: App;
  readonly folder: string;
  /** A client that has shaken hands; another piece of the same conversation each time. */
  connect(protocol?: string): WireClient;
  /** A client that has sent nothing yet. */
  dial(): WireClient;
  /** Stops the server as a signal would; done after the test in any case. */
  stop(): Promise<void>;
}

interface Running {
  after(fn: () => void | Promise<void>): void;
}

/** Starts an app for one test; everything is closed and removed after it. */
export async function serve(
  t: Running,
  options: {
    flags?: Record<string, unknown>;
    limits?: Partial<Limits>;
    transport?: Transport;
    folder?: string;
    log?: Logger;
  } = {},
): Promise<Served> {
  const folder = options.folder ?? fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-test-'));
  // These tests are not about power cuts: syncing for each would only make them slow.
  const config = configIn(folder, { 'sync-mode': 'on_shutdown', ...options.flags }, options.limits);
  const app = await createApp(config, options.log ?? SILENT);
  const opened = await (options.transport ?? MEMORY).open(app, config.limits, folder);
  const clients: WireClient[] = [];
  let stopping: Promise<void> | null = null;
  const stop = () => {
    stopping ??= opened.close().then(() => app.close());
    return stopping;
  };
  t.after(async () => {
    for (const client of clients) client.close();
    await stop();
    if (!options.folder) fs.rmSync(folder, { recursive: true, force: true });
  });
  const dial = () => {
    const stream = opened.connect();
    assert.ok(!(stream instanceof Promise), 'a WebSocket has more to it: see websocket-helpers.ts');
    const client = new WireClient(stream);
    clients.push(client);
    return client;
  };
  return { app, folder, dial, stop, connect: (protocol) => dial().handshake(protocol) };
}

/** The text of a refusal. */
export function refusal(reply: Json): string {
  const error = (reply as { 'invoke-error'?: { message: string } } | null)?.['invoke-error'];
  assert.ok(error, `not refused: ${JSON.stringify(reply)}`);
  return error.message;
}

interface RecordedServer {
  readonly id: string;
  readonly service: 'hashserv' | 'prserv';
  readonly sharesDatabaseWith?: string;
  readonly readOnly?: boolean;
  readonly anonPerms?: readonly string[];
  readonly adminUser?: string;
  readonly adminPassword?: string;
  readonly upstream?: string;
}

interface Step {
  readonly connect?: string;
  readonly to?: string;
  readonly disconnect?: string;
  readonly on?: string;
  readonly sendLine?: string;
  readonly send?: Json;
  readonly chunk?: number;
  readonly recv?: Json;
  readonly recvLine?: string;
  readonly closed?: true;
  readonly ignore?: readonly string[];
  readonly unordered?: readonly string[];
}

export interface Recording {
  readonly name: string;
  readonly about: string;
  readonly servers: readonly RecordedServer[];
  readonly steps: readonly Step[];
}

const FOLDER = new URL('../conformance/', import.meta.url);

export function recordings(): Recording[] {
  const files = fs.readdirSync(FOLDER).filter((file) => file.endsWith('.json'));
  return files.map((file) => JSON.parse(fs.readFileSync(new URL(file, FOLDER), 'utf8')));
}

export interface ReplayOptions {
  readonly clientOf?: (stream: Duplex) => WireClient;
  /** So many requests of a connection are sent ahead of the answers to those before them. */
  readonly window?: number;
  /** So many servers stand on the files of each, as workers do: connections are given to one after the other. */
  readonly processes?: number;
  /** Settings by which servers on a folder of this name share a database, where it is not a file in it. */
  readonly databaseOf?: (folder: string) => Promise<Record<string, unknown>>;
}

/** An upstream in this process may be kept from its answer for seconds by whatever else the machine does. */
const PATIENT = { 'upstream-timeout': 60, 'upstream-connect-timeout': 60 };

/** Plays a recorded conversation against our servers, each in an empty folder, and compares every answer. */
export async function replay(
  t: { after(fn: () => void | Promise<void>): void },
  recording: Recording,
  transport: Transport,
  { clientOf = (stream) => new WireClient(stream), window = 0, processes = 1, databaseOf }: ReplayOptions = {},
): Promise<void> {
  const { steps } = recording;
  /** What the steps before this one send has been sent. */
  let sentTo = 0;
  const addresses = new Map<string, string>();
  const folders = new Map<string, string>();
  const connects = new Map<string, () => Duplex | Promise<Duplex>>();
  const cleanUps: (() => Promise<void>)[] = [];
  const clients = new Map<string, WireClient>();
  try {
    for (const server of recording.servers) {
      const folder = server.sharesDatabaseWith ? folders.get(server.sharesDatabaseWith)! : temporaryFolder(t as never);
      folders.set(server.id, folder);
      const config = configIn(folder, {
        [server.service === 'hashserv' ? 'prserv' : 'hashserv']: false,
        // As in serve(): these replays are not about power cuts.
        ...(databaseOf ? await databaseOf(folder) : { 'sync-mode': 'on_shutdown' }),
        ...(server.readOnly && { 'read-only': true }),
        ...(server.anonPerms && { 'anon-perms': server.anonPerms.join(',') || '@none' }),
        ...(server.upstream && { [`${server.service}-upstream`]: addresses.get(server.upstream), ...PATIENT }),
        ...(server.adminUser && { 'admin-user': server.adminUser, 'admin-password': server.adminPassword }),
      });
      const app = await createApp(config, SILENT);
      const socketFolder = temporaryFolder(t as never);
      const opened = await transport.open(app, DEFAULT_LIMITS, socketFolder);
      const doors = [opened.connect];
      for (let n = 1; n < processes; n++) {
        const another = await createApp(config, SILENT);
        const door = await transport.open(another, DEFAULT_LIMITS, temporaryFolder(t as never));
        doors.push(door.connect);
        cleanUps.push(async () => {
          await door.close();
          await another.close();
        });
      }
      let next = 0;
      connects.set(server.id, () => doors[next++ % doors.length]!());
      // An upstream is asked over a socket, whatever carries the clients.
      const socket = { kind: 'unix', path: path.join(socketFolder, 'upstream') } as const;
      const listener = await listen(socket, app.hub, DEFAULT_LIMITS, SILENT);
      addresses.set(server.id, `unix://${socket.path}`);
      cleanUps.push(async () => {
        await opened.close();
        await listener.close();
        await app.close();
      });
    }
    for (const [at, step] of steps.entries()) await play(at, step, `${recording.name}, step ${at}`);
  } finally {
    for (const client of clients.values()) client.close();
    // All, whatever fails: what is left open would keep this process.
    const failed: unknown[] = [];
    for (const cleanUp of cleanUps.reverse()) await cleanUp().catch((error) => failed.push(error));
    assert.deepEqual(failed, []);
  }

  async function play(at: number, step: Step, where: string): Promise<void> {
    if (step.connect) clients.set(step.connect, clientOf(await connects.get(step.to!)!()));
    else if (step.disconnect) {
      await clients.get(step.disconnect)!.flushed();
      clients.get(step.disconnect)!.close();
    } else {
      const client = clients.get(step.on!)!;
      const text = textOf(step);
      if (text !== null) {
        if (at >= sentTo) client.send(text);
        return;
      }
      sendAhead(at, client);
      if (step.recvLine !== undefined) assert.equal(await client.line(), step.recvLine, where);
      else if (step.closed) assert.equal(await client.line(), null, where);
      else assert.deepEqual(comparable(await client.message(), step), comparable(step.recv!, step), where);
    }
  }

  /** Requests that follow on the same connection; what others see of it must not come sooner than recorded. */
  function sendAhead(at: number, client: WireClient): void {
    const { on } = steps[at]!;
    let ahead = 0;
    for (let next = at; ahead < window && steps[next]?.on === on && !steps[next]!.closed; next++) {
      const text = textOf(steps[next]!);
      if (text === null) continue;
      ahead++;
      if (next < sentTo) continue;
      client.send(text);
      sentTo = next + 1;
    }
  }
}

/** What a step sends; null where it sends nothing. */
function textOf(step: Step): string | null {
  if (step.sendLine !== undefined) return `${step.sendLine}\n`;
  return 'send' in step ? encode(step.send!, step.chunk) : null;
}

function encode(value: Json, chunk?: number): string {
  const text = encodeJson(value);
  if (!chunk) return `${text}\n`;
  const lines = [];
  for (let at = 0; at < text.length; at += chunk) lines.push(text.slice(at, at + chunk));
  return `{"chunk-stream": null}\n${lines.join('\n')}\n\n`;
}

function comparable(value: Json, { ignore = [], unordered = [] }: Step): Json {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  const copy: { [key: string]: Json } = {};
  for (const [key, item] of Object.entries(value)) {
    if (ignore.includes(key)) continue;
    copy[key] =
      unordered.includes(key) && Array.isArray(item) ? [...item].map((each) => JSON.stringify(each)).sort() : item;
  }
  return copy;
}
