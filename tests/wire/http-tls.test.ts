import assert from 'node:assert/strict';
import { once } from 'node:events';
import type http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { issue } from './certificate.ts';
import { type SecureServer, secureServer } from './tls-helpers.ts';

const ADMIN = { 'admin-user': 'root', 'admin-password': 'secret', bind: ['https://0.0.0.0:0'] };

async function ask({ port, authority }: SecureServer, path: string, options: https.RequestOptions = {}, body = '') {
  const headers = body === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const at = { port, host: '127.0.0.1', servername: 'localhost', ca: authority.cert, path: `/api/v1${path}`, headers };
  const request = https.request({ ...at, agent: false, ...options });
  request.end(body);
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
  return { status: answer.statusCode, body: JSON.parse(await text(answer)) };
}

test('a token is taken over TLS from anywhere', async (t) => {
  const server = await secureServer(t, { flags: ADMIN });
  assert.equal((await ask(server, '/users')).status, 401);
  const { status, body } = await ask(server, '/users', { auth: 'root:secret' });
  assert.equal(status, 200);
  assert.equal(body.users[0].username, 'root');
});

test('who shows a certificate is the user it names, without a token', async (t) => {
  const server = await secureServer(t, { flags: ADMIN, clientCertificates: true });
  const shown = issue({ commonName: 'anna', issuer: server.authority });
  const made = JSON.stringify({ username: 'anna', permissions: ['@db-admin'] });
  assert.equal((await ask(server, '/users', { ...shown, method: 'POST', auth: 'root:secret' }, made)).status, 201);
  const { status, body } = await ask(server, '/user', shown);
  assert.equal(status, 200);
  assert.deepEqual(body, { username: 'anna', permissions: ['@db-admin'] });
});
