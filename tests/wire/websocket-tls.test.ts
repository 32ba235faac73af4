import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import tls from 'node:tls';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import type { Address } from '../../lib/asyncrpc/transport/address.ts';
import { selfSignedCertificate } from './certificate.ts';
import { temporaryFolder } from './helpers.ts';
import { HASHES, webSocketServer } from './websocket-helpers.ts';

const PROTOCOL = 'OEHASHEQUIV 1.1';

/** A TLS proxy in front of a WebSocket listener, as nginx would be; its certificate is in the file. */
async function behindTls(t: TestContext, port: number, host: string): Promise<{ port: number; caFile: string }> {
  const { cert, key } = selfSignedCertificate(host);
  const caFile = path.join(temporaryFolder(t), 'ca.pem');
  fs.writeFileSync(caFile, cert);
  const sockets = new Set<net.Socket>();
  const proxy = tls.createServer({ cert, key }, (outside) => {
    const inside = net.connect(port, '127.0.0.1');
    sockets.add(outside).add(inside);
    for (const [from, to] of [
      [outside, inside],
      [inside, outside],
    ] as const) {
      from.pipe(to);
      from.on('error', () => {}).on('close', () => to.destroy());
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  return { port: (proxy.address() as net.AddressInfo).port, caFile };
}

const wss = (port: number): Address => ({ kind: 'ws', secure: true, host: 'localhost', port, path: '/ws' });

test('a client speaks through a TLS proxy whose authority it was given', async (t) => {
  const server = await webSocketServer(t);
  const { port, caFile } = await behindTls(t, server.port, 'localhost');
  const client = await connectClient(wss(port), { protocol: PROTOCOL, caFile });
  t.after(() => client.close());
  const siginfo = 'x'.repeat(2_000_000);
  await client.invoke('report', { ...HASHES, outhash_siginfo: siginfo });
  const { method, taskhash, unihash } = HASHES;
  const found = await client.invoke('get', { method, taskhash, all: true });
  assert.equal((found as { outhash_siginfo: string }).outhash_siginfo, siginfo);
  const lines = Array.from({ length: 3000 }, (_, i) => (i % 2 ? `${method} ${taskhash}` : `${method} none`));
  assert.deepEqual(
    await client.stream('get-stream', lines),
    lines.map((_, i) => (i % 2 ? unihash : '')),
  );
});

test('a certificate nobody vouches for, and one for another host, are refused', async (t) => {
  const server = await webSocketServer(t);
  const own = await behindTls(t, server.port, 'localhost');
  await assert.rejects(connectClient(wss(own.port), { protocol: PROTOCOL }), /certificate is not trusted.*--ca FILE/);
  const { port, caFile } = await behindTls(t, server.port, 'elsewhere.example');
  await assert.rejects(connectClient(wss(port), { protocol: PROTOCOL, caFile }), /certificate is for another host/);
});

test('a file of authorities that is absent or holds none is named', async (t) => {
  const folder = temporaryFolder(t);
  const caFile = path.join(folder, 'ca.pem');
  await assert.rejects(
    connectClient(wss(1), { protocol: PROTOCOL, caFile }),
    /cannot read certificates from .*ca\.pem/,
  );
  fs.writeFileSync(caFile, 'not a certificate');
  await assert.rejects(connectClient(wss(1), { protocol: PROTOCOL, caFile }), /ca\.pem holds no certificate/);
  fs.writeFileSync(caFile, selfSignedCertificate('localhost').key);
  await assert.rejects(
    connectClient(wss(1), { protocol: PROTOCOL, caFile }),
    /ca\.pem holds a private key and no certificate: a PEM file/,
  );
});

test('what is in the way of a WebSocket is said', async (t) => {
  const ws = (port: number): Address => ({ kind: 'ws', secure: false, host: '127.0.0.1', port, path: '/ws' });
  const plain = http.createServer((_request, response) => response.writeHead(404).end());
  const mute = net.createServer(() => {});
  for (const server of [plain, mute]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
  }
  const portOf = (server: net.Server) => (server.address() as net.AddressInfo).port;
  await assert.rejects(
    connectClient(ws(portOf(plain)), { protocol: PROTOCOL }),
    /answers HTTP 404 instead of a WebSocket/,
  );
  await assert.rejects(
    connectClient(ws(portOf(mute)), { protocol: PROTOCOL, connectTimeoutMs: 100 }),
    /cannot connect to ws:.*no answer within 0.1 s/,
  );
  const gone = net.createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const port = portOf(gone);
  gone.close();
  await once(gone, 'close');
  await assert.rejects(connectClient(ws(port), { protocol: PROTOCOL }), /nobody is listening/);
});
