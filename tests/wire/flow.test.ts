import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { describe, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { hash, MEMORY, METHOD, refusal, serve, TCP, UNIX } from './helpers.ts';

const report = { method: METHOD, taskhash: 't1', outhash: 'o1', unihash: hash(1) };
const line = (command: string, args: Json) => `${JSON.stringify({ [command]: args })}\n`;

/** Resolves when the stream is closed, with how many bytes were handed to it. */
async function sendForEver(client: { stream: Duplex }, piece: string): Promise<number> {
  const { stream } = client;
  let sent = 0;
  let closed = false;
  const close = new Promise<void>((resolve) => {
    for (const event of ['close', 'end', 'error'])
      stream.once(event, () => {
        closed = true;
        resolve();
      });
  });
  const limit = 1024 ** 3;
  while (!closed && sent < limit) {
    sent += piece.length;
    if (!stream.write(piece)) await Promise.race([close, new Promise((resolve) => stream.once('drain', resolve))]);
    else await new Promise((resolve) => setImmediate(resolve));
  }
  return sent;
}

for (const transport of [MEMORY, TCP, UNIX]) {
  describe(`requests over ${transport.name}`, () => {
    test('sent together are answered in order, a later one seeing an earlier one', async (t) => {
      const client = (await serve(t, { transport })).connect();
      let sent = '';
      for (let i = 0; i < 300; i++) {
        sent += line('report', { ...report, taskhash: `t${i}`, outhash: `o${i}`, unihash: hash(i) });
        if (i % 3 === 0) sent += line('get', { method: METHOD, taskhash: `t${i}` });
        if (i % 50 === 0) sent += '{"nonsense": 1}\n';
        if (i % 70 === 0) sent += `{"get-stream": null}\n${METHOD} t${i}\n${METHOD} none\nEND\n`;
      }
      client.send(sent);
      for (let i = 0; i < 300; i++) {
        assert.equal(((await client.message()) as { unihash: string }).unihash, hash(i));
        if (i % 3 === 0) assert.equal(((await client.message()) as { unihash: string })?.unihash, hash(i));
        if (i % 50 === 0) refusal(await client.message());
        if (i % 70 === 0) for (const text of ['"ok"', hash(i), '', 'ok']) assert.equal(await client.line(), text);
      }
    });

    test('a client that stops sending (printf | nc) still gets every answer', async (t) => {
      const client = (await serve(t, { transport })).connect();
      client.stream.end(`${line('report', report)}{"get-stream": null}\n${METHOD} t1\nEND\n${line('get', report)}`);
      const answer = JSON.stringify({ taskhash: 't1', method: METHOD, unihash: hash(1) });
      const answers = (await client.rest()).split('\n').map((text) => text.replaceAll(/([:,]) /g, '$1'));
      assert.deepEqual(answers, [answer, '"ok"', hash(1), 'ok', answer]);
    });

    test('thousands of stream lines without waiting give as many answers, in order', async (t) => {
      const client = (await serve(t, { transport })).connect();
      client.send(
        Array.from({ length: 50 }, (_, i) =>
          line('report', { ...report, taskhash: `t${i}`, outhash: `o${i}`, unihash: hash(i) }),
        ).join(''),
      );
      for (let i = 0; i < 50; i++) await client.message();
      const asked = Array.from({ length: 5000 }, (_, i) => i % 100);
      client.send(`{"get-stream": null}\n${asked.map((n) => `${METHOD} t${n}\n`).join('')}END\n{"ping": {}}\n`);
      assert.equal(await client.line(), '"ok"');
      for (const n of asked) assert.equal(await client.line(), n < 50 ? hash(n) : '');
      assert.equal(await client.line(), 'ok');
      assert.deepEqual(await client.message(), { alive: true });
    });

    test('a gigabyte without a newline is closed at the line limit, others go on', async (t) => {
      const server = await serve(t, { transport });
      const neighbour = server.connect();
      const client = server.connect();
      const before = process.memoryUsage().rss;
      const sent = await sendForEver(client, 'x'.repeat(64 * 1024));
      assert.ok(sent < 64 * 1024 ** 2, `closed after ${sent} bytes`);
      assert.ok(process.memoryUsage().rss - before < 200 * 1024 ** 2);
      assert.deepEqual(await neighbour.ask('ping', {}), { alive: true });
    });
  });
}

describe('a message of unending chunks', () => {
  test('is refused at the message limit', async (t) => {
    const server = await serve(t, { transport: TCP, limits: { maxMessageBytes: 1024 ** 2 } });
    const neighbour = server.connect();
    const client = server.connect();
    client.send('{"chunk-stream": null}\n');
    const sent = await sendForEver(client, `${'x'.repeat(32767)}\n`);
    assert.ok(sent < 64 * 1024 ** 2, `closed after ${sent} bytes`);
    assert.match(refusal(await client.message()), /longer than 1048576 bytes/);
    assert.deepEqual(await neighbour.ask('ping', {}), { alive: true });
  });

  test('is refused at 64 KiB where a login is required, and not after it', async (t) => {
    const flags = { 'anon-perms': '@none', 'admin-user': 'admin', 'admin-password': 'secret' };
    const server = await serve(t, { flags });
    const long = line('report', { ...report, outhash_siginfo: 'x'.repeat(100_000) });
    const chunked = `{"chunk-stream": null}\n${long
      .trim()
      .match(/.{1,32767}/g)!
      .join('\n')}\n\n`;
    const stranger = server.connect();
    stranger.send(chunked);
    assert.match(refusal(await stranger.message()), /longer than 65536 bytes/);
    assert.equal(await stranger.line(), null);
    const client = server.connect();
    client.send(line('auth', { username: 'admin', token: 'secret' }));
    await client.message();
    client.send(chunked);
    assert.equal(((await client.message()) as { unihash: string }).unihash, hash(1));
  });

  test('keeps others of its length waiting for a moment only, and shorter ones not at all', async (t) => {
    const limits = { maxMessageBytes: 300_000, maxPartialBytes: 300_000 };
    const server = await serve(t, { transport: TCP, limits });
    const chunks = (n: number) => `${'x'.repeat(30_000)}\n`.repeat(n);
    const stalled = server.connect();
    stalled.send(`{"chunk-stream": null}\n${chunks(6)}`);
    while (server.app.hub.heldBytes < 180_000) await new Promise((resolve) => setImmediate(resolve));
    const other = server.connect();
    other.send(`{"chunk-stream": null}\n{"ping": "\n${chunks(6)}"}\n\n`);
    const short = server.connect();
    short.send('{"chunk-stream": null}\n{"ping"\n');
    await server.connect().ask('ping', {});
    short.send(`: "${'x'.repeat(30_000)}"}\n\n`);
    assert.deepEqual(await short.message(), { alive: true });
    assert.match(refusal(await stalled.message()), /others wait for the memory/);
    assert.equal(await stalled.line(), null);
    assert.deepEqual(await other.message(), { alive: true });
  });

  test('that is not finished in time is closed; one that is does not count any more', async (t) => {
    const server = await serve(t, { transport: TCP, limits: { messageTimeoutMs: 300 } });
    const honest = server.connect();
    honest.send(`${line('get', report)}{"chunk-stream": null}\n{"ping"\n: {}}\n\n`);
    await honest.message();
    assert.deepEqual(await honest.message(), { alive: true });
    for (const begun of ['{"chunk-stream": null}\n{"ping"\n', '{"ping"', '{"chunk-stream": null}\n']) {
      const client = server.connect();
      client.send(begun);
      assert.match(refusal(await client.message()), /not complete within 0.3 s/);
      assert.equal(await client.line(), null);
    }
    assert.deepEqual(await honest.ask('ping', {}), { alive: true });
  });
});

describe('a client that does not read its answers', () => {
  const SMALL = { outputPauseBytes: 64 * 1024, outputLimitBytes: 1024 ** 2, outputTimeoutMs: 500 };

  for (const mode of ['messages', 'a stream']) {
    test(`is not read any more, and closed when nothing moves, in ${mode}`, async (t) => {
      const lines: string[] = [];
      const log = { error() {}, info() {}, debug() {}, warn: (message: string) => void lines.push(message) };
      const server = await serve(t, { transport: UNIX, limits: SMALL, log });
      const writer = server.connect();
      await writer.ask('report', { ...report, outhash_siginfo: 'x'.repeat(20_000) });
      const client = server.connect();
      await client.ask('ping', {});
      client.stream.pause();
      if (mode === 'a stream') client.send('{"get-stream": null}\n');
      const piece =
        mode === 'messages'
          ? line('get', { method: METHOD, taskhash: 't1', all: true }).repeat(100)
          : `${METHOD} t1\n`.repeat(3000);
      const sent = await sendUntilStuck(client.stream);
      assert.ok(sent.stuck, `the socket stopped taking bytes after ${sent.bytes}`);
      assert.deepEqual(await writer.ask('ping', {}), { alive: true });
      await sent.closed;
      assert.deepEqual(lines, ['client does not read its answers: closed']);

      async function sendUntilStuck(stream: Duplex) {
        const closed = new Promise<void>((resolve) => {
          for (const event of ['close', 'error']) stream.once(event, () => resolve());
        });
        let bytes = 0;
        for (;;) {
          bytes += piece.length;
          if (stream.write(piece)) continue;
          const drained = new Promise((resolve) => stream.once('drain', () => resolve('drained')));
          const what = await Promise.race([drained, closed.then(() => 'closed')]);
          if (what === 'closed') return { stuck: bytes < 64 * 1024 ** 2, bytes, closed };
        }
      }
    });
  }

  test('for a while only gets everything once it reads again', async (t) => {
    const server = await serve(t, { transport: UNIX, limits: { outputPauseBytes: 64 * 1024 } });
    const client = server.connect();
    await client.ask('report', { ...report, outhash_siginfo: 'x'.repeat(20_000) });
    client.stream.pause();
    client.send(`${line('get', { method: METHOD, taskhash: 't1', all: true }).repeat(200)}`);
    await server.connect().ask('ping', {});
    client.stream.resume();
    for (let i = 0; i < 200; i++) assert.equal(((await client.message()) as { taskhash: string }).taskhash, 't1');
  });
});

describe('a server that stops', () => {
  test('answers what it has read, then closes; idle clients are closed at once', async (t) => {
    const server = await serve(t, { transport: TCP });
    const idle = server.connect();
    const silent = server.dial();
    const begun = server.connect();
    for (const client of [idle, begun]) await client.ask('ping', {});
    begun.send('{"ping": ');
    const busy = server.connect();
    await busy.ask('ping', {});
    busy.send(line('report', report));
    assert.equal(((await busy.message()) as { unihash: string }).unihash, hash(1));
    const started = performance.now();
    await server.stop();
    assert.ok(performance.now() - started < 4000, 'the drain time was not used up');
    for (const client of [idle, silent, begun, busy]) assert.equal(await client.line(), null);
  });

  test('answers everything it has read by then, in order', async (t) => {
    const server = await serve(t);
    const client = server.connect();
    await client.ask('ping', {});
    const { others } = server.app.hub.figures;
    let sent = others.receivedBytes;
    for (let i = 0; i < 50; i++) {
      const pair =
        line('report', { ...report, taskhash: `t${i}`, outhash: `o${i}`, unihash: hash(i) }) +
        line('get', { method: METHOD, taskhash: `t${i}` });
      client.send(pair);
      sent += Buffer.byteLength(pair);
    }
    while (others.receivedBytes < sent) await new Promise((resolve) => setImmediate(resolve));
    const stopped = server.stop();
    for (let i = 0; i < 50; i++)
      for (const _ of ['report', 'get'])
        assert.equal(((await client.message()) as { unihash: string }).unihash, hash(i));
    assert.equal(await client.line(), null);
    await stopped;
  });

  test('does not wait for clients that have said nothing', async (t) => {
    const server = await serve(t, { transport: TCP, limits: { maxHandshakes: 1, drainTimeoutMs: 60_000 } });
    const clients = Array.from({ length: 5 }, () => server.dial());
    await Promise.all(clients.map(({ stream }) => new Promise((resolve) => stream.once('connect', resolve))));
    while (server.app.hub.size < clients.length) await new Promise((resolve) => setImmediate(resolve));
    await server.stop();
    for (const client of clients) assert.equal(await client.line(), null);
  });

  test('does not wait for a client that does not read longer than the drain time', async (t) => {
    const limits = { drainTimeoutMs: 300, outputPauseBytes: 64 * 1024 };
    const server = await serve(t, { transport: UNIX, limits });
    const client = server.connect();
    await client.ask('report', { ...report, outhash_siginfo: 'x'.repeat(20_000) });
    client.stream.pause();
    client.send(line('get', { method: METHOD, taskhash: 't1', all: true }).repeat(200));
    await server.connect().ask('ping', {});
    await server.stop();
    assert.equal(server.app.hub.size, 0);
  });
});
