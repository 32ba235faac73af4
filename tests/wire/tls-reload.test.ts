import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import type tls from 'node:tls';
import { type Certificate, issue, writeCertificate } from './certificate.ts';
import { configIn, type WireClient } from './helpers.ts';
import { type SecureServer, secureServer } from './tls-helpers.ts';

const NOTHING = { taken: [], later: [], faults: [] };
const TAKEN = { ...NOTHING, taken: ['the certificates of listeners'] };

/** A server, what renews its certificate, and what has it read its settings again. */
async function renewable(t: TestContext, clientCertificates = false, days = 30) {
  const server = await secureServer(t, { clientCertificates, certificate: { days } });
  const { folder, authority, files, caFile } = server;
  const settings = (more: object = {}) =>
    configIn(folder, {
      bind: ['tls://127.0.0.1:0'],
      'tls-cert': files.certFile,
      'tls-key': files.keyFile,
      'sync-mode': 'on_shutdown',
      ...(clientCertificates && { 'tls-client-ca': caFile }),
      ...more,
    });
  return {
    ...server,
    renew: (commonName: string, name = 'server', days = 30) =>
      writeCertificate(folder, name, issue({ commonName, hosts: ['localhost'], issuer: authority, days })),
    takeOver: (more: object = {}) => server.server.takeOver(settings(more)),
  };
}

/** The common name of the certificate that the server has shown. */
async function shownTo(client: WireClient): Promise<string> {
  assert.deepEqual(await client.ask('ping', {}), { alive: true });
  return String((client.stream as tls.TLSSocket).getPeerCertificate().subject.CN);
}

const expiryOf = ({ server }: SecureServer) => server.listeners[0]!.certificate!.expires.toISOString().slice(0, 10);
const dayFromNow = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

describe('new settings of a server with TLS', { concurrency: 4 }, () => {
  test('have those who connect see the new certificate, and those who are connected stay', async (t) => {
    const server = await renewable(t);
    const before = server.connect();
    assert.equal(await shownTo(before), 'server');
    assert.equal(expiryOf(server), dayFromNow(30));
    server.renew('renewed', 'server', 60);
    assert.deepEqual(await server.takeOver(), TAKEN);
    assert.equal(await shownTo(server.connect()), 'renewed');
    assert.equal(expiryOf(server), dayFromNow(60));
    assert.deepEqual(await before.ask('ping', {}), { alive: true });
    assert.deepEqual(await server.takeOver(), NOTHING);
  });

  test('may name other files', async (t) => {
    const server = await renewable(t);
    const { certFile, keyFile } = server.renew('other', 'other');
    assert.deepEqual(await server.takeOver({ 'tls-cert': certFile, 'tls-key': keyFile }), TAKEN);
    assert.equal(await shownTo(server.connect()), 'other');
    assert.equal(server.server.listeners[0]!.certificate!.file, certFile);
  });

  const spoilers: readonly (readonly [what: string, spoil: (server: SecureServer) => void, says: RegExp])[] = [
    [
      'only its certificate is there yet',
      ({ files, authority }) => fs.writeFileSync(files.certFile, issue({ commonName: 'x', issuer: authority }).cert),
      /the key \S+server\.key is not that of the certificate \S+server\.pem/,
    ],
    ['a file is gone', ({ files }) => fs.rmSync(files.certFile), /cannot read certificates from \S+server\.pem/],
    [
      'it has expired',
      ({ folder, authority }) =>
        void writeCertificate(folder, 'server', issue({ commonName: 'x', issuer: authority, days: -1 })),
      /the certificate \S+server\.pem expired/,
    ],
    [
      'others may read its key',
      ({ files }) => fs.chmodSync(files.keyFile, 0o644),
      /others may read or write \S+server\.key/,
    ],
  ];
  for (const [what, spoil, says] of spoilers) {
    test(`leave the old certificate in force where ${what}`, async (t) => {
      const server = await renewable(t);
      spoil(server);
      await assert.rejects(server.takeOver(), { code: 'config-error', message: says });
      assert.equal(await shownTo(server.connect()), 'server');
      server.renew('renewed');
      assert.deepEqual(await server.takeOver(), TAKEN);
      assert.equal(await shownTo(server.connect()), 'renewed');
    });
  }

  test('may let in the clients of another authority instead', async (t) => {
    const server = await renewable(t, true);
    const other = issue({ commonName: 'Other Authority' });
    const of = (issuer: Certificate) => issue({ commonName: 'somebody', issuer });
    const mine = of(server.authority);
    const before = server.connect(mine);
    assert.deepEqual(await before.ask('ping', {}), { alive: true });
    const { certFile } = writeCertificate(server.folder, 'other-ca', other);
    assert.deepEqual(await server.takeOver({ 'tls-client-ca': certFile }), TAKEN);
    assert.deepEqual(await before.ask('ping', {}), { alive: true });
    const refused = server.connect(mine);
    refused.send('{"ping": {}}\n');
    assert.equal(await refused.rest(), '');
    assert.deepEqual(await server.connect(of(other)).ask('ping', {}), { alive: true });
  });

  test('that let in the clients of another authority let nobody resume a session of the old', async (t) => {
    const server = await renewable(t, true);
    const mine = issue({ commonName: 'somebody', issuer: server.authority });
    const before = server.connect({ ...mine, maxVersion: 'TLSv1.2' });
    assert.deepEqual(await before.ask('ping', {}), { alive: true });
    const session = (before.stream as tls.TLSSocket).getSession()!;
    const again = server.connect({ ...mine, maxVersion: 'TLSv1.2', session });
    assert.deepEqual(await again.ask('ping', {}), { alive: true });
    assert.equal((again.stream as tls.TLSSocket).isSessionReused(), true, 'sessions are resumed');
    const { certFile } = writeCertificate(server.folder, 'other-ca', issue({ commonName: 'Other Authority' }));
    assert.deepEqual(await server.takeOver({ 'tls-client-ca': certFile }), TAKEN);
    const stale = server.connect({ ...mine, maxVersion: 'TLSv1.2', session });
    stale.send('{"ping": {}}\n');
    assert.equal(await stale.rest(), '');
  });

  test('that ask for client certificates, or no longer do, wait for a restart', async (t) => {
    const { takeOver, caFile, connect } = await renewable(t);
    const { later } = await takeOver({ 'tls-client-ca': caFile });
    assert.equal(later.length, 1);
    assert.match(later[0]!, /^bind \(tls:/);
    assert.deepEqual(await connect().ask('ping', {}), { alive: true });
  });

  test('with a certificate that expires soon are warned of, and so is the start', async (t) => {
    const server = await renewable(t, false, 13);
    await server.line(/^warn the certificate \S+server\.pem expires on \S+, in 12 days: renew it, then send SIGHUP$/);
    const { certFile } = server.renew('soon', 'server', 3);
    await server.takeOver();
    await server.line(new RegExp(`^warn the certificate ${certFile} expires on \\S+, in 2 days`));
  });
});
