import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { HubFigures } from '../../lib/asyncrpc/hub-figures.ts';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import type { Hub } from '../../lib/asyncrpc/server/hub.ts';
import { listen } from '../../lib/asyncrpc/transport/listen.ts';
import type { WebSocketStream } from '../../lib/asyncrpc/transport/websocket/stream.ts';
import { SILENT } from '../../lib/log.ts';
import { createApp } from '../../lib/server.ts';
import { duplexPair } from '../helpers.ts';
import { configIn, temporaryFolder } from './helpers.ts';
import { PacedClient, withSeed } from './paced.ts';
import { FrameClient, heldTurns } from './websocket-helpers.ts';

test('what comes when the turn is over is not cut, nor more of it read, before the next; every answer comes in order', (t) =>
  withSeed(async (random) => {
    const config = configIn(temporaryFolder(t));
    const app = await createApp(config, SILENT);
    t.after(() => app.close());
    const [far, near] = duplexPair();
    // Registered before the connection's: when it is given what came, the turn is over.
    let reads = 0;
    near.on('data', () => {
      reads++;
      app.hub.turns.spend(performance.now() - 1000);
    });
    app.hub.accept(near, { name: 'memory', address: null, local: true });
    let paused = 0;
    near.on('data', () => {
      if (near.isPaused()) paused++;
    });
    const client = new PacedClient(far, random).handshake();
    t.after(() => client.close());
    const names = Array.from({ length: 2000 }, (_, n) => `no-${n}-`);
    client.send(names.map((name) => `{"${name}": null}\n`).join(''));
    for (const name of names) assert.match((await client.line())!, new RegExp(name));
    assert(reads > 0);
    assert.equal(paused, reads);
  }));

test('what comes while something waits for its turn is cut after that, though the turn is not over', async (t) => {
  const app = await createApp(configIn(temporaryFolder(t)), SILENT);
  t.after(() => app.close());
  const [far, near] = duplexPair();
  app.hub.accept(near, { name: 'memory', address: null, local: true });
  const lines = createInterface({ input: far })[Symbol.asyncIterator]();
  far.write('OEHASHEQUIV 1.1\n\n{"ping": {}}\n');
  assert.match((await lines.next()).value, /alive/);
  const { turns } = app.hub;
  // It is before the connection in the next turn.
  turns.queue({ work: () => near.emit('data', Buffer.from('{"second": null}\n')) }, false);
  turns.spend(performance.now() - 1000);
  near.emit('data', Buffer.from('{"first": null}\n'));
  assert.match((await lines.next()).value, /first/);
  assert.match((await lines.next()).value, /second/);
  far.destroy();
});

test('packets of WebSockets wait for their turn, one each, in order, and none is lost when the client leaves', async (t) => {
  const streams: WebSocketStream[] = [];
  const { turns, waiting } = heldTurns(false);
  const host: Pick<Hub, 'accept' | 'arrive' | 'figures' | 'turns'> = {
    turns,
    figures: new HubFigures(),
    arrive: () => ({ since: 0 }),
    accept: (stream) => void streams.push(stream as WebSocketStream),
  };
  const asked = { kind: 'ws', secure: false, host: '127.0.0.1', port: 0, path: '/' } as const;
  const listener = await listen(asked, host as Hub, DEFAULT_LIMITS, SILENT);
  assert(listener.address.kind === 'ws');
  const client = new FrameClient(`ws://127.0.0.1:${listener.address.port}`);
  t.after(async () => {
    client.ws.terminate();
    for (const stream of streams) stream.destroy();
    await listener.close();
  });
  const opened = once(client.ws, 'open');
  while (streams.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const stream = streams[0]!;
  let text = '';
  stream.on('data', (bytes: Buffer) => {
    text += bytes;
  });
  const arrived = async (condition: () => boolean) => {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve));
  };
  await opened;

  client.ws.send('first');
  await arrived(() => text === 'first\n');
  turns.isOver = true;
  client.ws.send('second');
  await arrived(() => waiting.length === 1);
  client.ws.send('third');
  assert.equal(text, 'first\n');
  waiting.shift()!.work();
  await arrived(() => text === 'first\nsecond\n' && waiting.length === 1);
  const ended = once(stream, 'end');
  client.ws.send('fourth');
  client.ws.close();
  for (let at = 0; !stream.readableEnded && at < 1000; at++) {
    waiting.shift()?.work();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ended;
  assert.equal(text, 'first\nsecond\nthird\nfourth\n');
});

test('a WebSocket that breaks off is read to what came last', async (t) => {
  const streams: WebSocketStream[] = [];
  const turns = { isOver: false, spend() {}, queue() {}, async next() {} };
  const host: Pick<Hub, 'accept' | 'arrive' | 'figures' | 'turns'> = {
    turns,
    figures: new HubFigures(),
    arrive: () => ({ since: 0 }),
    accept: (stream) => void streams.push(stream as WebSocketStream),
  };
  const asked = { kind: 'ws', secure: false, host: '127.0.0.1', port: 0, path: '/' } as const;
  const listener = await listen(asked, host as Hub, DEFAULT_LIMITS, SILENT);
  assert(listener.address.kind === 'ws');
  const client = new FrameClient(`ws://127.0.0.1:${listener.address.port}`);
  t.after(async () => {
    for (const stream of streams) stream.destroy();
    await listener.close();
  });
  const opened = once(client.ws, 'open');
  while (streams.length === 0) await new Promise((resolve) => setImmediate(resolve));
  let text = '';
  streams[0]!.on('data', (bytes: Buffer) => {
    text += bytes;
  });
  await opened;
  turns.isOver = true;
  client.ws.send('a report', () => client.ws.terminate());
  const closed = once(streams[0]!, 'close');
  // Nobody gives it its turn: the end of the socket does.
  streams[0]!.resume();
  while (!streams[0]!.closed) {
    await new Promise((resolve) => setImmediate(resolve));
    if (text === '') streams[0]!.resume();
  }
  await closed;
  assert.equal(text, 'a report\n');
});
