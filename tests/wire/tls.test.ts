import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, test } from 'node:test';
import type tls from 'node:tls';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import { parseAddress } from '../../lib/asyncrpc/transport/address.ts';
import { hash, METHOD } from './helpers.ts';
import { secureServer } from './tls-helpers.ts';

const PROTOCOL = 'OEHASHEQUIV 1.1';
/** Also where it was reset. */
const closed = (socket: net.Socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()));

const turn = () => new Promise((resolve) => setImmediate(resolve));

const ROW = { method: METHOD, taskhash: 't', outhash: 'o', unihash: hash(1) };

describe('a tls:// listener', { concurrency: 4 }, () => {
  test('serves the client library, long messages in chunks and streams', async (t) => {
    const { port, caFile } = await secureServer(t);
    const client = await connectClient(parseAddress(`tls://localhost:${port}`), { protocol: PROTOCOL, caFile });
    t.after(() => client.close());
    const siginfo = 'x'.repeat(2_000_000);
    await client.invoke('report', { ...ROW, outhash_siginfo: siginfo });
    const found = await client.invoke('get', { method: METHOD, taskhash: 't', all: true });
    assert.equal((found as { outhash_siginfo: string }).outhash_siginfo, siginfo);
    const lines = Array.from({ length: 3000 }, (_, i) => `${METHOD} ${i % 2 ? 't' : 'none'}`);
    assert.deepEqual(
      await client.stream('get-stream', lines),
      lines.map((_, i) => (i % 2 ? hash(1) : '')),
    );
  });

  test('a client that does not trust it, or wants another host, is told so and what to do', async (t) => {
    const { port, caFile } = await secureServer(t);
    const dialling = (host: string, options: { caFile?: string }) =>
      connectClient(parseAddress(`tls://${host}:${port}`), { protocol: PROTOCOL, ...options });
    await assert.rejects(dialling('localhost', {}), /certificate is not trusted.*--ca FILE/);
    await assert.rejects(dialling('127.0.0.1', { caFile }), /certificate is for another host/);
  });

  test('a client of a plain listener is told that it does not speak TLS', async (t) => {
    const plain = net.createServer((socket) => void socket.on('error', () => {}).end('{"invoke-error": {}}\n'));
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    t.after(() => plain.close());
    const { port } = plain.address() as net.AddressInfo;
    await assert.rejects(
      connectClient(parseAddress(`tls://localhost:${port}`), { protocol: PROTOCOL }),
      /cannot connect to tls:.*it does not speak TLS/,
    );
  });

  test('TLS 1.1 is refused, 1.2 and 1.3 are spoken', async (t) => {
    const { connect, dial, line } = await secureServer(t);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const client = connect({ minVersion: version, maxVersion: version });
      assert.deepEqual(await client.ask('ping', {}), { alive: true });
      assert.equal((client.stream as tls.TLSSocket).getProtocol(), version);
    }
    // OpenSSL itself does not offer what it finds too weak, unless told to.
    const old = dial({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
    assert.equal(await old.line(), null);
    await line(/^warn TLS handshake failed .*unsupported protocol/);
  });

  test('a client cannot renegotiate', async (t) => {
    const { connect } = await secureServer(t);
    const client = connect({ maxVersion: 'TLSv1.2' });
    assert.deepEqual(await client.ask('ping', {}), { alive: true });
    const stream = client.stream as tls.TLSSocket;
    let renegotiated = false;
    stream.renegotiate({}, (error) => {
      renegotiated = !error;
    });
    client.send('{"ping": {}}\n');
    assert.equal(await client.line(), null, 'it is refused, and clients then hang up');
    assert.equal(renegotiated, false);
  });

  test('garbage is closed and logged a few times a second, and others are served on', async (t) => {
    const { bare, connect, lines } = await secureServer(t);
    const attacks = Array.from({ length: 200 }, async (_, i) => {
      const socket = await bare();
      socket.write(i % 2 ? 'GET / HTTP/1.1\r\n\r\n' : Buffer.alloc(100_000, i));
      socket.resume();
      await closed(socket);
    });
    const client = connect();
    for (let i = 0; i < 20; i++) assert.deepEqual(await client.ask('ping', {}), { alive: true });
    await Promise.all(attacks);
    const failures = lines.filter((line) => line.startsWith('warn TLS handshake failed'));
    assert.ok(failures.length > 0 && failures.length < 100, `${failures.length} lines`);
    assert.match(failures.join('\n'), /reason=it is not TLS/);
    assert.deepEqual(await connect().ask('ping', {}), { alive: true });
  });

  test('a client that is silent, or sends a part of its hello, loses its place when the time of a handshake is over', async (t) => {
    const { bare, line, server } = await secureServer(t, { limits: { handshakeTimeoutMs: 300 } });
    const [silent, slow] = [await bare(), await bare()];
    slow.write(Buffer.from([22, 3, 1, 2, 0, 1, 0]));
    await Promise.all([silent, slow].map((socket) => closed(socket.resume())));
    await line(/^warn TLS handshake too slow peer=127\.0\.0\.1:\d+/);
    while (server.hub.size > 0) await turn();
  });

  test('clients that shake hands count with the others, also for their address', async (t) => {
    const { bare, line, connect, server } = await secureServer(t, {
      flags: { 'max-connections-per-address': '3' },
    });
    const held = [await bare(), await bare(), await bare()];
    const fourth = await bare();
    await closed(fourth.resume());
    await line(/^warn connection limit of an address reached: refused .*limit=3/);
    assert.equal(server.hub.size, 3);
    for (const socket of held) socket.destroy();
    while (server.hub.size > 0) await turn();
    // The place that a handshake took is the client's own afterwards: it does not have two.
    const clients = [connect(), connect(), connect()];
    for (const client of clients) assert.deepEqual(await client.ask('ping', {}), { alive: true });
    assert.equal(server.hub.size, 3);
  });

  test('a stopping server does not wait for handshakes', async (t) => {
    const { bare, server } = await secureServer(t, {
      limits: { drainTimeoutMs: 600_000, handshakeTimeoutMs: 600_000 },
    });
    const socket = await bare();
    socket.write(Buffer.from([22, 3, 1]));
    socket.resume();
    while (server.hub.size === 0) await turn();
    await server.close();
  });
});
