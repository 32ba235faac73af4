import assert from 'node:assert/strict';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { describe, test } from 'node:test';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import { DEFAULT_LIMITS, MIB } from '../../lib/asyncrpc/limits.ts';
import { listen } from '../../lib/asyncrpc/transport/listen.ts';
import { dialWebSocket } from '../../lib/asyncrpc/transport/websocket/client.ts';
import { SILENT } from '../../lib/log.ts';
import { type App, createApp } from '../../lib/server.ts';
import { hashConversation, plainConversation, prConversation, taskOf, unihashOf } from './conversations.ts';
import { configIn, MEMORY, SECURE_WEBSOCKET, TCP, TLS, type Transport, temporaryFolder, UNIX } from './helpers.ts';
import { cuttingProxy, keepWindow, PacedClient, type Random, request, streamed, withSeed } from './paced.ts';
import { site, stream } from './upstream-helpers.ts';

type Test = { after(fn: () => void | Promise<void>): void };

const WINDOWS = [3, 4, 8, 32];

/** Bytes of frames are cut as well, and so is the upgrade. */
async function overCutWebSocket(t: Test, app: App, random: Random): Promise<() => Promise<Duplex>> {
  const asked = { kind: 'ws', secure: false, host: '127.0.0.1', port: 0, path: '/ws' } as const;
  const { address, close } = await listen(asked, app.hub, DEFAULT_LIMITS, SILENT);
  assert(address.kind === 'ws');
  t.after(close);
  const { port } = await cuttingProxy(t, { host: '127.0.0.1', port: address.port }, random, null);
  return () => dialWebSocket({ ...address, port }, { timeoutMs: 10_000, maxMessageBytes: MIB });
}

async function over(transport: Transport, t: Test, app: App): Promise<() => Duplex | Promise<Duplex>> {
  const { connect, close } = await transport.open(app, DEFAULT_LIMITS, temporaryFolder(t));
  t.after(close);
  return connect;
}

const TRANSPORTS = [
  ...[MEMORY, TCP, UNIX, TLS, SECURE_WEBSOCKET].map((transport) => ({
    name: transport.name,
    open: (t: Test, app: App) => over(transport, t, app),
  })),
  { name: 'WebSocket', open: overCutWebSocket },
];

/** Few keys are known by heart, so that most answers come turns after they were asked for. */
async function appIn(t: Test, folder: string, flags: Record<string, unknown> = {}): Promise<App> {
  const app = await createApp(configIn(folder, { 'sync-mode': 'on_shutdown', 'cache-size': '8KiB', ...flags }), SILENT);
  t.after(() => app.close());
  return app;
}

/** A server's Unix socket with a proxy before it. */
async function cutSocket(t: Test, app: App, random: Random): Promise<string> {
  const folder = temporaryFolder(t);
  const [near, far] = [path.join(folder, 'near'), path.join(folder, 'far')];
  const listener = await listen({ kind: 'unix', path: far }, app.hub, DEFAULT_LIMITS, SILENT);
  t.after(() => listener.close());
  await cuttingProxy(t, { path: far }, random, near);
  return near;
}

