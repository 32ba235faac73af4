import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_LIMITS, KIB, type Limits, MIB } from '../../lib/asyncrpc/limits.ts';
import { createHub } from '../../lib/asyncrpc/server/hub.ts';
import type { Command, Outcome, Service, Session } from '../../lib/asyncrpc/service.ts';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { SILENT } from '../../lib/log.ts';
import { duplexPair, hash, METHOD, type Served, serve, TCP, UNIX, WireClient } from './helpers.ts';

/** A sixteenth of what a server has: the attacks are the same and the tests are quick. */
const SMALL = { maxMessageBytes: MIB, maxPartialBytes: 4 * MIB, maxHeldBytes: 8 * MIB } satisfies Partial<Limits>;
/** What a connection may hold by itself: 128 KiB, and one more read. */
const OWN_BYTES = 192 * KIB;

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

function chunked(text: string): string {
  let lines = '{"chunk-stream": null}\n';
  for (let at = 0; at < text.length; at += 32767) lines += `${text.slice(at, at + 32767)}\n`;
  return `${lines}\n`;
}

const reportOf = (i: number, siginfo = '') =>
  JSON.stringify({
    report: { method: METHOD, taskhash: `t${i}`, outhash: `o${i}`, unihash: hash(i), outhash_siginfo: siginfo },
  });

/** Watches what is held for all until the work is done. */
async function watched<T>({ app }: Served, connections: number, work: Promise<T>): Promise<T> {
  let over = false;
  const done = work.finally(() => {
    over = true;
  });
  const most = SMALL.maxHeldBytes + connections * OWN_BYTES;
  while (!over) {
    assert.ok(app.hub.heldBytes <= most, `${app.hub.heldBytes} bytes are held`);
    await turn();
  }
  return done;
}

describe('clients that hold what they can', () => {
  test('with halves of messages do not keep a report in two reads from being stored', async (t) => {
    const server = await serve(t, { transport: TCP, limits: SMALL });
    const attackers = Array.from({ length: 16 }, () => server.connect());
    for (const client of attackers) client.send(`{"chunk-stream": null}\n${`${'x'.repeat(32_000)}\n`.repeat(28)}`);
    await until(() => server.app.hub.heldBytes > MIB);
    for (let i = 0; i < 20; i++) {
      const client = server.connect();
      const text = chunked(reportOf(i, 'x'.repeat(35_000)));
      client.send(text.slice(0, 30_000));
      await server.connect().ask('ping', {});
      client.send(text.slice(30_000));
      assert.deepEqual(await client.message(), { taskhash: `t${i}`, method: METHOD, unihash: hash(i) });
    }
  });

  for (const transport of [TCP, UNIX]) {
    test(`with long messages sent honestly, many at once, are all stored, over ${transport.name}`, async (t) => {
      const server = await serve(t, { transport, limits: SMALL });
      const clients = Array.from({ length: 24 }, () => server.connect());
      const text = (i: number) => chunked(reportOf(i, 'x'.repeat(900_000)));
      for (const [i, client] of clients.entries()) client.send(text(i));
      const answers = Promise.all(clients.map((client) => client.message()));
      for (const [i, answer] of (await watched(server, clients.length, answers)).entries())
        assert.deepEqual(answer, { taskhash: `t${i}`, method: METHOD, unihash: hash(i) });
      for (const client of clients) client.close();
      await until(() => server.app.hub.heldBytes === 0);
    });
  }

  for (const distinct of [false, true]) {
    test(`with ${distinct ? 'different' : 'the same'} large answers that they do not read are bounded, and others are answered`, async (t) => {
      const server = await serve(t, { transport: UNIX, limits: SMALL });
      const writer = server.connect();
      for (const i of distinct ? Array(40).keys() : [0]) {
        writer.send(chunked(reportOf(i, 'x'.repeat(1_000_000))));
        await writer.message();
      }
      writer.send(chunked(reportOf(99, 'y'.repeat(1_000_000))));
      await writer.message();
      const attackers = Array.from({ length: 40 }, () => server.connect());
      for (const client of attackers) await client.ask('ping', {});
      for (const [i, client] of attackers.entries()) {
        const n = distinct ? i : 0;
        client.stream.pause();
        client.send(`{"get-outhash": {"method": "${METHOD}", "taskhash": "t${n}", "outhash": "o${n}"}}\n`);
      }
      const pings = (async () => {
        for (let i = 0; i < 20; i++) assert.deepEqual(await server.connect().ask('ping', {}), { alive: true });
      })();
      await watched(server, 64, pings);
      // Whoever reads has what was asked: the others stall, and go.
      const reader = server.connect();
      const row = reader.ask('get-outhash', { method: METHOD, taskhash: 't99', outhash: 'o99' });
      const { outhash_siginfo } = (await watched(server, 64, row)) as { outhash_siginfo: string };
      assert.equal(outhash_siginfo, 'y'.repeat(1_000_000));
      // It came last: by then all those before it were fetched, and went, or are held.
      await watched(server, 64, server.connect().ask('ping', {}));
    });
  }
});

