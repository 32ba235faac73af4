import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { before, describe, after as onceAfter, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import tls from 'node:tls';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { freePort } from '../free-port.ts';
import { version1 } from '../proxy-headers.ts';
import { selfSignedCertificate } from '../wire/certificate.ts';
import { WireClient } from '../wire/helpers.ts';
import { FrameClient } from '../wire/websocket-helpers.ts';
import { type Context, type ServerProcess, serve, temporaryFolder } from './helpers.ts';
import { cannotProxy, NGINX_STREAM_MODULE } from './needs.ts';
import { example, runProxy } from './proxy-helpers.ts';

/** Longer than the 60 s after which proxies cut idle links unless told otherwise. */
const IDLE_MS = 65_000;
const FAR = '203.0.113.9';

type Asker = { ask(command: string, args: Json): Promise<Json> };

/** Ports of the proxies; `far` takes clients that say, by a PROXY header of their own, that they are somebody else. */
interface Way {
  readonly near: number;
  readonly far: number;
}
type WayName = 'wss' | 'wssStream' | 'raw' | 'plain' | 'haproxy';

let server: ServerProcess;
let certificate: { cert: string; key: string };
const ways = {} as Record<WayName, Way>;
const sockets: net.Socket[] = [];
const cleanUps: (() => void | Promise<void>)[] = [];
const suite: Context = { after: (fn) => void cleanUps.unshift(fn) };
let folder: string;

async function start(): Promise<void> {
  folder = temporaryFolder(suite);
  certificate = selfSignedCertificate('localhost');
  const [cert, key] = ['cert', 'key'].map((name) => path.join(folder, `${name}.pem`));
  fs.writeFileSync(cert!, certificate.cert);
  fs.writeFileSync(key!, certificate.key, { mode: 0o600 });
  const binds = ['ws://127.0.0.1:0', 'ws://127.0.0.1:0,proxy-protocol', '127.0.0.1:0,proxy-protocol', '127.0.0.1:0'];
  const users = ['--admin-user', 'admin', '--admin-password', 'secret', '--login-failure-delay', '0.001'];
  const args = ['--trust-proxy', '127.0.0.1', ...users, ...binds.flatMap((bind) => ['--bind', bind])];
  server = await serve(suite, { folder, args });
  const [ws, wsProxied, proxied, plain] = server.addresses.slice(1).map((each) => `127.0.0.1:${(each as Port).port}`);
  for (const name of ['wss', 'wssStream', 'raw', 'plain', 'haproxy'] as const)
    ways[name] = { near: await freePort(), far: await freePort() };
  const listen = ({ near, far }: Way, more = '') =>
    `listen 127.0.0.1:${near}${more}; listen 127.0.0.1:${far}${more} proxy_protocol; set_real_ip_from 127.0.0.1;`;
  const secrets = `ssl_certificate ${cert}; ssl_certificate_key ${key};`;
  const http = example('nginx/bakeserv.conf', {
    '127.0.0.1:8686;': `${ws};`,
    'listen 443 ssl;': listen(ways.wss, ' ssl'),
    'listen [::]:443 ssl;': 'real_ip_header proxy_protocol;',
    '/etc/ssl/hashserv.example.com.pem': cert!,
    '/etc/ssl/hashserv.example.com.key': key!,
  });
  const stream = example('nginx/bakeserv-stream.conf', {
    '127.0.0.1:8587;': `${proxied};`,
    'listen 8585;': listen(ways.raw),
    'listen [::]:8585;': '',
  });
  const others = `
    server { ${listen(ways.plain)} proxy_pass ${plain}; proxy_timeout 24h; }
    server { ${listen(ways.wssStream, ' ssl')} ${secrets} proxy_pass ${wsProxied}; proxy_protocol on; proxy_timeout 24h; }`;
  const nginx = path.join(folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (each) => `${each}_temp_path ${folder}/t;`,
  );
  fs.writeFileSync(
    nginx,
    `load_module ${NGINX_STREAM_MODULE}; daemon off; pid ${folder}/nginx.pid; events {}
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    http { access_log off; ${temporary.join(' ')} ${http} }
    ${stream.replace(/\}\s*$/, `${others} }`)}`,
  );
  await runProxy(suite, ['nginx', '-e', 'stderr', '-p', folder, '-c', nginx], ways.wssStream.near);
  const haproxy = path.join(folder, 'haproxy.cfg');
  const checked = example('haproxy/bakeserv.cfg', {
    'bind :::8585 v4v6': `bind 127.0.0.1:${ways.haproxy.near}\n    bind 127.0.0.1:${ways.haproxy.far} accept-proxy`,
    '127.0.0.1:8587': proxied!,
    'inter 10s': 'inter 1s',
  });
  fs.writeFileSync(haproxy, `global\n    stats socket ${folder}/haproxy.sock\n${checked}`);
  await runProxy(suite, ['haproxy', '-db', '-f', haproxy], ways.haproxy.near);
}

