import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { KIB, type Limits, MIB } from '../../lib/asyncrpc/limits.ts';
import { SILENT } from '../../lib/log.ts';
import { COUNTED_LIMITS } from '../../lib/metrics/rows/connections.ts';
import { type Server, startServer } from '../../lib/server.ts';
import { scrape } from '../metrics-helpers.ts';
import { configIn, duplexPair, METHOD, refusal, temporaryFolder, WireClient } from './helpers.ts';

/** A server on every kind of listener. */
class Everywhere {
  readonly server: Server;
  private readonly sockets: { destroy(): void }[] = [];

  constructor(server: Server) {
    this.server = server;
  }

  get hits() {
    return this.server.hub.figures.hits;
  }

  address(kind: string) {
    return this.server.listeners.find(({ address }) => address.kind === kind)!.address;
  }

  port(kind: 'tcp' | 'ws' | 'http'): number {
    return (this.address(kind) as { port: number }).port;
  }

  /** A client that has said nothing yet. */
  dial(kind: 'unix' | 'tcp' | 'ws' | 'http' = 'unix'): WireClient {
    const socket =
      kind === 'unix'
        ? net.connect((this.address('unix') as { path: string }).path)
        : net.connect(this.port(kind), '127.0.0.1');
    this.sockets.push(socket);
    return new WireClient(socket);
  }

  connect(kind: 'unix' | 'tcp' = 'unix'): WireClient {
    return this.dial(kind).handshake();
  }

  webSocket(): WebSocket {
    const ws = new WebSocket(`ws://127.0.0.1:${this.port('ws')}/`, { autoPong: false });
    ws.on('error', () => {});
    this.sockets.push({ destroy: () => ws.terminate() });
    return ws;
  }

  hangUp(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}

interface Running {
  after(fn: () => void | Promise<void>): void;
}

async function everywhere(t: Running, limits: Partial<Limits>, flags: Record<string, unknown>): Promise<Everywhere> {
  const afterwards: (() => void)[] = [];
  const folder = temporaryFolder({ after: (fn) => afterwards.push(fn) });
  const bind = [`unix://${path.join(folder, 's')}`, '127.0.0.1:0', 'ws://127.0.0.1:0', 'http://127.0.0.1:0'];
  const config = configIn(folder, { bind, 'sync-mode': 'on_shutdown', ...flags }, limits);
  const all = new Everywhere(await startServer(config, SILENT));
  t.after(async () => {
    all.hangUp();
    await all.server.close();
    for (const fn of afterwards) fn();
  });
  return all;
}

/** Turns of the event loop until it is so: what is awaited happens on sockets and ticks. */
async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!isSo()) {
    assert.ok(performance.now() < end, 'it does not come');
    await nextTurn();
  }
}

const chunks = (bytes: number) =>
  `{"chunk-stream": null}\n${`${'x'.repeat(32_000)}\n`.repeat(Math.ceil(bytes / 32_000))}`;
const pings = (count: number) => '{"ping": {}}\n'.repeat(count);
const stream = (lines: number) => `{"get-stream": null}\n${`${METHOD} ${'0'.repeat(64)}\n`.repeat(lines)}`;

/** A client that reads nothing. */
function deaf(all: Everywhere): WireClient {
  const client = all.connect();
  client.stream.pause();
  return client;
}

const ADMIN = { 'admin-user': 'root', 'admin-password': 'secret' };

interface Case {
  readonly limits: Partial<Limits>;
  readonly flags?: Record<string, unknown>;
  /** Goes past the limit. */
  meet(all: Everywhere): unknown;
  /** How often it was met, where that is always the same. */
  readonly times?: number;
}

