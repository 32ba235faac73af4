import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { KIB, MIB } from '../../lib/asyncrpc/limits.ts';
import { listen } from '../../lib/asyncrpc/transport/listen.ts';
import { SILENT } from '../../lib/log.ts';
import { resolveConfig } from '../../lib/settings/config.ts';
import { FrameClient, HASHES, upgradeStatus, webSocketServer } from './websocket-helpers.ts';

test('a web page is refused unless its origin is listed, also when it names this host', async (t) => {
  const server = await webSocketServer(t, { 'allow-origin': ['https://CI.example.org', 'http://localhost:3000'] });
  const refused = ['https://evil.example', 'https://ci.example.org:8443', 'http://ci.example.org', 'null', ''];
  for (const origin of [...refused, `http://127.0.0.1:${server.port}`]) {
    assert.equal(await upgradeStatus(server.url, { origin }), 403, origin);
  }
  assert.equal(await upgradeStatus(server.url, { origin: 'https://ci.example.org' }), null);
  assert.equal(await upgradeStatus(server.url, { origin: 'http://localhost:3000' }), null);
  assert.equal(await upgradeStatus(server.url, {}), null, 'BitBake sends none');
});

test('what is listed as an origin must be one', () => {
  for (const origin of ['*', 'null', 'ci.example.org', 'https://ci.example.org/path', 'https://u:p@ci.example.org']) {
    assert.throws(() => resolveConfig({ 'allow-origin': [origin] }, {}), /--allow-origin: .* is not an origin/, origin);
  }
  const fromEnvironment = resolveConfig({}, { BAKESERV_ALLOW_ORIGIN: 'https://a.example https://b.example:444' });
  assert.deepEqual(fromEnvironment.allowOrigins, ['https://a.example', 'https://b.example:444']);
  assert.deepEqual(resolveConfig({}, {}).allowOrigins, []);
});

test('any path is accepted, and a plain HTTP request is told what is spoken here', async (t) => {
  const server = await webSocketServer(t);
  for (const path of ['/', '/ws', '/some/where?else']) {
    assert.equal(await upgradeStatus(`ws://127.0.0.1:${server.port}${path}`, {}), null, path);
  }
  for (const headers of [{}, { connection: 'Upgrade', upgrade: 'h2c' }]) {
    const request = http.get({ port: server.port, host: '127.0.0.1', path: '/ws', headers });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    assert.equal(response.statusCode, 426);
    assert.equal(response.headers.upgrade, 'websocket');
    assert.match(String((await response.toArray()).join('')), /WebSocket server for BitBake/);
  }
});

test('an upgrade sent behind a request that was answered 426 is not made', async (t) => {
  const server = await webSocketServer(t);
  const upgrade = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ];
  const request = (headers: readonly string[]) => `${['GET /ws HTTP/1.1', 'Host: x', ...headers].join('\r\n')}\r\n\r\n`;
  const socket = net.connect(server.port, '127.0.0.1', () => socket.write(request([]) + request(upgrade)));
  const answer = (await socket.toArray()).join('');
  assert.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 426']);
  assert.match(answer, /WebSocket server for BitBake/);
});

test('bytes that are no HTTP are answered 400', async (t) => {
  const server = await webSocketServer(t);
  const socket = net.connect(server.port, '127.0.0.1', () => socket.write('OEHASHEQUIV 1.1\n\n'));
  assert.match((await socket.toArray()).join(''), /^HTTP\/1\.1 400 /);
});

test('one text frame is one line, and long answers are one message without chunks', async (t) => {
  const server = await webSocketServer(t);
  const client = await FrameClient.open(server.url);
  for (const length of [40 * KIB, 3 * MIB]) {
    const siginfo = 'x'.repeat(length);
    const taskhash = `${length}`;
    client.ws.send(JSON.stringify({ report: { ...HASHES, taskhash, outhash_siginfo: siginfo } }));
    assert.equal(JSON.parse(await client.frame()).taskhash, taskhash);
    client.ws.send(JSON.stringify({ get: { method: HASHES.method, taskhash, all: true } }));
    const answer = await client.frame();
    assert.equal(JSON.parse(answer).outhash_siginfo, siginfo);
    assert.ok(!answer.includes('\n'));
  }
});

