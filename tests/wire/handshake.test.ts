import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { App } from '../../lib/server.ts';
import { duplexPair, MEMORY, refusal, serve, TCP, type Transport } from './helpers.ts';

const HELLO = 'OEHASHEQUIV 1.1\n';

describe('the handshake', () => {
  const refused = [
    'OEHASHEQUIV 1.0',
    'OEHASHEQUIV 1.2',
    'OEHASHEQUIV 2.1',
    'OEHASHEQUIV 1.10',
    'OEHASHEQUIV 1',
    'OEHASHEQUIV 1.1.1',
    'OEHASHEQUIV -1.1',
    'PRSERVICE 1.1',
    'PRSERVICE 0.1',
    'prservice 1.0',
    'NONSENSE 1.0',
    '__proto__ 1.0',
    'GET / HTTP/1.1',
    '',
    ' ',
  ];
  test('another protocol or version is closed without a word', async (t) => {
    const server = await serve(t);
    for (const first of refused) {
      const client = server.dial();
      client.send(`${first}\n\n{"ping": {}}\n`);
      assert.equal(await client.rest(), '', first);
    }
  });

  for (const [asked, headers] of [
    ['needs-headers: true', true],
    ['NEEDS-Headers:TRUE', true],
    ['needs-headers: false', false],
    ['needs-headers: true: not', false],
    ['other: with: colons', false],
  ] as const) {
    test(`${asked} ${headers ? 'is answered with headers' : 'is not'}`, async (t) => {
      const client = (await serve(t)).dial();
      client.send(`${HELLO}${asked}\n\n{"ping": {}}\n`);
      if (headers) assert.equal(await client.line(), '');
      assert.deepEqual(await client.message(), { alive: true });
    });
  }

  test('headers are optional, and lines may end in CR LF', async (t) => {
    const server = await serve(t);
    for (const text of [`${HELLO}\n{"ping": {}}\n`, 'PRSERVICE 1.0\r\n\r\n{"ping": {}}\r\n']) {
      const client = server.dial();
      client.send(text);
      assert.deepEqual(await client.message(), { alive: true });
    }
  });

  test('a service that is not served is closed without a word', async (t) => {
    const server = await serve(t, { flags: { prserv: false } });
    assert.equal(await server.connect('PRSERVICE 1.0').rest(), '');
    assert.deepEqual(await server.connect().ask('ping', {}), { alive: true });
  });

  for (const [about, headers, says] of [
    ['a line without a colon', 'nonsense\n', /a header without a colon/],
    ['33 headers', 'a: b\n'.repeat(33), /more than 32 headers/],
    ['headers of more than 8 KiB', `${`a: ${'b'.repeat(3000)}\n`.repeat(3)}`, /8192 bytes/],
    ['a header over the line limit', `a: ${'b'.repeat(70_000)}\n`, /longer than 65536 bytes/],
  ] as const) {
    test(`${about} is told and closed`, async (t) => {
      const client = (await serve(t)).dial();
      client.send(`${HELLO}${headers}\n{"ping": {}}\n`);
      assert.match(refusal(await client.message()), says);
      assert.equal(await client.line(), null);
    });
  }

  test('headers without end are closed at the limit', async (t) => {
    const client = (await serve(t, { transport: TCP })).dial();
    client.send(`${HELLO}${'a: b\n'.repeat(10_000)}`);
    assert.match(refusal(await client.message()), /more than 32 headers/);
    assert.equal(await client.line(), null);
  });

  test('that stops halfway is closed in time', async (t) => {
    const server = await serve(t, { transport: TCP, limits: { handshakeTimeoutMs: 200 } });
    const halfway = ['', 'OEHASH', HELLO, `${HELLO}a: b\n`].map(async (begun) => {
      const client = server.dial();
      client.send(begun);
      assert.match(refusal(await client.message()), /no complete handshake within 0.2 s/);
      assert.equal(await client.line(), null);
    });
    await Promise.all(halfway);
  });
});

