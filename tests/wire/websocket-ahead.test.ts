import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { KIB } from '../../lib/asyncrpc/limits.ts';
import { WebSocketStream } from '../../lib/asyncrpc/transport/websocket/stream.ts';
import { SILENT } from '../../lib/log.ts';
import { createApp } from '../../lib/server.ts';
import { frame, TEXT } from '../websocket-frame.ts';
import { configIn, temporaryFolder } from './helpers.ts';
import { FrameClient, HASHES, heldTurns, type Test, webSocketServer } from './websocket-helpers.ts';

const HANDSHAKE = ['OEHASHEQUIV 1.1', 'needs-headers: false', ''];
const USERS = { 'anon-perms': '@none', 'admin-user': 'admin', 'admin-password': 'secret' };
const TOO_LONG = /invoke-error.*a message is longer than 65536 bytes/;
const report = (bytes: number) => ({ ...HASHES, outhash_siginfo: 'x'.repeat(bytes) });
const auth = (token: string) => ({ auth: { username: 'admin', token } });

/** A WebSocket of an app whose packets are read when the test says so, many in one turn of the event loop. */
async function readTogether(t: Test) {
  const afterwards: (() => void | Promise<void>)[] = [];
  const app = await createApp(configIn(temporaryFolder({ after: (fn) => afterwards.push(fn) })), SILENT);
  const { turns, waiting } = heldTurns(true);
  const upgrader = new WebSocketServer({ noServer: true });
  const server = http.createServer();
  const client = once(server.listen(0, '127.0.0.1'), 'listening').then(() => {
    const { port } = server.address() as net.AddressInfo;
    return new FrameClient(`ws://127.0.0.1:${port}`);
  });
  const [request, socket, head] = await once(server, 'upgrade');
  upgrader.handleUpgrade(request, socket, head, (ws) => {
    const stream = new WebSocketStream(ws, socket, { turns });
    const carrier = { chunked: false, heldBytes: () => stream.heldBytes };
    app.hub.accept(stream, { name: 'memory', address: null, local: true }, carrier);
  });
  t.after(async () => {
    (await client).ws.terminate();
    server.close();
    await app.close();
    for (const fn of afterwards) await fn();
  });
  const read = (packets: readonly Buffer[]) => {
    for (const packet of packets) socket.emit('data', packet);
    while (waiting.length > 0) waiting.shift()!.work();
  };
  return { client: await client, read, turns: app.hub.turns };
}

const textFrame = (text: string) => frame(TEXT, text);

function cut(bytes: Buffer, length: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) =>
    bytes.subarray(i * length, (i + 1) * length),
  );
}

const LONG = JSON.stringify({ ping: { pad: 'x'.repeat(300 * KIB) } });

for (const [what, packets] of [
  ['in packets of its own', [Buffer.concat(HANDSHAKE.map(textFrame)), ...cut(textFrame(LONG), 64 * KIB)]],
  ['in the same packets', cut(Buffer.concat([...HANDSHAKE, LONG].map(textFrame)), 64 * KIB)],
] as const)
  test(`a long message ${what} as the handshake before it is not refused, though all is read at once`, async (t) => {
    const { client, read } = await readTogether(t);
    read(packets);
    assert.equal(await client.frame(), '{"alive": true}');
  });

test('nor is one behind a handshake of which the connection has had a turn to read a part only', async (t) => {
  const { client, read, turns } = await readTogether(t);
  // Others have used up the turn.
  turns.spend(performance.now() - 1000);
  read([textFrame(HANDSHAKE[0]!)]);
  await Promise.resolve();
  const rest = cut(Buffer.concat([...HANDSHAKE.slice(1), LONG].map(textFrame)), 64 * KIB);
  read(rest.slice(0, -1));
  await new Promise((resolve) => setTimeout(resolve, 5));
  read(rest.slice(-1));
  assert.equal(await client.frame(), '{"alive": true}');
});

test('a long message without a whole handshake before it is refused unfinished, also when all is read at once', async (t) => {
  const { client, read } = await readTogether(t);
  read(cut(Buffer.concat([...HANDSHAKE.slice(0, 2), LONG].map(textFrame)), 64 * KIB).slice(0, 3));
  assert.match(await client.frame(), TOO_LONG);
});

test('a long message sent right behind a login that goes well is read', async (t) => {
  const client = await FrameClient.open((await webSocketServer(t, USERS)).url);
  const last = report(2_000_000);
  for (const message of [
    auth('secret'),
    { report: last },
    { get: { method: HASHES.method, taskhash: HASHES.taskhash, all: true } },
  ])
    client.ws.send(JSON.stringify(message));
  assert.match(await client.frame(), /"result": true/);
  assert.equal(JSON.parse(await client.frame()).unihash, HASHES.unihash);
  assert.equal(JSON.parse(await client.frame()).outhash_siginfo, last.outhash_siginfo);
});

test('and behind one that does not it is refused, unread', async (t) => {
  const server = await webSocketServer(t, USERS);
  const client = await FrameClient.open(server.url);
  client.ws.send(JSON.stringify(auth('wrong')));
  client.ws.send(JSON.stringify({ report: report(2_000_000) }));
  let most = 0;
  const look = setInterval(() => {
    most = Math.max(most, server.heldBytes());
  }, 1);
  assert.match(await client.frame(), /invoke-error.*auth/i);
  assert.match(await client.frame(), TOO_LONG);
  clearInterval(look);
  assert.ok(most < 200 * KIB, `${most} bytes were read`);
});