/** A service whose requests are answered when the test says so. */
function slowService(t: { after(fn: () => Promise<void>): void }, limits: Partial<Limits>, isLong = false) {
  const waiting: ((outcome: Outcome) => void)[] = [];
  const command: Command = { name: 'slow', stream: false, batches: false, isLong: () => isLong };
  const quick: Command = { name: 'ping', stream: false, batches: false };
  const session: Session = {
    awaitsLogin: false,
    command: (name) => (name === 'slow' ? command : name === 'ping' ? quick : null),
    invoke: (asked, args) =>
      asked === quick
        ? args.map(() => 'quick')
        : new Promise((resolve) => waiting.push((outcome) => resolve([outcome]))),
    refuses: () => null,
    stream: () => '',
    close() {},
  };
  const service: Service = { protocol: 'TEST', accepts: () => true, open: () => session, close: async () => {} };
  const hub = createHub([service], { ...DEFAULT_LIMITS, ...limits }, SILENT);
  const clients: WireClient[] = [];
  // Streams in memory do not keep the process awake.
  const awake = setInterval(() => {}, 1000);
  t.after(async () => {
    clearInterval(awake);
    for (const answer of waiting) answer(null);
    for (const client of clients) client.close();
    await hub.drain();
  });
  const connect = () => {
    const [end, server] = duplexPair();
    hub.accept(server, { name: 'memory', address: null, local: true });
    const client = new WireClient(end).handshake('TEST 1.0');
    clients.push(client);
    return client;
  };
  return { hub, waiting, connect };
}

describe('answers that may be of any length', () => {
  test('are fetched a few at a time, in turn, also where nobody reads them', async (t) => {
    const { hub, waiting, connect } = slowService(t, SMALL, true);
    const clients = Array.from({ length: 12 }, () => connect());
    for (const client of clients) client.stream.pause();
    for (const client of clients) client.send('{"slow": null}\n');
    let fetched = 0;
    // Half of eight is for one address; those that stall go, and the next are fetched.
    while (fetched < clients.length) {
      await until(() => waiting.length > 0);
      for (let i = 0; i < 20; i++) await turn();
      assert.ok(waiting.length <= 4, `${waiting.length} are fetched at once`);
      for (const answer of waiting.splice(0)) {
        answer('x'.repeat(MIB));
        fetched++;
      }
      assert.ok(hub.heldBytes <= SMALL.maxHeldBytes, `${hub.heldBytes} bytes are held`);
      assert.deepEqual(await connect().ask('ping', {}), 'quick');
    }
    await until(() => hub.size <= 3 + 4);
  });

  test('count until their last byte is sent', async (t) => {
    const { hub, waiting, connect } = slowService(t, {});
    const client = connect();
    client.stream.pause();
    client.send('{"slow": null}\n');
    await until(() => waiting.length === 1);
    waiting.pop()!('x'.repeat(900 * KIB));
    for (let i = 0; i < 50; i++) await turn();
    assert.ok(hub.heldBytes > 700 * KIB, `${hub.heldBytes} bytes are held`);
    client.stream.resume();
    assert.equal(((await client.message()) as string).length, 900 * KIB);
    await until(() => hub.heldBytes === 0);
  });

  test('are fetched at once where there is room, and come whole', async (t) => {
    const { waiting, connect } = slowService(t, SMALL, true);
    const plain = connect();
    for (let round = 0; round < 10; round++) {
      plain.send('{"slow": null}\n');
      await until(() => waiting.length === 1);
      waiting.pop()!('x'.repeat(MIB));
      assert.equal(((await plain.message()) as string).length, MIB);
    }
  });
});

describe('a message that is not complete in time', () => {
  for (const long of [false, true]) {
    test(`is refused after the ${long ? 'whole long ' : ''}answer to the request before it`, async (t) => {
      const { waiting, connect } = slowService(t, { messageTimeoutMs: 300 });
      const client = connect();
      client.send('{"slow": null}\n{"half');
      await until(() => waiting.length === 1);
      // Begun later: when its time is over, so is that of the first.
      const later = connect();
      later.send('{"half');
      assert.match(String(await later.line()), /not complete within 0.3 s/);
      const answer: Json = long ? 'x'.repeat(3 * MIB) : 'stored';
      waiting[0]!(answer);
      assert.equal(await client.message(), answer);
      assert.match(String(await client.line()), /not complete within 0.3 s/);
      assert.equal(await client.line(), null);
    });
  }
});

describe('floods of requests that are answered at once', () => {
  for (const [about, line] of [
    ['pings', '{"ping": null}\n'],
    ['unknown commands', '{"nonsense": 1}\n'],
  ] as const) {
    test(`a neighbour has its turn between ${about}`, async (t) => {
      const { connect } = slowService(t, {});
      const [flood, neighbour] = [connect(), connect()];
      const count = 20_000;
      flood.send(line.repeat(count));
      let answered = 0;
      const flooded = (async () => {
        for (; answered < count; answered++) assert.notEqual(await flood.line(), null);
      })();
      neighbour.send('{"ping": null}\n');
      assert.equal(await neighbour.message(), 'quick');
      assert.ok(answered < count, 'the flood was worked off first');
      await flooded;
    });
  }
});
