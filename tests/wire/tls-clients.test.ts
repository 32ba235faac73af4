import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import { parseAddress } from '../../lib/asyncrpc/transport/address.ts';
import { dialWebSocket } from '../../lib/asyncrpc/transport/websocket/client.ts';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { issue, writeCertificate } from './certificate.ts';
import { hash, METHOD, refusal, WireClient } from './helpers.ts';
import { type SecureServer, secureServer } from './tls-helpers.ts';
import { FrameClient } from './websocket-helpers.ts';

const PROTOCOL = 'OEHASHEQUIV 1.1';
const ADMIN = { 'admin-user': 'boss', 'admin-password': 'secret' };

/** A server whose clients need a certificate, with users; and the certificates of some. */
async function certified(t: TestContext, flags: Record<string, unknown> = {}) {
  const server = await secureServer(t, {
    clientCertificates: true,
    flags: { ...ADMIN, 'anon-perms': '@read', ...flags },
  });
  const certificateOf = (commonName: string) => issue({ commonName, issuer: server.authority });
  const as = (commonName: string) => server.connect(certificateOf(commonName));
  const boss = as('boss');
  const users = { sweeper: ['@db-admin'], builder: ['@report'] };
  for (const [username, permissions] of Object.entries(users)) await boss.ask('new-user', { username, permissions });
  return { ...server, certificateOf, as, boss };
}

const mayWhat = async (client: WireClient) => {
  const allowed = async (command: string, args: Json) => {
    const reply = JSON.stringify(await client.ask(command, args));
    return reply.includes('is not allowed to access') ? null : command;
  };
  const report = { method: METHOD, taskhash: 't', outhash: 'o', unihash: hash(1) };
  const tried = [
    await allowed('get', { method: METHOD, taskhash: 't' }),
    await allowed('report-equiv', { method: METHOD, taskhash: 't', unihash: report.unihash }),
    await allowed('gc-status', {}),
    await allowed('get-all-users', {}),
  ];
  return tried.filter((command) => command !== null);
};

