import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import { KIB } from '../../lib/asyncrpc/limits.ts';
import { listen } from '../../lib/asyncrpc/transport/listen.ts';
import { NO_PROXIES } from '../../lib/asyncrpc/transport/proxies.ts';
import { createHttpDoor } from '../../lib/http/door.ts';
import { PROBLEMS } from '../../lib/http/problem.ts';
import type { ReadyReport } from '../../lib/http/readiness.ts';
import { SILENT } from '../../lib/log.ts';
import { JobFigures } from '../../lib/meter/job-figures.ts';
import { frame, TEXT } from '../websocket-frame.ts';
import { configIn, serve } from './helpers.ts';
import { AnswerReader, httpServer, rawRequest } from './http-helpers.ts';
import { recordLog } from './log-recorder.ts';
import { FrameClient, upgradeStatus } from './websocket-helpers.ts';

const GET = (path: string, ...headers: string[]) =>
  `GET ${path} HTTP/1.1\r\n${['Host: localhost', ...headers].join('\r\n')}\r\n\r\n`;
const problem = (body: string) => JSON.parse(body).type.slice('urn:bakeserv:problem:'.length);

describe('health', () => {
  test('/healthz says that the process answers, without a login, and nothing is kept or guessed', async (t) => {
    const { url } = await httpServer(t, { flags: { 'anon-perms': '@none' } });
    const response = await fetch(`${url}/healthz`);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { status: 'ok' });
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
  });

  test('/readyz says what can be read and written', async (t) => {
    const { url } = await httpServer(t);
    const response = await fetch(`${url}/readyz`);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), {
      status: 'ready',
      stopping: false,
      stores: { hashserv: { read: 'ok', write: 'ok' }, prserv: { read: 'ok', write: 'ok' } },
      upstreams: {},
    });
  });

  test('a database that is removed makes it not ready, and nobody is told where it was', async (t) => {
    const { url, folder } = await httpServer(t);
    fs.rmSync(`${folder}/prserv.sqlite3`);
    let response: Response;
    do response = await fetch(`${url}/readyz`);
    while (response.status === 200);
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('retry-after'), '1');
    const report = (await response.json()) as ReadyReport;
    assert.equal(report.status, 'not ready');
    assert.match(report.stores.prserv!.write, /the database file was removed/);
    assert.doesNotMatch(JSON.stringify(report), /sqlite3|tmp/);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
  });

  test('a read-only server is ready without being written, and says how its upstream is', async (t) => {
    const first = await httpServer(t);
    await first.server.close();
    const files = { 'hashserv-db': `${first.folder}/hashserv.db`, 'prserv-db': `${first.folder}/prserv.sqlite3` };
    const upstream = { 'hashserv-upstream': 'unix:///nobody/there' };
    const { url } = await httpServer(t, { flags: { ...files, ...upstream, 'read-only': true } });
    const { status, stores, upstreams } = (await (await fetch(`${url}/readyz`)).json()) as ReadyReport;
    assert.equal(status, 'ready');
    assert.deepEqual(stores.prserv, { read: 'ok', write: 'read-only' });
    assert.deepEqual(upstreams, { hashserv: 'reachable' }, 'nothing is known to the contrary');
  });

  test('HEAD is answered with the headers alone, and the connection goes on; other methods are not', async (t) => {
    const server = await httpServer(t);
    const socket = server.connect();
    const reader = new AnswerReader(socket);
    socket.write(GET('/healthz').replace('GET', 'HEAD'));
    const head = await reader.next(false);
    assert.equal(head!.status, 200);
    socket.write(GET('/healthz?probe=1'));
    const { status, body, headers } = (await reader.next())!;
    assert.equal(status, 200);
    assert.equal(headers['content-length'], head!.headers['content-length']);
    assert.equal(body, '{"status":"ok"}\n');
    socket.write(GET('/readyz').replace('GET', 'POST'));
    const refused = (await reader.next())!;
    assert.equal(refused.status, 405);
    assert.equal(refused.headers.allow, 'GET, HEAD');
  });

  test('neither question leaves a line in the log', async (t) => {
    const { log, lines } = recordLog();
    const { url } = await httpServer(t, { log });
    const before = lines.length;
    for (const path of ['/healthz', '/readyz']) await (await fetch(url + path)).text();
    assert.deepEqual(lines.slice(before), []);
  });
});

