import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import type http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import tls from 'node:tls';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import { createHub } from '../../lib/asyncrpc/server/hub.ts';
import type { Host } from '../../lib/asyncrpc/service.ts';
import { listen } from '../../lib/asyncrpc/transport/listen.ts';
import { SILENT } from '../../lib/log.ts';
import { version1 } from '../proxy-headers.ts';
import { issue } from './certificate.ts';
import { ownCertificate, refusal, temporaryFolder, WireClient } from './helpers.ts';
import { secureServer } from './tls-helpers.ts';

describe('TLS among the layers of a listener', { concurrency: 4 }, () => {
  test('stands on the PROXY protocol: the client is the one in the header, with its own certificate', async (t) => {
    const server = await secureServer(t, {
      clientCertificates: true,
      flags: {
        bind: ['tls://127.0.0.1:0,proxy-protocol'],
        'trust-proxy': '127.0.0.1',
        'admin-user': 'boss',
        'admin-password': 'secret',
      },
    });
    const header = version1({ address: '203.0.113.7', port: 4711 });
    const through = async (commonName: string, send: (socket: net.Socket) => void) => {
      const socket = await server.bare();
      send(socket);
      const shown = issue({ commonName, issuer: server.authority });
      const secured = tls.connect({ socket, servername: 'localhost', ca: server.authority.cert, ...shown });
      return new WireClient(secured).handshake();
    };
    const inOnePacket = (socket: net.Socket) => {
      socket.cork();
      socket.write(header);
      setImmediate(() => socket.uncork());
    };
    for (const send of [(socket: net.Socket) => void socket.write(header), inOnePacket]) {
      const boss = await through('boss', send);
      assert.ok(await boss.ask('get-all-users', null));
      const nobody = await through('nobody', send);
      assert.match(refusal(await nobody.ask('gc-status', {})), /Anonymous user is not allowed.*@db-admin/);
    }
    await server.line(/^warn the certificate names no user: anonymous rights peer=203\.0\.113\.7:4711 /);
    const straight = server.dial(issue({ commonName: 'boss', issuer: server.authority }));
    assert.equal(await straight.line(), null, 'without a header nobody is let in');
  });

  test('carries HTTP: health, and WebSocket clients on /ws', async (t) => {
    const { server, caFile } = await secureServer(t, { flags: { bind: ['https://127.0.0.1:0'] } });
    const { address } = server.listeners[0]!;
    assert(address.kind === 'http');
    const at = { host: 'localhost', port: address.port, path: '/healthz', ca: fs.readFileSync(caFile), agent: false };
    const [answer] = (await once(https.get(at), 'response')) as [http.IncomingMessage];
    assert.equal(answer.statusCode, 200);
    await text(answer);
    const ws = { kind: 'ws', secure: true, host: 'localhost', port: address.port, path: '/ws' } as const;
    const client = await connectClient(ws, { protocol: 'OEHASHEQUIV 1.1', caFile });
    t.after(() => client.close());
    assert.deepEqual(await client.invoke('ping', {}), { alive: true });
  });

  test('does nothing for a client before it has a turn of its own', async (t) => {
    const { host, begin, waiting } = hostWithTurns(t);
    const clients = await connectTo(t, host, 5);
    const done = () => clients.filter(({ authorized }) => authorized).length;
    while (waiting.length < clients.length) await turn();
    assert.equal(done(), 0);
    for (let n = 1; n <= clients.length; n++) {
      begin();
      while (done() < n) await turn();
      assert.equal(done(), n);
    }
  });
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A host whose turns the test gives. */
function hostWithTurns(t: TestContext) {
  const hub = createHub([], DEFAULT_LIMITS, SILENT);
  t.after(() => hub.drain());
  const waiting: (() => void)[] = [];
  const turns = {
    isOver: false,
    spend() {},
    queue() {},
    next: () => new Promise<void>((resolve) => void waiting.push(resolve)),
  };
  const host: Host = { ...hub, accept() {}, turns };
  return { host, waiting, begin: () => waiting.shift()!() };
}

async function connectTo(t: TestContext, host: Host, count: number): Promise<tls.TLSSocket[]> {
  const { tls: files, caFile } = ownCertificate(temporaryFolder(t));
  const ca = fs.readFileSync(caFile);
  const at = { kind: 'tls', host: '127.0.0.1', port: 0 } as const;
  const listener = await listen(at, host, DEFAULT_LIMITS, SILENT, { tls: files });
  t.after(() => listener.close());
  assert(listener.address.kind === 'tls');
  const { port } = listener.address;
  const connect = async () => {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const client = tls.connect({ socket, servername: 'localhost', ca });
    client.on('error', () => {});
    t.after(() => void client.destroy());
    return client;
  };
  return Promise.all(Array.from({ length: count }, connect));
}
