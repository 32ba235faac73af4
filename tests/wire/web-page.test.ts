import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, test } from 'node:test';
import { hash, METHOD, serve, TCP } from './helpers.ts';
import { httpServer } from './http-helpers.ts';
import { FrameClient, webSocketServer } from './websocket-helpers.ts';

/** What a page could have a browser send behind the head of an HTTP request: our whole conversation, in both forms. */
const report = { method: METHOD, taskhash: 'of a page', outhash: 'o', unihash: hash(1) };
const BODIES = [
  `OEHASHEQUIV 1.1\n\n${JSON.stringify({ report })}\n`,
  `\r\n\r\nOEHASHEQUIV 1.1\r\n\r\n${JSON.stringify({ report })}\r\n`,
  `${JSON.stringify({ id: 1, method: 'report', params: report })}\n`,
];
/** First lines of requests: with a name of ours for a method too, which a page may send to its own host, and that may be any address. */
const HEADS = [
  'POST / HTTP/1.1',
  'GET /%0AOEHASHEQUIV%201.1 HTTP/1.1',
  'OEHASHEQUIV /1.1 HTTP/1.1',
  'OEHASHEQUIV 1.1 HTTP/1.1',
  'PUT /{"report":1} HTTP/1.0',
];

const requests = HEADS.flatMap((head) =>
  BODIES.map(
    (body) =>
      `${head}\r\nHost: 127.0.0.1:8585\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  ),
);

describe('an HTTP request that a web page has a browser send', () => {
  for (const piece of ['whole', 'byte by byte'] as const) {
    test(`to the address of the raw protocol is closed on without a word, and nothing of its body is done, sent ${piece}`, async (t) => {
      const server = await serve(t, { transport: TCP });
      for (const request of requests) {
        const page = server.dial();
        if (piece === 'whole') page.send(request);
        else for (const byte of request) page.send(byte);
        assert.equal(await page.rest(), '', request);
      }
      const client = server.connect();
      assert.equal(await client.ask('get', { method: METHOD, taskhash: report.taskhash }), null);
      assert.equal(await client.ask('get-outhash', { ...report, with_unihash: false }), null);
    });
  }

  test('to the address of a WebSocket is answered, and nothing of its body is done', async (t) => {
    const server = await webSocketServer(t);
    for (const request of requests.filter((text) => /^(POST|GET)/.test(text))) {
      const socket = net.connect(server.port, '127.0.0.1', () => socket.write(request));
      const answer = (await socket.toArray()).join('');
      assert.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 426'], request);
      assert.doesNotMatch(answer, /taskhash/);
    }
    const client = await FrameClient.open(server.url);
    assert.equal(await client.ask('get', { method: METHOD, taskhash: report.taskhash }), null);
    client.ws.terminate();
  });

  test('to the address of an HTTP listener is answered as such, and nothing of its body is done', async (t) => {
    const server = await httpServer(t);
    const statuses = async (sent: string) => {
      const socket = server.connect();
      socket.write(sent);
      const answer = (await socket.toArray()).join('');
      assert.doesNotMatch(answer, /"unihash"/);
      return answer.match(/HTTP\/1\.1 \d+/g)?.join(', ');
    };
    for (const request of requests.filter((text) => /^(POST|GET)/.test(text))) {
      const last = request.replace('Host:', 'Connection: close\r\nHost:');
      // The page is there to be read.
      const refused = request.startsWith('POST / ') ? 405 : 404;
      assert.equal(await statuses(last), `HTTP/1.1 ${refused}`, request);
      // What stands behind a request is another one, and ours is none.
      const behind = request.replace(/Content-Length: \d+/, 'Content-Length: 0');
      assert.match((await statuses(behind)) ?? '', /^HTTP\/1\.1 40[45](, HTTP\/1\.1 400)?$/, request);
    }
    const client = await FrameClient.open(`ws://127.0.0.1:${server.port}/ws`);
    assert.equal(await client.ask('get', { method: METHOD, taskhash: report.taskhash }), null);
    client.ws.terminate();
  });
});