describe('a page in a browser', () => {
  test('of another site is refused with its Origin unless that is listed; health is not', async (t) => {
    const { port, url } = await httpServer(t, { flags: { 'allow-origin': ['https://ci.example.org'] } });
    const ask = async (path: string, origin: string) => (await fetch(url + path, { headers: { origin } })).status;
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1', `https://127.0.0.1:${port}`])
      assert.equal(await ask('/there', origin), 403, origin);
    assert.equal(await ask('/there', `http://127.0.0.1:${port}`), 404, 'the page of this server');
    assert.equal(await ask('/there', 'https://CI.example.org'), 404);
    assert.equal(await ask('/healthz', 'https://evil.example'), 200);
    assert.equal((await fetch(`${url}/healthz`)).headers.get('access-control-allow-origin'), null);
  });

  test('whose name leads to this machine is refused by that name', async (t) => {
    const server = await httpServer(t);
    const ask = async (host: string) => {
      const { status, body } = (await rawRequest(server, `GET /there HTTP/1.1\r\nHost: ${host}\r\n\r\n`))!;
      return `${status} ${problem(body)}`;
    };
    for (const host of [
      'evil.example',
      `evil.example:${server.port}`,
      '127.0.0.1.evil.example',
      'localhost.evil',
      '2130706433',
    ])
      assert.equal(await ask(host), '421 host-refused', host);
    for (const host of ['localhost', 'a.localhost:80', `127.0.0.1:${server.port}`, '[::1]:80', 'LOCALHOST:1'])
      assert.equal(await ask(host), '404 not-found', host);
  });
});

describe('WebSocket clients of an HTTP listener', () => {
  test('are served on /ws and nowhere else', async (t) => {
    const server = await httpServer(t);
    const client = await FrameClient.open(`ws://127.0.0.1:${server.port}/ws`);
    assert.deepEqual(await client.ask('ping', {}), { alive: true });
    client.ws.close();
    assert.equal(await upgradeStatus(`ws://127.0.0.1:${server.port}/`, {}), 404);
    assert.equal(await upgradeStatus(`ws://127.0.0.1:${server.port}/ws`, { origin: 'https://evil.example' }), 403);
    assert.equal((await fetch(`${server.url}/ws`)).status, 426);
  });

  test('are read on from what came with the upgrade, and after other requests', async (t) => {
    const server = await httpServer(t);
    const socket = server.connect();
    const reader = new AnswerReader(socket);
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    const upgrade = GET('/ws', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', key);
    const lines = ['OEHASHEQUIV 1.1', '', '{"ping": {}}', ...Array.from({ length: 60 }, () => '{"ping": null}')];
    socket.write(Buffer.concat([Buffer.from(GET('/healthz') + upgrade), ...lines.map((line) => frame(TEXT, line))]));
    assert.equal((await reader.next())!.status, 200);
    assert.equal((await reader.next())!.status, 101);
    const answers = (said: string) => said.split('{"alive": true}').length - 1;
    assert.equal(answers(await reader.after((said) => answers(said) >= 61)), 61);
  });

  test('behind a proxy have no rights of this machine, also when its header stands behind 3,000 others', async (t) => {
    const server = await httpServer(t);
    const url = `ws://127.0.0.1:${server.port}/ws`;
    const direct = await FrameClient.open(url);
    assert.equal(typeof ((await direct.ask('gc-status', {})) as { keep: number }).keep, 'number');
    const many: Record<string, string> = {};
    for (let i = 0; i < 3000; i++) many[i.toString(36)] = '';
    const proxied = await FrameClient.open(url, { headers: { ...many, 'X-Forwarded-For': '203.0.113.7' } });
    assert.match(JSON.stringify(await proxied.ask('gc-status', {})), /not allowed.*@db-admin/);
    for (const client of [direct, proxied]) client.ws.close();
  });

  test('clients of the protocol that are given the HTTP address are told the other', async (t) => {
    const { url, port } = await httpServer(t);
    await assert.rejects(
      connectClient(url, { protocol: 'PRSERVICE 1.0' }),
      new RegExp(`clients of the protocol reach an HTTP listener as ws://127\\.0\\.0\\.1:${port}/ws`),
    );
  });
});

describe('requests', () => {
  test('in any number and any pieces on one connection are answered in order', async (t) => {
    const server = await httpServer(t);
    const paths = ['/healthz', '/readyz', '/nothing', '/metrics-not'];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(3), { minLength: 1, maxLength: 60 }),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }),
        async (asked, cuts) => {
          const socket = server.connect();
          const reader = new AnswerReader(socket);
          const text = asked.map((i) => GET(paths[i]!)).join('');
          for (let at = 0, i = 0; at < text.length; i++) {
            const to = at + cuts[i % cuts.length]!;
            socket.write(text.slice(at, to));
            at = to;
            if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
          }
          for (const i of asked) {
            const { body, status } = (await reader.next())!;
            if (i === 0) assert.equal(body, '{"status":"ok"}\n');
            else if (i === 1) assert.equal(JSON.parse(body).status, 'ready');
            else assert.equal(`${status} ${JSON.parse(body).detail}`, `404 There is nothing at ${paths[i]}.`);
          }
          socket.destroy();
        },
      ),
      { numRuns: 30 },
    );
  });

  test('that are none are told so in words, and the connection is closed', async (t) => {
    const server = await httpServer(t);
    const refused: readonly (readonly [string, number, string])[] = [
      ['hello\r\n\r\n', 400, 'bad-request'],
      ['OEHASHEQUIV 1.1\n\n{"ping": {}}\n', 400, 'bad-request'],
      [GET('/healthz', `X: ${'x'.repeat(20 * KIB)}`), 431, 'headers-too-large'],
    ];
    for (const [text, status, type] of refused) {
      const socket = server.connect();
      const reader = new AnswerReader(socket);
      socket.write(text);
      const answer = (await reader.next())!;
      assert.equal(`${answer.status} ${problem(answer.body)}`, `${status} ${type}`);
      assert.equal(await reader.next(), null);
    }
  });

  test('whose client has said all it will say are answered', async (t) => {
    const server = await httpServer(t);
    const socket = server.connect();
    const reader = new AnswerReader(socket);
    socket.end(GET('/readyz') + GET('/healthz'));
    assert.equal(JSON.parse((await reader.next())!.body).status, 'ready');
    assert.equal((await reader.next())!.body, '{"status":"ok"}\n');
    assert.equal(await reader.next(), null);
  });

  test('with a body that nobody reads are answered, and the connection is closed', async (t) => {
    const server = await httpServer(t);
    const socket = server.connect();
    const reader = new AnswerReader(socket);
    socket.write(`${GET('/healthz', 'Content-Length: 1000000').replace('GET', 'POST')}${'x'.repeat(100_000)}`);
    assert.equal((await reader.next())!.status, 405);
    assert.equal(await reader.next(), null);
  });
});

