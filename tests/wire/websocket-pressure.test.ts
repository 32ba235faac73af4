import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { HubFigures } from '../../lib/asyncrpc/hub-figures.ts';
import { DEFAULT_LIMITS, KIB, MIB } from '../../lib/asyncrpc/limits.ts';
import type { Hub } from '../../lib/asyncrpc/server/hub.ts';
import { listen } from '../../lib/asyncrpc/transport/listen.ts';
import type { WebSocketStream } from '../../lib/asyncrpc/transport/websocket/stream.ts';
import { SILENT } from '../../lib/log.ts';
import { FrameClient, HASHES, webSocketServer } from './websocket-helpers.ts';

/** More than the kernel's buffers of a loopback connection hold. */
const FLOOD = 64 * MIB;

/** Both ends live in this process: in so many turns of its loop all that can move has moved. */
async function turns(): Promise<void> {
  for (let i = 0; i < 3000; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** The two ends of a WebSocket: ours as a stream of lines, the client's as frames. */
async function pair(t: TestContext): Promise<{ stream: WebSocketStream; client: FrameClient }> {
  const streams: WebSocketStream[] = [];
  const hub: Pick<Hub, 'accept' | 'arrive' | 'figures'> = {
    figures: new HubFigures(),
    arrive: () => ({ since: 0 }),
    accept: (stream) => void streams.push(stream as WebSocketStream),
  };
  const address = { kind: 'ws', secure: false, host: '127.0.0.1', port: 0, path: '/' } as const;
  const listener = await listen(address, hub as Hub, DEFAULT_LIMITS, SILENT);
  assert(listener.address.kind === 'ws');
  const client = new FrameClient(`ws://127.0.0.1:${listener.address.port}`);
  t.after(async () => {
    client.ws.terminate();
    for (const stream of streams) stream.destroy();
    await listener.close();
  });
  // Nobody reads until the test does.
  const opened = once(client.ws, 'open');
  while (streams.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await opened;
  return { stream: streams[0]!, client };
}

test('a write waits until the client has read it', async (t) => {
  const { stream, client } = await pair(t);
  client.ws.pause();
  let written = false;
  const line = 'x'.repeat(64 * KIB - 1);
  stream.write(`${line}\n`.repeat(FLOOD / line.length), () => {
    written = true;
  });
  stream.write('last\n');
  await turns();
  assert.equal(written, false);
  assert.ok(stream.writableLength > 0);
  client.ws.resume();
  while ((await client.frame()) !== 'last');
  assert.equal(written, true);
});

test('a client is not read while nobody reads the stream', async (t) => {
  const { stream, client } = await pair(t);
  const line = 'x'.repeat(64 * KIB);
  const count = FLOOD / line.length;
  let sent = false;
  for (let i = 0; i < count; i++) client.ws.send(line);
  client.ws.send('last', () => {
    sent = true;
  });
  await once(stream, 'readable');
  await turns();
  assert.equal(sent, false);
  assert.ok(stream.readableLength < MIB, `${stream.readableLength} bytes wait`);
  let received = 0;
  for await (const bytes of stream) {
    received += bytes.length;
    if (bytes.includes('last\n')) break;
  }
  assert.equal(received, count * (line.length + 1) + 'last\n'.length);
});

test('a client that reads late gets every answer in order', async (t) => {
  const server = await webSocketServer(t);
  const client = await FrameClient.open(server.url);
  const siginfo = 'x'.repeat(400 * KIB);
  await client.ask('report', { ...HASHES, outhash_siginfo: siginfo });
  client.ws.pause();
  const requests = 100;
  for (let i = 0; i < requests; i++) {
    client.ws.send(JSON.stringify({ get: { method: HASHES.method, taskhash: HASHES.taskhash, all: true } }));
    client.ws.send(JSON.stringify({ get: { method: HASHES.method, taskhash: `missing ${i}` } }));
  }
  const other = await FrameClient.open(server.url);
  assert.deepEqual(await other.ask('ping', {}), { alive: true });
  client.ws.resume();
  for (let i = 0; i < requests; i++) {
    assert.equal(JSON.parse(await client.frame()).outhash_siginfo.length, siginfo.length);
    assert.equal(await client.frame(), 'null');
  }
});

test('a client is not read on in the middle of a message while the stream is paused', async (t) => {
  const { stream, client } = await pair(t);
  let received = 0;
  stream.on('data', (bytes: Buffer) => {
    received += bytes.length;
  });
  client.ws.send('x'.repeat(64 * KIB), { fin: false });
  await once(stream, 'held');
  stream.pause();
  const parts = 150;
  for (let i = 0; i < parts; i++) client.ws.send('x'.repeat(64 * KIB), { fin: false });
  await turns();
  assert.ok(stream.heldBytes < MIB, `${stream.heldBytes} bytes of it are held`);
  stream.resume();
  client.ws.send('', { fin: true });
  while (received < (parts + 1) * 64 * KIB + 1) await new Promise((resolve) => setImmediate(resolve));
});