const CASES: Readonly<Partial<Record<keyof Limits, Case>>> = {
  maxLineBytes: {
    limits: { maxLineBytes: 32 * KIB },
    meet: (all) => all.connect().send(`${'x'.repeat(33 * KIB)}\n`),
    times: 1,
  },
  maxMessageBytes: {
    limits: { maxMessageBytes: 64 * KIB },
    meet: (all) => all.connect().send(chunks(200 * KIB)),
    times: 1,
  },
  maxMessageBeforeLoginBytes: {
    limits: { maxMessageBeforeLoginBytes: 1 * KIB },
    flags: { 'anon-perms': '@none', ...ADMIN },
    meet: (all) => all.connect().send(`{"get": {"method": "${'x'.repeat(2 * KIB)}"}}\n`),
    times: 1,
  },
  maxPartialBytes: {
    limits: { maxMessageBytes: 256 * KIB, maxPartialBytes: 256 * KIB },
    meet(all) {
      for (let i = 0; i < 2; i++) all.connect().send(chunks(128 * KIB));
    },
  },
  maxHeldBytes: {
    limits: { maxHeldBytes: 1 },
    meet: (all) => deaf(all).send(pings(40_000)),
  },
  maxJsonDepth: { limits: { maxJsonDepth: 4 }, meet: (all) => all.connect().send('{"ping": [[[[[]]]]]}\n'), times: 1 },
  maxJsonKeys: { limits: { maxJsonKeys: 2 }, meet: (all) => all.connect().send('{"a": {"b": 1, "c": 2}}\n'), times: 1 },
  handshakeTimeoutMs: { limits: { handshakeTimeoutMs: 1 }, meet: (all) => all.dial(), times: 1 },
  maxHeaders: { limits: { maxHeaders: 1 }, meet: (all) => all.dial().send('OEHASHEQUIV 1.1\na: 1\nb: 2\n'), times: 1 },
  maxHeaderBytes: {
    limits: { maxHeaderBytes: 10 },
    meet: (all) => all.dial().send(`OEHASHEQUIV 1.1\na: ${'x'.repeat(20)}\n`),
    times: 1,
  },
  messageTimeoutMs: { limits: { messageTimeoutMs: 1 }, meet: (all) => all.connect().send('{"ping"'), times: 1 },
  maxConnections: {
    limits: { maxConnections: 2 },
    meet(all) {
      for (let i = 0; i < 3; i++) all.dial();
    },
    times: 1,
  },
  maxConnectionsPerAddress: {
    limits: { maxConnectionsPerAddress: 1 },
    meet(all) {
      for (let i = 0; i < 3; i++) all.dial('tcp');
    },
    times: 2,
  },
  maxHandshakes: { limits: { maxHandshakes: 0 }, meet: (all) => all.dial(), times: 1 },
  maxHandshakesPerAddress: { limits: { maxHandshakesPerAddress: 0 }, meet: (all) => all.dial('tcp'), times: 1 },
  maxInFlight: { limits: { maxInFlight: 2 }, meet: (all) => all.connect().send(stream(10)) },
  maxInFlightBytes: {
    limits: { maxInFlight: 1, maxInFlightBytes: 1 * KIB },
    meet: (all) => all.connect().send(stream(100)),
  },
  outputPauseBytes: { limits: { outputPauseBytes: 1 * KIB }, meet: (all) => deaf(all).send(pings(100_000)) },
  outputLimitBytes: {
    limits: { outputPauseBytes: 16 * MIB, outputLimitBytes: 64 * KIB },
    meet: (all) => deaf(all).send(pings(100_000)),
    times: 1,
  },
  outputTimeoutMs: {
    limits: { outputTimeoutMs: 1 },
    meet: (all) => deaf(all).send(pings(100_000)),
    times: 1,
  },
  maxHttpConnections: {
    limits: { maxHttpConnections: 0 },
    meet: (all) => all.dial('http'),
    times: 1,
  },
  maxHttpHeaderBytes: {
    limits: { maxHttpHeaderBytes: 1 * KIB },
    meet: (all) => all.dial('http').send(`GET /healthz HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20 * KIB)}\r\n\r\n`),
    times: 1,
  },
  maxHttpBodyBytes: {
    limits: { maxHttpBodyBytes: 10 },
    meet: (all) =>
      fetch(`http://127.0.0.1:${all.port('http')}/api/v1/users`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username: 'somebody' }),
      }),
    times: 1,
  },
  httpIdleTimeoutMs: {
    limits: { httpIdleTimeoutMs: 1 },
    meet: (all) => all.dial('http').send('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n'),
    times: 1,
  },
  // The kernel tells of it, after minutes.
  keepAliveMs: {
    limits: {},
    meet(all) {
      const [, end] = duplexPair();
      all.server.hub.accept(end, { name: 'one', address: null, local: true });
      end.destroy(Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT' }));
    },
    times: 1,
  },
  websocketPingMs: { limits: { websocketPingMs: 10 }, meet: (all) => once(all.webSocket(), 'open'), times: 1 },
  loginFailureDelayMs: {
    limits: { loginFailureDelayMs: 1 },
    meet: async (all) => refusal(await all.connect().ask('auth', { username: 'nobody', token: 'x' })),
    times: 1,
  },
  maxLoginFailures: {
    limits: { loginFailureDelayMs: 1, maxLoginFailures: 2 },
    async meet(all) {
      const client = all.connect();
      for (let i = 0; i < 2; i++) refusal(await client.ask('auth', { username: 'nobody', token: 'x' }));
    },
    times: 1,
  },
  maxCautiousLogins: {
    limits: { loginFailureDelayMs: 1, maxLoginFailures: 1 },
    async meet(all) {
      const client = all.connect();
      for (let i = 0; i < 2; i++) refusal(await client.ask('auth', { username: 'nobody', token: 'x' }));
    },
    times: 1,
  },
  drainTimeoutMs: {
    limits: { drainTimeoutMs: 1 },
    async meet(all) {
      const client = deaf(all);
      client.send(pings(300_000));
      await until(() => all.hits.outputPauseBytes > 0);
      void all.server.close();
    },
    times: 1,
  },
};