describe('every answer is the one to its own request, with requests in flight, in pieces of any size, turns in between', () => {
  for (const { name, open } of TRANSPORTS) {
    for (const window of WINDOWS) {
      test(`${window} in flight over ${name}`, (t) =>
        withSeed(async (random) => {
          const app = await appIn(t, temporaryFolder(t));
          const connect = await open(t, app, random);
          const client = async (protocol?: string) => {
            const made = new PacedClient(await connect(), random);
            t.after(() => made.close());
            return protocol ? made.handshake(protocol) : made;
          };
          await Promise.all([
            keepWindow(await client('OEHASHEQUIV 1.1'), hashConversation(random), window),
            keepWindow(await client('PRSERVICE 1.0'), prConversation(random), window),
          ]);
          // The plain form has no handshake, and its packages are to be new ones.
          const plain = await appIn(t, temporaryFolder(t));
          const connectPlain = await open(t, plain, random);
          const talker = new PacedClient(await connectPlain(), random);
          t.after(() => talker.close());
          await keepWindow(talker, plainConversation(random), window);
        }));
    }
  }

  for (const window of WINDOWS) {
    test(`${window} in flight by the client library`, (t) =>
      withSeed(async (random) => {
        const app = await appIn(t, temporaryFolder(t));
        const address = { kind: 'unix', path: await cutSocket(t, app, random) } as const;
        const client = await connectClient(address, { protocol: 'OEHASHEQUIV 1.1' });
        t.after(() => client.close());
        const key = (n: number) => ({ method: 'm', taskhash: taskOf(n) });
        const row = (n: number) => ({ ...key(n), unihash: unihashOf(n) });
        const inFlight = new Set<Promise<void>>();
        const expect = async (got: Promise<unknown>, answer: unknown) => assert.deepEqual(await got, answer);
        const add = async (exchange: Promise<void>) => {
          const done = exchange.finally(() => inFlight.delete(done));
          inFlight.add(done);
          if (inFlight.size >= window) await Promise.race(inFlight);
        };
        for (let n = 0; n < 100; n++) await add(expect(client.invoke('report-equiv', row(n)), row(n)));
        for (let i = 0; i < 300; i++) {
          const n = random(200);
          await add(expect(client.invoke('get', key(n)), n < 100 ? row(n) : null));
          if (i % 100 !== 50) continue;
          const asked = Array.from({ length: 1 + random(3000) }, () => random(200));
          const lines = asked.map((each) => `m ${taskOf(each)}`);
          await add(
            expect(
              client.stream('get-stream', lines),
              asked.map((n) => (n < 100 ? unihashOf(n) : '')),
            ),
          );
        }
        await Promise.all(inFlight);
      }));
  }

  for (const window of WINDOWS) {
    test(`${window} in flight through a chain of two with misses; the lower one keeps what belongs to each task`, (t) =>
      withSeed(async (random) => {
        const upper = await appIn(t, temporaryFolder(t));
        const folder = temporaryFolder(t);
        const address = `unix://${await cutSocket(t, upper, random)}`;
        const lower = await site(
          t,
          address,
          { prserv: false, 'cache-size': '8KiB', 'upstream-timeout': 60 },
          { folder },
        );
        const above = new PacedClient(await (await over(MEMORY, t, upper))(), random).handshake();
        const key = (n: number) => ({ method: 'm', taskhash: taskOf(n) });
        const row = (n: number) => ({ ...key(n), unihash: unihashOf(n) });
        const isKnown = (n: number) => n < 400 && n % 3 > 0;
        const known = Array.from({ length: 400 }, (_, n) => n).filter(isKnown);
        await keepWindow(
          above,
          known.map((n) => request('report-equiv', row(n), row(n))),
          window,
        );

        const clients = Array.from({ length: 3 }, () => new PacedClient(lower.dial().stream, random).handshake());
        const some = (count: number) => Array.from({ length: count }, () => random(600));
        const talks = clients.map(() => [
          ...some(60).map((n) => request('get', key(n), isKnown(n) ? row(n) : null)),
          ...streamed(
            'get-stream',
            some(300).map((n) => [`m ${taskOf(n)}`, isKnown(n) ? unihashOf(n) : '']),
          ),
          ...streamed(
            'exists-stream',
            some(60).map((n) => [unihashOf(n), String(isKnown(n))]),
          ),
          ...some(60).map((n) => request('get', key(n), isKnown(n) ? row(n) : null)),
        ]);
        await Promise.all(clients.map((client, i) => keepWindow(client, talks[i]!, window)));
        const sweep = Array.from({ length: 600 }, (_, n) => n);
        assert.deepEqual(
          await stream(
            lower.hash(),
            'get-stream',
            sweep.map((n) => `m ${taskOf(n)}`),
          ),
          sweep.map((n) => (isKnown(n) ? unihashOf(n) : '')),
        );
        await lower.hash().ask('backfill-wait', null);
        for (const client of clients) client.close();
        await lower.close();

        const alone = await site(t, null, { prserv: false }, { folder });
        assert.deepEqual(
          await stream(
            alone.hash(),
            'get-stream',
            sweep.map((n) => `m ${taskOf(n)}`),
          ),
          sweep.map((n) => (isKnown(n) ? unihashOf(n) : '')),
        );
      }));
  }
});
