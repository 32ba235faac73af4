import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { AnswerReader, httpServer } from './http-helpers.ts';
import { Visitor } from './page-helpers.ts';

const ADMIN = { 'admin-user': 'root', 'admin-password': 'secret', 'anon-perms': '@none' };

test('10,000 attempts to sign in are checked a few a second, and others are answered', async (t) => {
  const server = await httpServer(t, { flags: { ...ADMIN, 'login-failure-delay': 0.001 } });
  const ATTEMPTS = 10_000;
  const CONNECTIONS = 20;
  const body = JSON.stringify({ username: 'root', token: 'guess' });
  const one =
    'POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
    `Content-Length: ${body.length}\r\n\r\n${body}`;
  // Each connection sends all of its attempts at once, and reads whatever comes.
  const sockets = Array.from({ length: CONNECTIONS }, () => {
    const socket = server.connect();
    socket.resume();
    socket.write(one.repeat(ATTEMPTS / CONNECTIONS));
    return socket;
  });
  const { hits } = server.server.hub.figures;
  while (hits.maxCautiousLogins === 0) await new Promise((resolve) => setImmediate(resolve));
  // Others of the same user at another place, and whoever needs no login, are not kept waiting by them.
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  assert.equal(await new Visitor(server.url).user(), null);
  // One attempt of each connection waits at a time: the rest is not even read.
  assert.ok(hits.loginFailureDelayMs < 1000, `${hits.loginFailureDelayMs} attempts were checked`);
  assert.ok(server.server.hub.heldBytes < 2 * ATTEMPTS * one.length);
  for (const socket of sockets) socket.destroy();
  // It waits for no more than those who came before it.
  await new Visitor(server.url).signIn('root', 'secret');
});

test('1,000 idle connections make room for those who ask', async (t) => {
  const server = await httpServer(t);
  const idle = Array.from({ length: 1000 }, () => server.connect());
  await Promise.all(
    idle.map(async (socket) => {
      const reader = new AnswerReader(socket);
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      // Answered, or closed to make room.
      await Promise.race([reader.next(), once(socket, 'close')]);
    }),
  );
  for (let i = 0; i < 10; i++) assert.equal((await new Visitor(server.url).ask('GET', '/')).status, 200);
  assert.ok(server.server.hub.size <= 256);
});