test('a client may chunk, spread JSON over lines, send fragments and many frames in one packet', async (t) => {
  const server = await webSocketServer(t);
  const client = await FrameClient.open(server.url);
  for (const line of ['{"chunk-stream": null}', '{"pi', 'ng": {}}', '']) client.ws.send(line);
  assert.equal(await client.frame(), '{"alive": true}');
  client.ws.send(JSON.stringify({ ping: {} }, null, 2) + '\n');
  assert.equal(await client.frame(), '{"alive": true}');
  client.ws.send('{"ping"', { fin: false });
  client.ws.send(': {}}', { fin: true });
  assert.equal(await client.frame(), '{"alive": true}');
  client.ws.send('{"get-stream": null}');
  for (let i = 0; i < 5000; i++) client.ws.send(`${HASHES.method} ${i}`);
  client.ws.send('END');
  assert.equal(await client.frame(), '"ok"');
  for (let i = 0; i < 5000; i++) assert.equal(await client.frame(), '');
  assert.equal(await client.frame(), 'ok');
});

test('the PR service is spoken too, and an unknown protocol is closed without a word', async (t) => {
  const server = await webSocketServer(t);
  const pr = await FrameClient.open(server.url, {}, 'PRSERVICE 1.0');
  const asked = { version: 'foo-1.0-r0', pkgarch: 'core2-64', checksum: 'abc', history: false };
  assert.deepEqual(await pr.ask('get-pr', asked), { value: '0' });
  const other = await FrameClient.open(server.url, {}, 'GOPHER 1.0');
  await assert.rejects(other.frame(), /closed with 1000/);
});

test('a report is stored although its client closes without waiting for the answer', async (t) => {
  const server = await webSocketServer(t);
  const hasty = await FrameClient.open(server.url);
  hasty.ws.send(JSON.stringify({ report: HASHES }));
  hasty.ws.close();
  await hasty.closed;
  const other = await FrameClient.open(server.url);
  const { method, taskhash, unihash } = HASHES;
  // It may still be on its way to the disk.
  let found = await other.ask('get', { method, taskhash });
  for (let asked = 1; found === null && asked < 10_000; asked++) found = await other.ask('get', { method, taskhash });
  assert.deepEqual(found, { method, taskhash, unihash });
});

test('a binary frame is refused with 1003', async (t) => {
  const client = await FrameClient.open((await webSocketServer(t)).url);
  client.ws.send(Buffer.from('{"ping": {}}'));
  assert.deepEqual(await client.closed, { code: 1003, reason: 'text frames only' });
});

test('a message over the limit is refused with 1009, one at the limit is read', async (t) => {
  const client = await FrameClient.open((await webSocketServer(t, {}, { maxMessageBytes: 100 * KIB })).url);
  const message = (bytes: number) => JSON.stringify({ ping: { pad: 'x'.repeat(bytes - 19) } });
  assert.equal(message(100 * KIB).length, 100 * KIB);
  client.ws.send(message(100 * KIB));
  assert.equal(await client.frame(), '{"alive": true}');
  client.ws.send(message(100 * KIB + 1));
  assert.equal((await client.closed).code, 1009);
});

test('before a login that is required, messages are short', async (t) => {
  const client = await FrameClient.open((await webSocketServer(t, { 'anon-perms': '@none' })).url);
  client.ws.send(JSON.stringify({ ping: { pad: 'x'.repeat(64 * KIB) } }));
  assert.match(await client.frame(), /invoke-error.*longer than 65536 bytes/);
  assert.equal((await client.closed).code, 1000);
});

test('text that is not UTF-8 is refused in words', async (t) => {
  const client = await FrameClient.open((await webSocketServer(t)).url);
  client.ws.send(Buffer.from([0x22, 0xff, 0x22]), { binary: false });
  assert.match(await client.frame(), /invoke-error.*not valid UTF-8/);
});

test('a message begun and not finished is refused after its time', async (t) => {
  const client = await FrameClient.open((await webSocketServer(t, {}, { messageTimeoutMs: 50 })).url);
  await client.ask('ping', {});
  client.ws.send('{"ping"', { fin: false });
  assert.match(await client.frame(), /invoke-error.*not complete within 0.05 s/);
});

