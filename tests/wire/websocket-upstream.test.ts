import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { KIB } from '../../lib/asyncrpc/limits.ts';
import { SILENT } from '../../lib/log.ts';
import { createApp } from '../../lib/server.ts';
import { configIn, duplexPair, METHOD, temporaryFolder, WireClient } from './helpers.ts';

test('a frame of an upstream that is longer than --max-message is refused by its header, and is a miss', {
  timeout: 20_000,
}, async (t) => {
  const upstream = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.after(() => upstream.close());
  await once(upstream, 'listening');
  const closed = new Promise<number>((resolve) => {
    upstream.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.on('close', resolve);
      // A frame that never ends: whoever waits for it to do so holds what has come of it.
      socket.on('message', (line) => {
        if (String(line).startsWith('{')) socket.send('x'.repeat(100 * KIB), { fin: false });
      });
    });
  });
  const { port } = upstream.address() as AddressInfo;
  const flags = { 'hashserv-upstream': `ws://127.0.0.1:${port}/` };
  const app = await createApp(configIn(temporaryFolder(t), flags, { maxMessageBytes: 64 * KIB }), SILENT);
  t.after(() => app.close());
  const [end, server] = duplexPair();
  app.hub.accept(server, { name: 'a client', address: null, local: true });
  const client = new WireClient(end);
  t.after(() => client.close());
  client.send('OEHASHEQUIV 1.1\n\n');
  assert.equal(await client.ask('get', { method: METHOD, taskhash: 't' }), null);
  assert.equal(await closed, 1009);
});
