import assert from 'node:assert/strict';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { describe, test } from 'node:test';
import type { CommandRow } from '../../lib/asyncrpc/command-row.ts';
import { createDispatcher } from '../../lib/asyncrpc/dispatch.ts';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import { createHub } from '../../lib/asyncrpc/server/hub.ts';
import type { Service } from '../../lib/asyncrpc/service.ts';
import { createLoopGuard } from '../../lib/asyncrpc/upstream/loop-guard.ts';
import { createValidator } from '../../lib/asyncrpc/wire/formats.ts';
import { WriteGate } from '../../lib/asyncrpc/write-gate.ts';
import { createHashService } from '../../lib/hashserv/service.ts';
import { SILENT } from '../../lib/log.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createHashStore } from '../../lib/storage/sqlite/hash/store.ts';
import { duplexPair, hash, METHOD, temporaryFolder, WireClient } from './helpers.ts';

type Running = { after(fn: () => void | Promise<void>): void };

const MAX = 4;
const line = (command: string, args: unknown) => `${JSON.stringify({ [command]: args })}\n`;
/** Everything that can happen before something outside does. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settled();
}

/** Clients of some services, on streams in memory. */
function clientsOf(t: Running, services: readonly Service[], more: object = {}) {
  const hub = createHub(services, { ...DEFAULT_LIMITS, ...more }, SILENT);
  const clients: WireClient[] = [];
  t.after(async () => {
    for (const client of clients) client.close();
    await hub.drain();
  });
  /** The server's ends of the streams, by client. */
  const served = new Map<WireClient, Duplex>();
  const dial = () => {
    const [end, server] = duplexPair();
    hub.accept(server, { name: 'memory', address: null, local: true });
    const client = new WireClient(end);
    clients.push(client);
    served.set(client, server);
    return client;
  };
  const hangUp = (client: WireClient) => void served.get(client)!.destroy();
  return { hub, dial, hangUp, connect: (protocol: string) => dial().handshake(protocol) };
}

/** A service of which at most MAX writes may be under way; each is answered when the test says so. */
function slowService(t: Running, more: object = {}) {
  const underWay: { readonly count: number; readonly answer: () => void }[] = [];
  const hold = (count: number) =>
    new Promise<void>((resolve) => {
      if (over) resolve();
      else underWay.push({ count, answer: resolve });
    });
  const answerNext = () => underWay.shift()?.answer();
  let over = false;
  // Nothing of this may hold the end of the test up.
  t.after(async () => {
    over = true;
    while (underWay.length > 0) {
      answerNext();
      await settled();
    }
  });
  const total = () => underWay.reduce((sum, { count }) => sum + count, 0);
  const rows: Record<string, CommandRow<unknown>> = {
    put: { needs: [], writes: true, batch: async (_, args) => hold(args.length).then(() => args) },
    look: { needs: [], handle: () => 'seen' },
    'mark-stream': {
      needs: [],
      writes: true,
      stream: async (_, lines) => hold(lines.length).then(() => `${lines.join('\n')}\n`),
    },
    'look-stream': { needs: [], stream: (_, lines) => `${lines.join('\n')}\n` },
  };
  const gate = new WriteGate(MAX);
  const dispatch = createDispatcher({ rows, access: 'read-write', validator: createValidator(), gate });
  const session = dispatch(null, { awaitsLogin: false, isStale: false, close() {} });
  const service: Service = { protocol: 'SLOW', accepts: () => true, open: () => session, close: async () => {} };
  const { connect, ...rest } = clientsOf(t, [service], more);
  return { ...rest, connect: () => connect('SLOW 1.0'), total, answerNext, gate };
}

type Slow = ReturnType<typeof slowService>;

/** Answers everything, one after the other, as long as `done` is not; never more than `most` may be under way. */
async function answerAll<T>({ total, answerNext }: Slow, done: Promise<T>, most = MAX): Promise<T> {
  let over = false;
  const ended = done.finally(() => {
    over = true;
  });
  while (!over) {
    assert.ok(total() <= most, `${total()} writes are under way`);
    answerNext();
    await settled();
  }
  return ended;
}