test('an unfinished frame counts to what is held for all clients, and goes when others wait for its room', async (t) => {
  const limits = { maxMessageBytes: MIB, maxPartialBytes: MIB };
  const server = await webSocketServer(t, {}, limits);
  const [client, other] = [await FrameClient.open(server.url), await FrameClient.open(server.url)];
  client.ws.send('x'.repeat(512 * KIB), { fin: false });
  while (server.heldBytes() < 512 * KIB) await new Promise((resolve) => setImmediate(resolve));
  const ping = other.ask('ping', 'x'.repeat(512 * KIB));
  assert.match(await client.frame(), /invoke-error.*others wait for the memory/);
  assert.deepEqual(await ping, { alive: true });
});

test('an unfinished frame is refused at the limit before login, and that of a handshake at the line limit', async (t) => {
  const flags = { 'anon-perms': '@none', 'admin-user': 'admin', 'admin-password': 'secret' };
  const server = await webSocketServer(t, flags);
  const client = await FrameClient.open(server.url);
  const silent = new FrameClient(server.url);
  await once(silent.ws, 'open');
  for (const each of [client, silent]) {
    each.ws.send('x'.repeat(200 * KIB), { fin: false });
    let refused = false;
    const said = each.frame().finally(() => {
      refused = true;
    });
    while (!refused) {
      assert.ok(server.heldBytes() < 200 * KIB, 'all of it was read');
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.match(await said, /invoke-error.*a message is longer than 65536 bytes/);
  }
});

test('a client that leaves pings unanswered is closed, one that answers is kept', async (t) => {
  const server = await webSocketServer(t, {}, { websocketPingMs: 20 });
  const dead = await FrameClient.open(server.url, { autoPong: false });
  const alive = await FrameClient.open(server.url);
  let pings = 0;
  dead.ws.on('ping', () => pings++);
  assert.equal((await dead.closed).code, 1006);
  assert.equal(pings, 2);
  for (let i = 0; i < 5; i++) await once(alive.ws, 'ping');
  assert.deepEqual(await alive.ask('ping', {}), { alive: true });
});

test('a stopping server closes with 1001, after the answers to what it read', async (t) => {
  const server = await webSocketServer(t);
  const [idle, busy] = [await FrameClient.open(server.url), await FrameClient.open(server.url)];
  assert.deepEqual(await idle.ask('ping', {}), { alive: true });
  for (let i = 0; i < 200; i++) busy.ws.send(JSON.stringify({ report: { ...HASHES, taskhash: `${i}` } }));
  const answers = [await busy.frame()];
  const stopped = server.close();
  assert.equal((await idle.closed).code, 1001);
  assert.equal((await busy.closed).code, 1001);
  await stopped;
  answers.push(...busy.unread());
  assert.deepEqual(
    answers.map((answer) => JSON.parse(answer).taskhash),
    answers.map((_, i) => `${i}`),
  );
});

test('the upgrade counts to the time of the handshake', async (t) => {
  const server = await webSocketServer(t, {}, { handshakeTimeoutMs: 1000 });
  const silent = net.connect(server.port, '127.0.0.1');
  const upgraded = new FrameClient(server.url);
  assert.match((await silent.toArray()).join(''), /^HTTP\/1\.1 408 /);
  assert.match(await upgraded.frame(), /invoke-error.*no complete handshake/);
});

test('a client counts to the connections before it is upgraded', async (t) => {
  const server = await webSocketServer(t, {}, { maxConnections: 2 });
  const silent = net.connect(server.port, '127.0.0.1');
  const upgraded = new FrameClient(server.url);
  await Promise.all([once(silent, 'connect'), once(upgraded.ws, 'open')]);
  assert.equal((await new FrameClient(server.url).closed).code, 1006);
  silent.destroy();
});

test('clients behind a proxy have no local rights', async (t) => {
  const server = await webSocketServer(t);
  const direct = await FrameClient.open(server.url);
  assert.equal(typeof ((await direct.ask('gc-status', {})) as { keep: number }).keep, 'number');
  const proxied = await FrameClient.open(server.url, { headers: { 'X-Forwarded-For': '203.0.113.7' } });
  assert.match(JSON.stringify(await proxied.ask('gc-status', {})), /not allowed.*@db-admin/);
});

test('a wss:// listener without a certificate is refused with the way to have one', async () => {
  const address = { kind: 'ws', secure: true, host: '127.0.0.1', port: 0, path: '/' } as const;
  await assert.rejects(
    listen(address, {} as never, {} as never, SILENT),
    /needs a certificate.*--tls-cert and --tls-key/,
  );
});