type Port = { readonly port: number };

/** A client on this machine, or one that the proxy takes to be elsewhere. */
async function connect(name: WayName, isFar: boolean, headers: Record<string, string> = {}): Promise<Asker> {
  const socket = net.connect(isFar ? ways[name].far : ways[name].near, '127.0.0.1');
  sockets.push(socket);
  if (isFar) socket.write(version1({ address: FAR, port: 4711 }));
  if (!name.startsWith('wss')) return new WireClient(socket).handshake();
  const createConnection = () => tls.connect({ socket, ca: certificate.cert, servername: 'localhost' });
  return FrameClient.open('ws://localhost/ws', { createConnection, headers });
}

async function isLocal(client: Asker): Promise<boolean> {
  const reply = JSON.stringify(await client.ask('reset-stats', null));
  if (!/"requests"/.test(reply)) assert.match(reply, /@db-admin/);
  return /"requests"/.test(reply);
}

describe('behind the proxies of contrib/', { skip: cannotProxy(), concurrency: true }, () => {
  before(start);
  onceAfter(async () => {
    for (const socket of sockets) socket.destroy();
    for (const each of cleanUps) await each();
  });

  for (const name of ['wss', 'wssStream', 'raw', 'haproxy'] as const) {
    test(`${name}: a client is local if it is on this machine, and remote from elsewhere`, async () => {
      assert.equal(await isLocal(await connect(name, false)), true);
      const far = await connect(name, true);
      assert.equal(await isLocal(far), false);
      await far.ask('auth', { username: 'admin', token: `wrong for ${name}` });
      await server.logged(/login refused peer=203\.0\.113\.9/);
    });
  }

  test('plain: without the PROXY protocol nobody behind the proxy is local', async () => {
    assert.equal(await isLocal(await connect('plain', false)), false);
    assert.equal(await isLocal(await connect('plain', true)), false);
  });

  test('wss: what a client says of itself in X-Forwarded-For does not count', async () => {
    for (const name of ['wss', 'wssStream'] as const)
      for (const spoof of ['127.0.0.1', '::1, 127.0.0.1'])
        assert.equal(await isLocal(await connect(name, true, { 'x-forwarded-for': spoof })), false, `${name} ${spoof}`);
  });

  test('wss and raw: all bytes go through, in both directions', async () => {
    const report = { method: 'M', taskhash: 't', outhash: 'o', unihash: 'a'.repeat(64) };
    const siginfo = 'x'.repeat(2_000_000);
    for (const name of ['wss', 'wssStream', 'raw', 'plain', 'haproxy'] as const) {
      const client = await connect(name, false);
      const taskhash = `t-${name}`;
      const stored = await client.ask('report', { ...report, taskhash, outhash_siginfo: siginfo });
      assert.deepEqual(stored, { method: report.method, taskhash, unihash: report.unihash }, name);
      const found = await client.ask('get', { method: 'M', taskhash, all: true }).catch((error: unknown) => {
        // A client is not told of a fault of the server: its log is.
        throw new Error(`${name}: ${error}; the server said:\n${server.stderr().slice(-2000)}`, { cause: error });
      });
      assert.equal((found as { outhash_siginfo: string }).outhash_siginfo, siginfo, name);
    }
  });

  test('haproxy: the health check is answered', async () => {
    let state = '';
    while (!state.includes('L7OK')) {
      const socket = net.connect(path.join(folder, 'haproxy.sock'));
      socket.end('show stat\n');
      state = await text(socket);
    }
  });

  test('a link that was idle for more than a minute still works', async () => {
    const names = ['wss', 'wssStream', 'raw', 'plain', 'haproxy'] as const;
    const clients = await Promise.all(
      names.flatMap((name) => [false, true].map(async (isFar) => ({ name, client: await connect(name, isFar) }))),
    );
    for (const { client } of clients) assert.deepEqual(await client.ask('ping', {}), { alive: true });
    const lost: string[] = [];
    for (const { name, client } of clients)
      void once(client instanceof FrameClient ? client.ws : (client as WireClient).stream, 'close').then(() =>
        lost.push(name),
      );
    await pause(IDLE_MS);
    assert.deepEqual(lost, []);
    for (const { name, client } of clients) {
      assert.deepEqual(await client.ask('ping', {}), { alive: true }, name);
      assert.equal(await client.ask('get', { method: 'M', taskhash: 'none' }), null, name);
    }
  });
});
