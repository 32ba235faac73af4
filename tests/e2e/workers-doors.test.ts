import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Client, connectClient } from '../../lib/asyncrpc/client/client.ts';
import { parseAddress } from '../../lib/asyncrpc/transport/address.ts';
import type { ServerStatus } from '../../lib/cli/process/control.ts';
import { askStatus } from '../../lib/cli/process/control-client.ts';
import { type Certificate, issue, writeCertificate } from '../wire/certificate.ts';
import { eventually } from './helpers.ts';
import { createHome, type Home, LAUNCHER, output } from './home-helpers.ts';
import { fakeNotify } from './notify-helpers.ts';
import { WITHIN_MS } from './workers-helpers.ts';

/** Connects a client to each worker: of those with the same number of clients, they get them in turn. */
async function oneForEach(address: string, caFile: string): Promise<[Client, Client]> {
  const connect = () => connectClient(parseAddress(address), { protocol: 'OEHASHEQUIV 1.1', caFile, reconnects: 0 });
  return [await connect(), await connect()];
}

const mark = (client: Client) => client.invoke('gc-mark', { mark: 'm', where: {} });

/** The status of an HTTPS request on a connection of its own. */
async function healthz(port: number, ca: string): Promise<number | undefined> {
  const options = { port, host: 'localhost', path: '/healthz', ca: fs.readFileSync(ca), agent: false } as const;
  const [response] = await once(https.get(options), 'response');
  response.resume();
  return response.statusCode;
}

/** A service of two workers, as systemd starts one, with a listener of each kind. */
async function service(t: TestContext, home: Home, notifyPath: string) {
  const script = 'export SYSTEMD_EXEC_PID=$$ WATCHDOG_PID=$$; exec "$0" "$@"';
  const { spawn } = await import('node:child_process');
  const child = spawn('/bin/sh', ['-c', script, process.execPath, LAUNCHER, 'serve', '--self-check'], {
    cwd: home.folder,
    env: {
      ...home.env,
      PATH: notifyPath,
      NOTIFY_SOCKET: '/run/systemd/notify',
      WATCHDOG_USEC: '400000',
      BAKESERV_WORKERS: '2',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const said = await output(child, /(answered .*\n){4}/);
  const control = path.join(home.tmp, `bakeserv-${process.getuid!()}`, `${child.pid}.sock`);
  return {
    child,
    said,
    stderr: () => stderr,
    logged: (pattern: RegExp) => eventually(WITHIN_MS, async () => assert.match(stderr, pattern)),
    async status(): Promise<ServerStatus> {
      const status = await askStatus(control);
      assert.ok(status);
      return status;
    },
  };
}

test('a service of two workers: every kind of listener, its checks, its watchdog, and new rights and certificates for both, also for one that comes later', async (t) => {
  const home = createHome(t);
  const authority = issue({ commonName: 'authority' });
  const { certFile: ca } = writeCertificate(home.folder, 'ca', authority);
  const certify = (name: string, host: string): Certificate =>
    issue({ commonName: name, hosts: [host], issuer: authority });
  const configure = (rights: string, certificate: string, more = '') => {
    const binds = ['tls', 'ws', 'https'].map((kind) => `  - ${kind}://127.0.0.1:0\n`).join('');
    fs.writeFileSync(
      path.join(home.folder, 'bakeserv.yaml'),
      `bind:\n  - "unix://./s${rights}"\n${binds}tls-cert: ${certificate}.pem\ntls-key: ${certificate}.key\n${more}`,
    );
  };
  writeCertificate(home.folder, 'first', certify('first', 'localhost'));
  configure('', 'first');
  const manager = fakeNotify(t);
  const server = await service(t, home, manager.path);
  await manager.said(/READY=1/);
  await manager.said(/WATCHDOG=1/);
  const port = (kind: string) => Number(new RegExp(`listening ${kind}://127\\.0\\.0\\.1:(\\d+)`).exec(server.said)![1]);
  const unix = `unix://${home.folder}/s`;
  const [tls, ws] = [`tls://localhost:${port('tls')}`, `ws://127.0.0.1:${port('ws')}`];

  for (const address of [unix, tls, ws]) {
    const clients = await oneForEach(address, ca);
    for (const client of clients) assert.deepEqual(await mark(client), { count: 0 });
    const { workers } = await server.status();
    assert.deepEqual(
      workers!.map(({ clients }) => clients),
      [1, 1],
    );
    for (const client of clients) client.close();
    // Through every layer the end of a client is seen, and it is counted no longer.
    await eventually(WITHIN_MS, async () => assert.equal((await server.status()).clients, 0));
  }
  for (let i = 0; i < 2; i++) assert.equal(await healthz(port('https'), ca), 200);
  await eventually(WITHIN_MS, async () => assert.equal((await server.status()).clients, 0));

  // Wrong settings change nothing, on neither.
  configure(',read-only', 'first', 'log-level: loud\n');
  server.child.kill('SIGHUP');
  await server.logged(/SIGHUP: the settings are wrong, those from before stay: .*loud/);
  for (const client of await oneForEach(unix, ca)) {
    assert.deepEqual(await mark(client), { count: 0 });
    client.close();
  }

  const old = await oneForEach(tls, ca);
  writeCertificate(home.folder, 'second', certify('second', 'elsewhere.example'));
  configure(',read-only', 'second');
  server.child.kill('SIGHUP');
  await server.logged(/SIGHUP: .*taken over: the rights of listeners, the certificates of listeners/);
  for (const client of old) {
    assert.deepEqual(await client.invoke('ping', {}), { alive: true });
    client.close();
  }
  // As after a renewal under another name: whoever starts later must not need the first.
  for (const file of ['first.pem', 'first.key']) fs.rmSync(path.join(home.folder, file));
  const isNew = async () => {
    await eventually(WITHIN_MS, async () => assert.equal((await server.status()).clients, 0));
    for (const client of await oneForEach(unix, ca)) {
      await assert.rejects(mark(client), /read-only/);
      client.close();
    }
    for (let i = 0; i < 2; i++) await assert.rejects(oneForEach(tls, ca), /certificate is for another host/);
  };
  await isNew();

  const { workers: before } = await server.status();
  process.kill(before![0]!.pid, 'SIGKILL');
  await eventually(WITHIN_MS, async () => {
    const { workers } = await server.status();
    assert.equal(workers!.length, 2);
    assert.ok(!workers!.some(({ pid }) => pid === before![0]!.pid));
  });
  await isNew();
  server.child.kill('SIGTERM');
  assert.deepEqual(await once(server.child, 'close'), [0, null], server.stderr());
  await manager.said(/STOPPING=1/);
});