describe('while as many writes are under way as may be', () => {
  test('a client that hangs up, also one that speaks the plain form, gives its place at the gate up', async (t) => {
    const slow = slowService(t);
    const { connect, dial, hangUp, gate, total, answerNext } = slow;
    const full = connect();
    full.send('{"put": 0}\n'.repeat(MAX));
    await until(() => !gate.isOpen);
    const [gone, stays, plain] = [connect(), connect(), dial()];
    gone.send('{"put": "gone"}\n');
    await until(() => gate.waiting === 1);
    plain.send('{"id": 1, "method": "put", "params": "plain"}\n');
    await until(() => gate.waiting === 2);
    stays.send('{"put": "stays"}\n');
    await until(() => gate.waiting === 3);
    hangUp(gone);
    hangUp(plain);
    await settled();
    await settled();
    assert.equal(gate.waiting, 1);
    while (total() > 1 || gate.waiting > 0) {
      answerNext();
      await settled();
    }
    answerNext();
    assert.equal(await stays.message(), 'stays');
    assert.equal(total(), 0, 'nothing is done for those who have gone');
  });

  test('further ones wait, and all are answered in order in the end', async (t) => {
    // One request at a time: a run may pass the bound.
    const slow = slowService(t, { maxInFlight: 1 });
    const clients = Array.from({ length: 10 }, () => slow.connect());
    for (const client of clients) client.send([0, 1, 2].map((n) => line('put', n)).join(''));
    await until(() => slow.total() >= MAX);
    await slow.connect().ask('look', null);
    assert.equal(slow.total(), MAX);
    const answers = clients.map(async (client) => {
      for (const n of [0, 1, 2]) assert.equal(await client.message(), n);
    });
    await answerAll(slow, Promise.all(answers));
  });

  test('reads of other connections go on, in messages, in a stream and in the plain form', async (t) => {
    const slow = slowService(t);
    slow.connect().send(line('put', 0).repeat(MAX));
    await until(() => slow.total() >= MAX);
    const reader = slow.connect();
    assert.equal(await reader.ask('look', null), 'seen');
    reader.send(`${line('look-stream', null)}a\nb\nEND\n`);
    for (const answer of ['"ok"', 'a', 'b', 'ok']) assert.equal(await reader.line(), answer);
    const plain = slow.dial();
    plain.send('{"id": 1, "method": "look"}\n');
    assert.deepEqual(await plain.message(), { id: 1, result: 'seen', error: null });
  });

  test('what follows a write on its connection waits behind it, and its socket is paused', async (t) => {
    const slow = slowService(t, { maxInFlightBytes: 1000 });
    slow.connect().send(line('put', 0).repeat(MAX));
    await until(() => slow.total() >= MAX);
    const client = slow.connect();
    client.send(line('put', 'first') + line('look', null));
    await writeUntilFull(client.stream, line('look', null).repeat(100));
    assert.equal(slow.total(), MAX);
    slow.answerNext();
    await until(() => slow.total() === 1);
    slow.answerNext();
    assert.equal(await client.message(), 'first');
    assert.equal(await client.message(), 'seen');
  });

  test('lines of a stream that writes wait, and all are answered in order in the end', async (t) => {
    const slow = slowService(t, { maxInFlight: 2 });
    const clients = Array.from({ length: 5 }, () => slow.connect());
    const lines = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const client of clients) client.send(`${line('mark-stream', null)}${lines.join('\n')}\nEND\n`);
    await until(() => slow.total() >= MAX);
    assert.equal(await slow.connect().ask('look', null), 'seen');
    assert.equal(slow.total(), MAX);
    const answers = clients.map(async (client) => {
      for (const answer of ['"ok"', ...lines, 'ok']) assert.equal(await client.line(), answer);
    });
    await answerAll(slow, Promise.all(answers));
  });

  test('requests in the plain form wait too', async (t) => {
    const slow = slowService(t, { maxInFlight: 2 });
    const clients = Array.from({ length: 10 }, () => slow.dial());
    for (const [id, client] of clients.entries()) {
      const stream = { id, method: 'mark-stream', params: { lines: ['a', 'b', 'c'] } };
      client.send(`${JSON.stringify(id % 2 ? stream : { id, method: 'put', params: 'x' })}\n`);
    }
    await until(() => slow.total() >= MAX);
    assert.equal(await slow.connect().ask('look', null), 'seen');
    const answers = clients.map(async (client, id) => {
      const result = id % 2 ? ['a', 'b', 'c'] : 'x';
      assert.deepEqual(await client.message(), { id, result, error: null });
    });
    // Two lines go together.
    await answerAll(slow, Promise.all(answers), MAX + 1);
  });

  test('a client that leaves does not keep its turn', async (t) => {
    const slow = slowService(t);
    slow.connect().send(line('put', 0).repeat(MAX));
    await until(() => slow.total() >= MAX);
    const [leaver, plain, stayer] = [slow.connect(), slow.dial(), slow.connect()];
    leaver.send(line('put', 'leaver'));
    plain.send('{"id": 1, "method": "put"}\n');
    stayer.send(line('put', 'stayer'));
    await slow.connect().ask('look', null);
    for (const client of [leaver, plain]) slow.hangUp(client);
    await until(() => slow.hub.size === 3);
    slow.answerNext();
    await until(() => slow.total() > 0);
    assert.equal(slow.total(), 1);
    slow.answerNext();
    assert.equal(await stayer.message(), 'stayer');
  });

  test('a server that stops still answers what waits', async (t) => {
    const slow = slowService(t, { maxInFlight: 1 });
    const clients = Array.from({ length: 6 }, () => slow.connect());
    for (const client of clients) client.send(line('put', 0) + line('look', 0));
    await until(() => slow.total() >= MAX);
    await slow.connect().ask('look', null);
    const stopped = slow.hub.drain();
    const answers = clients.map(async (client) => {
      for (const answer of [0, 'seen']) assert.equal(await client.message(), answer);
      assert.equal(await client.line(), null);
    });
    await answerAll(slow, Promise.all(answers));
    await stopped;
  });
});