describe('a limit that is met is counted:', () => {
  for (const [limit, option] of COUNTED_LIMITS) {
    test(`--${option}`, async (t) => {
      const known = CASES[limit];
      assert.ok(known, 'there is a way to meet it');
      const all = await everywhere(t, known.limits, known.flags ?? {});
      assert.equal(all.hits[limit], 0);
      await known.meet(all);
      await until(() => all.hits[limit] > 0);
      const value = (await scrape(all.server)).value('bakeserv_limit_hits_total', { limit: option });
      assert.ok(value > 0);
      if (known.times !== undefined) assert.equal(value, known.times);
    });
  }
});

describe('clients that are turned away are counted:', () => {
  const turnedAway = async (t: Running, flags: Record<string, unknown>, meet: (all: Everywhere) => void) => {
    const all = await everywhere(t, {}, flags);
    const sum = () => Object.values(all.server.hub.figures.rejected).reduce((a, b) => a + b);
    meet(all);
    await until(() => sum() > 0);
    return (await scrape(all.server)).counts('bakeserv_connections_rejected_total');
  };

  test('with another protocol', async (t) => {
    const counts = await turnedAway(t, {}, (all) => all.dial().send('GIT 1.0\n\n'));
    assert.deepEqual(counts, { protocol: 1 });
  });

  test('web pages', async (t) => {
    const counts = await turnedAway(t, {}, (all) => {
      const headers = { origin: 'https://evil.example' };
      new WebSocket(`ws://127.0.0.1:${all.port('ws')}/`, { headers }).on('error', () => {});
    });
    assert.deepEqual(counts, { origin: 1 });
  });

  test('those who do not speak WebSocket on its listener', async (t) => {
    const counts = await turnedAway(t, {}, (all) => all.dial('ws').send('GET / HTTP/1.1\r\nhost: a\r\n\r\n'));
    assert.deepEqual(counts, { 'not-a-websocket': 1 });
  });
});

test('connections and bytes are counted by listener', async (t) => {
  const all = await everywhere(t, {}, {});
  for (const kind of ['unix', 'tcp', 'tcp'] as const) await all.connect(kind).ask('ping', {});
  const ws = all.webSocket();
  await once(ws, 'open');
  for (const line of ['OEHASHEQUIV 1.1', '', '{"ping":{}}']) ws.send(line);
  await once(ws, 'message');
  const shown = await scrape(all.server);
  const listeners = all.server.listeners.map(({ address }) => [address.kind, address] as const);
  assert.equal(shown.of('bakeserv_connections').length, listeners.length);
  const open = Object.entries(shown.counts('bakeserv_connections'));
  assert.deepEqual(
    open.map(([name, count]) => [name.replace(/:\d+$/, '').replace(/^unix:.*/, 'unix'), count]),
    [
      ['unix', 1],
      ['127.0.0.1', 2],
      ['ws://127.0.0.1', 1],
    ],
  );
  const received = Object.values(shown.counts('bakeserv_received_bytes_total'));
  const sent = 'OEHASHEQUIV 1.1\nneeds-headers: false\n\n{"ping":{}}\n'.length;
  assert.deepEqual(received.slice(0, 2), [sent, 2 * sent]);
});

test('/metrics of an HTTP listener shows it to whoever asks, without a login', async (t) => {
  const all = await everywhere(t, {}, { 'anon-perms': '@none', ...ADMIN });
  refusal(await all.connect().ask('get', { method: METHOD, taskhash: 'a' }));
  const answer = await fetch(`http://127.0.0.1:${all.port('http')}/metrics`);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/);
  const text = await answer.text();
  assert.match(text, /^bakeserv_requests_total\{service="hashserv",command="get",result="refused"\} 1$/m);
});