describe('slow clients', () => {
  test('that do not send their headers in time are told so and closed', async (t) => {
    const server = await httpServer(t, { limits: { handshakeTimeoutMs: 300 } });
    const [silent, slow, second] = [server.connect(), server.connect(), server.connect()];
    slow.write('GET /healthz HTTP/1.1\r\nHost: ');
    const readers = [silent, slow, second].map((socket) => new AnswerReader(socket));
    second.write(GET('/healthz'));
    assert.equal((await readers[2]!.next())!.status, 200);
    second.write('GET /hea');
    assert.equal(await readers[0]!.next(), null);
    for (const reader of readers.slice(1)) {
      assert.equal(problem((await reader.next())!.body), 'request-timeout');
      assert.equal(await reader.next(), null);
    }
  });

  test('that send half a body are told so and closed, and those that hang up in it are no failure of the server', async (t) => {
    const { log, lines } = recordLog();
    const server = await httpServer(t, { limits: { messageTimeoutMs: 300 }, log });
    const head = GET('/api/v1/reports', 'Content-Type: application/json').replace('GET', 'POST').slice(0, -2);
    const said = async (text: string, isOver: boolean) => {
      const socket = server.connect();
      const reader = new AnswerReader(socket);
      if (isOver) socket.end(text);
      else socket.write(text);
      const answer = await reader.next();
      assert.equal(await reader.next(), null);
      return `${answer?.status} ${answer && problem(answer.body)}`;
    };
    assert.equal(await said(`${head}Content-Length: 9\r\n\r\n{`, false), '408 request-timeout');
    assert.equal(await said(`${head}Content-Length: 9\r\n\r\n{`, true), '400 bad-request');
    assert.equal(await said(`${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, false), '400 bad-request');
    const gone = server.connect();
    gone.write(`${head}Content-Length: 9\r\nExpect: 100-continue\r\n\r\n{`);
    await once(gone, 'data');
    gone.resetAndDestroy();
    await server.server.close();
    assert.deepEqual(
      lines.filter((line) => /failed/.test(line)),
      [],
    );
  });

  test('are told how long they may ask nothing', async (t) => {
    const server = await httpServer(t, { limits: { httpIdleTimeoutMs: 45_000 } });
    const socket = server.connect();
    socket.write(GET('/healthz'));
    assert.equal((await new AnswerReader(socket).next())!.headers['keep-alive'], 'timeout=45');
    socket.destroy();
  });

  test('that ask nothing more are closed after the idle time', async (t) => {
    const server = await httpServer(t, { limits: { httpIdleTimeoutMs: 100 } });
    const socket = server.connect();
    const reader = new AnswerReader(socket);
    socket.write(GET('/healthz'));
    assert.equal((await reader.next())!.status, 200);
    assert.equal(await reader.next(), null);
  });

  test('count with all others, and the one that was idle for longest makes room for the next', async (t) => {
    const server = await httpServer(t, { limits: { maxHttpConnections: 6 } });
    const readers: AnswerReader[] = [];
    const open = async () => {
      const reader = new AnswerReader(server.connect());
      readers.push(reader);
      reader.socket.write(GET('/healthz'));
      assert.equal((await reader.next())!.status, 200);
    };
    for (let i = 0; i < 3; i++) await open();
    assert.equal(server.server.hub.size, 3);
    await open();
    await readers[0]!.ended;
    assert.equal(server.server.hub.size, 3, 'an address has half of the places');
    readers[1]!.socket.write(GET('/healthz'));
    assert.equal((await readers[1]!.next())!.status, 200);
    await open();
    await readers[2]!.ended;
  });

  test('a connection past the limit of all is refused', async (t) => {
    const server = await httpServer(t, { limits: { maxConnections: 2 } });
    const first = new AnswerReader(server.connect());
    const second = new AnswerReader(server.connect());
    for (const { socket } of [first, second]) await once(socket, 'connect');
    assert.equal(await rawRequest(server, GET('/healthz')), null);
  });
});

test('a server that stops answers what was asked, is no longer ready, and closes idle connections', async (t) => {
  let goOn = () => {};
  const read = () =>
    new Promise<void>((resolve) => {
      goOn = resolve;
    });
  const probe = { service: 'hashserv', name: 'hashes', read, write: null, upstream: () => null };
  const { app } = await serve(t);
  const { limits } = configIn('.');
  const http = await createHttpDoor({
    hub: app.hub,
    limits,
    log: SILENT,
    allowOrigins: [],
    proxies: NO_PROXIES,
    stores: [probe],
    servicesFor: () => new Map(),
    facts: {
      databases: {},
      upstreams: {},
      warnings: { list: async () => [] },
      mirrors: { list: async () => [] },
      jobs: { status: async () => new JobFigures().status },
      listeners: () => [],
    },
    clients: async () => app.hub.size,
    history: app.recording,
    page: { sessions: null, userHeader: null, pullFrom: [], hasSharedState: false },
    metrics: null,
  });
  const asked = { kind: 'http', secure: false, host: '127.0.0.1', port: 0 } as const;
  const { address, close } = await listen(asked, app.hub, limits, SILENT, { http: async () => http });
  assert(address.kind === 'http');
  const [idle, busy] = [0, 1].map(() => new AnswerReader(net.connect(address.port, '127.0.0.1')));
  for (const reader of [idle!, busy!]) {
    reader.socket.write(GET('/healthz'));
    assert.equal((await reader.next())!.headers.connection, 'keep-alive');
  }
  busy!.socket.write(GET('/readyz') + GET('/healthz'));
  while (app.hub.heldBytes < GET('/readyz').length) await new Promise((resolve) => setImmediate(resolve));
  http.stop();
  await close();
  const closed = app.close();
  assert.equal(await idle!.next(), null);
  goOn();
  const { status, body } = (await busy!.next())!;
  assert.equal(status, 503);
  assert.equal(JSON.parse(body).stopping, true);
  while (await busy!.next());
  await closed;
});

test('docs/http.md lists every kind of problem with its status, and no other', () => {
  const page = fs.readFileSync(new URL('../../docs/http.md', import.meta.url), 'utf8');
  const rows = [...page.slice(page.indexOf('## Problems')).matchAll(/^\| `([\w-]+)` \| (\d+) \|/gm)];
  const listed = Object.fromEntries(rows.map(([, type, status]) => [type, Number(status)]));
  assert.deepEqual(listed, Object.fromEntries(Object.entries(PROBLEMS).map(([type, [status]]) => [type, status])));
});