/** Writes until the stream takes no more: one in memory holds some before it says so. */
async function writeUntilFull(stream: Duplex, piece: string): Promise<void> {
  for (let sent = 0; stream.write(piece); sent += piece.length) {
    assert.ok(sent < 1024 ** 2, 'the stream goes on taking bytes');
    await settled();
  }
}

test('with a writer that stands still, no more than 10,000 reports and a run queue, and reads are answered', async (t) => {
  const folder = temporaryFolder(t);
  const rest = { readOnly: false, init: false, syncMode: { kind: 'on_shutdown' }, log: SILENT } as const;
  const file = path.join(folder, 'hashserv.db');
  const database = await openDatabase({ file, ...rest, onFatal: (error) => assert.fail(error) });
  t.after(() => database.close(1000));
  const store = await createHashStore({ database, cacheBytes: 1024, log: SILENT });
  const service = createHashService({
    store,
    log: SILENT,
    upstream: null,
    guard: createLoopGuard(SILENT),
    gate: new WriteGate(),
    anonymousPermissions: () => ['@read', '@report'],
  });
  const { connect } = clientsOf(t, [service]);
  const writer = database.writer!;
  let goOn = () => {};
  const standing = new Promise<void>((stands) => {
    void writer.between(async () => {
      stands();
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
    });
  });
  await standing;

  const run = DEFAULT_LIMITS.maxInFlight;
  const clients = Array.from({ length: 14 }, () => connect('OEHASHEQUIV 1.1'));
  const task = (at: number, i: number) => ({ method: METHOD, taskhash: `t${at}-${i}` });
  for (const [at, client] of clients.entries()) {
    const reports = Array.from({ length: run }, (_, i) =>
      line('report', { ...task(at, i), outhash: `o${at}-${i}`, unihash: hash(at * run + i) }),
    );
    client.send(reports.join(''));
  }
  await until(() => writer.queued >= 10_000);
  const reader = connect('OEHASHEQUIV 1.1');
  assert.deepEqual(await reader.ask('ping', {}), { alive: true });
  assert.equal(await reader.ask('get', task(0, 0)), null);
  assert.ok(writer.queued < 10_000 + run, `${writer.queued} operations are queued`);

  goOn();
  for (const [at, client] of clients.entries())
    for (let i = 0; i < run; i++)
      assert.deepEqual(await client.message(), { ...task(at, i), unihash: hash(at * run + i) });
  assert.equal(writer.queued, 0);
});