describe('where clients must have certificates', { concurrency: 4 }, () => {
  test('the name of a user gives that user’s rights, without a login, and no others', async (t) => {
    const { as, boss } = await certified(t);
    assert.deepEqual(await mayWhat(boss), ['get', 'report-equiv', 'gc-status', 'get-all-users']);
    assert.deepEqual(await mayWhat(as('sweeper')), ['get', 'gc-status']);
    assert.deepEqual(await mayWhat(as('builder')), ['get', 'report-equiv']);
  });

  test('a name that is no user’s gives what everybody has, with a warning', async (t) => {
    const { as, line } = await certified(t);
    for (const name of ['nobody', 'BOSS', 'boss ', '@all', "' OR 1=1 --"]) {
      assert.deepEqual(await mayWhat(as(name)), ['get'], name);
    }
    await line(/^warn the certificate names no user: anonymous rights peer=127\S+ user=anonymous name=nobody/);
  });

  test('a name that cannot be a user’s is none', async (t) => {
    const { as, line } = await certified(t);
    for (const name of ['boss\0', 'x'.repeat(300), ' \n']) assert.deepEqual(await mayWhat(as(name)), ['get']);
    await line(/^warn a client certificate names no user \(CN\): anonymous rights peer=127/);
  });

  test('what was reported is owned by the user of the certificate', async (t) => {
    const { as } = await certified(t);
    const row = { method: METHOD, taskhash: 't', outhash: 'o' };
    const builder = as('builder');
    await builder.ask('report', { ...row, unihash: hash(1), owner: 'somebody' });
    const found = (await builder.ask('get-outhash', row)) as { owner: string };
    assert.equal(found.owner, 'builder');
  });

  test('no certificate, one of another authority, and one that has expired get nothing', async (t) => {
    const { connect, authority, line } = await certified(t);
    const other = issue({ commonName: 'Test Authority' });
    // By name only: its issuer has another key.
    const strangers = [{}, issue({ commonName: 'boss', issuer: other }), issue({ commonName: 'boss' }), other];
    for (const shown of [...strangers, issue({ commonName: 'boss', issuer: authority, days: -1 })]) {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const client = connect({ ...shown, maxVersion: version });
        client.send('{"get-all-users": null}\n');
        assert.equal(await client.rest(), '');
      }
    }
    await line(/^warn TLS handshake failed .*peer did not return a certificate/);
    await line(/^warn TLS handshake failed .*the certificate of the client is not trusted: certificate has expired/);
  });

  test('rights follow the user while the client is connected', async (t) => {
    const { as, boss } = await certified(t);
    const builder = as('builder');
    assert.deepEqual(await mayWhat(builder), ['get', 'report-equiv']);
    await boss.ask('set-user-perms', { username: 'builder', permissions: ['@db-admin'] });
    assert.deepEqual(await mayWhat(builder), ['get', 'gc-status']);
    // Another token is no matter of the certificate.
    await boss.ask('refresh-token', { username: 'builder' });
    assert.deepEqual(await mayWhat(builder), ['get', 'gc-status']);
    await boss.ask('delete-user', { username: 'builder' });
    assert.deepEqual(await mayWhat(builder), ['get']);
    await boss.ask('new-user', { username: 'builder', permissions: ['@report'] });
    assert.deepEqual(await mayWhat(builder), ['get', 'report-equiv']);
  });

  test('a login with a token goes before the certificate, and what the token gave ends with it', async (t) => {
    const { as, boss } = await certified(t);
    const made = (await boss.ask('refresh-token', { username: 'sweeper' })) as { token: string };
    const client = as('builder');
    await client.ask('auth', { username: 'sweeper', token: made.token });
    assert.deepEqual(await mayWhat(client), ['get', 'gc-status']);
    await boss.ask('refresh-token', { username: 'sweeper' });
    assert.deepEqual(await mayWhat(client), ['get', 'report-equiv']);
  });

  test('where everybody else may do nothing, a long first message is taken', async (t) => {
    const { as, connect, certificateOf } = await certified(t, { 'anon-perms': '@none' });
    const builder = as('builder');
    const row = { method: METHOD, taskhash: 't', outhash: 'o', unihash: hash(1) };
    assert.match(refusal(await builder.ask('get-stats', null)), /builder is not allowed to access.*@read/);
    const long = { ...row, outhash_siginfo: 'x'.repeat(1_000_000) };
    assert.match(refusal(await connect(certificateOf('nobody')).ask('report', long)), /Anonymous user is not allowed/);
  });

  test('a proxy’s certificate is not that of the clients it names', async (t) => {
    const { server, caFile, certificateOf } = await certified(t, {
      bind: ['tls://127.0.0.1:0', 'wss://127.0.0.1:0'],
      'trust-proxy': '127.0.0.1',
    });
    const { address } = server.listeners[1]!;
    assert(address.kind === 'ws');
    const { cert, key } = certificateOf('boss');
    const ask = async (headers: Record<string, string>) => {
      const tls = { ca: fs.readFileSync(caFile), cert, key, servername: 'localhost', headers };
      const client = await FrameClient.open(`wss://localhost:${address.port}`, tls);
      const reply = await client.ask('get-all-users', {});
      client.ws.terminate();
      return JSON.stringify(reply);
    };
    assert.match(await ask({}), /Anonymous user is not allowed/, 'a proxy that does not say for whom it asks');
    assert.match(await ask({ 'X-Forwarded-For': '203.0.113.7' }), /Anonymous user is not allowed/);
  });

  test('the client library shows a certificate, also over wss://', async (t) => {
    const { folder, certificateOf, caFile, port } = await certified(t);
    const files = writeCertificate(folder, 'builder', certificateOf('builder'));
    const options = { protocol: PROTOCOL, caFile, ...files };
    const client = await connectClient(parseAddress(`tls://localhost:${port}`), options);
    t.after(() => client.close());
    const row = { method: METHOD, taskhash: 't', unihash: hash(1) };
    assert.deepEqual(await client.invoke('report-equiv', row), row);

    const web = await certified(t, { bind: ['tls://127.0.0.1:0', 'wss://127.0.0.1:0'] });
    const shown = writeCertificate(folder, 'sweeper', web.certificateOf('sweeper'));
    assert.deepEqual(await mayWhat(await overWebSocket(t, web, shown)), ['get', 'gc-status']);
    await assert.rejects(
      overWebSocket(t, web, {}),
      /cannot connect to wss:.*(the server wants a certificate|it hung up)/,
    );
  });

  test('a client without a certificate is told what is missing, as a rule', async (t) => {
    const { port, caFile } = await certified(t);
    const options = { protocol: PROTOCOL, caFile, reconnects: 0 };
    for (;;) {
      const client = await connectClient(parseAddress(`tls://localhost:${port}`), options);
      const why = await client.invoke('ping', {}).then(
        () => assert.fail('it was answered'),
        (error) => String(error),
      );
      client.close();
      if (/the server wants a certificate.*--tls-cert and --tls-key/.test(why)) return;
      // It may learn that nobody listens to it any more before it reads why.
      assert.match(why, /was lost|was closed|lost: (broken pipe|connection reset)/);
    }
  });
});

/** By the server's second listener. */
async function overWebSocket(t: TestContext, { server, caFile }: SecureServer, shown: object): Promise<WireClient> {
  const { address } = server.listeners[1]!;
  assert(address.kind === 'ws');
  const options = { timeoutMs: 10_000, maxMessageBytes: 1_000_000, trust: { caFile, ...shown } };
  const stream = await dialWebSocket({ ...address, host: 'localhost' }, options);
  t.after(() => void stream.destroy());
  return new WireClient(stream).handshake();
}