/** In-memory clients that seem to come from the network; `from` names the address of the next. */
function network(): { transport: Transport; from: { address: string } } {
  const from = { address: '192.0.2.1' };
  const open = async (app: App) => ({
    connect: () => {
      const [client, server] = duplexPair();
      app.hub.accept(server, { name: from.address, address: from.address, local: false });
      return client;
    },
    close: async () => {},
  });
  return { transport: { name: 'a network', open }, from };
}

describe('many connections', () => {
  test('past the connection limit are refused, until one has gone', async (t) => {
    const server = await serve(t, { transport: MEMORY, limits: { maxConnections: 2 } });
    const [first, second] = [server.connect(), server.connect()];
    for (const client of [first, second]) assert.deepEqual(await client.ask('ping', {}), { alive: true });
    assert.equal(await server.connect().line(), null);
    const gone = new Promise((resolve) => second.stream.once('close', resolve));
    second.close();
    await gone;
    while (server.app.hub.size === 2) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(await server.connect().ask('ping', {}), { alive: true });
    assert.deepEqual(await first.ask('ping', {}), { alive: true });
  });

  test('a burst of honest clients is served in turn, none dropped', async (t) => {
    const server = await serve(t, { transport: TCP, limits: { maxHandshakes: 4, maxHandshakesPerAddress: 2 } });
    const answers = Array.from({ length: 60 }, () => server.connect().ask('ping', {}));
    for (const answer of await Promise.all(answers)) assert.deepEqual(answer, { alive: true });
  });

  test('silent ones do not keep honest ones out', async (t) => {
    const { transport, from } = network();
    const server = await serve(t, { transport, limits: { maxHandshakes: 4, maxHandshakesPerAddress: 2 } });
    const silent = Array.from({ length: 6 }, () => server.dial());
    from.address = '192.0.2.2';
    // Another address is not kept waiting at all.
    assert.deepEqual(await server.connect().ask('ping', {}), { alive: true });
    from.address = '192.0.2.1';
    const honest = server.connect();
    // In-memory streams do not keep the process awake until the silent ones have made room.
    const keepAwake = setInterval(() => {}, 1000);
    t.after(() => clearInterval(keepAwake));
    assert.deepEqual(await honest.ask('ping', {}), { alive: true });
    assert.equal(await silent[0]!.line(), null);
  });

  test('that are silent do not keep others of their address waiting, nor need they go for them', async (t) => {
    const { transport } = network();
    const server = await serve(t, { transport, limits: { maxHandshakes: 4, maxHandshakesPerAddress: 2 } });
    for (let i = 0; i < 300; i++) server.dial();
    assert.deepEqual(await server.connect().ask('ping', {}), { alive: true });
    assert.equal(server.app.hub.size, 301);
  });

  test('of one address leave room for those of others, and all of them for Unix sockets', async (t) => {
    const { transport, from } = network();
    const limits = { maxConnections: 32, maxConnectionsPerAddress: 16 };
    const server = await serve(t, { transport, limits });
    const connected = async (address: string | null) => {
      from.address = address as string;
      const client = server.connect();
      client.send('{"ping": {}}\n');
      return (await client.line()) !== null;
    };
    for (let i = 0; i < 16; i++) assert.ok(await connected('192.0.2.1'));
    assert.ok(!(await connected('192.0.2.1')));
    for (let i = 0; i < 14; i++) assert.ok(await connected('192.0.2.2'));
    assert.ok(!(await connected('192.0.2.3')));
    assert.ok(await connected(null));
  });

  test('that leave while they wait take no place', async (t) => {
    const { transport } = network();
    const server = await serve(t, { transport, limits: { maxHandshakes: 1, maxHandshakesPerAddress: 1 } });
    const first = server.dial();
    const waiting = Array.from({ length: 5 }, () => server.dial());
    const last = server.connect();
    for (const client of waiting) client.close();
    first.handshake();
    assert.deepEqual(await first.ask('ping', {}), { alive: true });
    assert.deepEqual(await last.ask('ping', {}), { alive: true });
  });
});
