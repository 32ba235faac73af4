import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import { parseAddress } from '../../lib/asyncrpc/transport/address.ts';
import { type CertificateRequest, issue, writeCertificate } from '../wire/certificate.ts';
import { createHome, output } from './home-helpers.ts';

const PROTOCOL = 'OEHASHEQUIV 1.1';

/** A home with an authority, and the certificates that it issues. */
function prepared(t: TestContext) {
  const home = createHome(t);
  const authority = issue({ commonName: 'authority' });
  const { certFile: ca } = writeCertificate(home.folder, 'ca', authority);
  const write = (name: string, request: Partial<CertificateRequest> = {}) =>
    writeCertificate(
      home.folder,
      name,
      issue({ commonName: name, hosts: ['localhost'], issuer: authority, ...request }),
    );
  return { home, ca, write };
}

const certificate = ['--tls-cert', 'server.pem', '--tls-key', 'server.key'];

async function portOf(child: ChildProcess): Promise<number> {
  const text = await output(child, /listening (tls|wss):\/\/127\.0\.0\.1:(\d+)/);
  return Number(/127\.0\.0\.1:(\d+)/.exec(text)![1]);
}

describe('bakeserv serve with TLS', { concurrency: 2 }, () => {
  test('takes a renewed certificate on SIGHUP, keeps its clients, and says which file is wrong', async (t) => {
    const { home, ca, write } = prepared(t);
    write('server');
    const child = home.start(['serve', '--bind', 'tls://127.0.0.1:0', ...certificate]);
    const errors: string[] = [];
    child.stderr!.setEncoding('utf8').on('data', (text: string) => errors.push(text));
    const address = parseAddress(`tls://localhost:${await portOf(child)}`);
    const connect = () => connectClient(address, { protocol: PROTOCOL, caFile: ca, reconnects: 0 });
    const before = await connect();
    t.after(() => before.close());
    assert.deepEqual(await before.invoke('ping', {}), { alive: true });
    const reloaded = async (says: RegExp) => {
      child.kill('SIGHUP');
      while (!says.test(errors.join(''))) await new Promise((resolve) => child.stderr!.once('data', resolve));
      errors.length = 0;
    };
    fs.writeFileSync(path.join(home.folder, 'server.pem'), 'no certificate');
    await reloaded(/SIGHUP: the settings are wrong, those from before stay: .*server\.pem holds no certificate/);
    (await connect()).close();
    // For another host: whoever connects now sees it.
    write('server', { hosts: ['elsewhere.example'] });
    await reloaded(/SIGHUP: .*taken over: the certificates of listeners/);
    await assert.rejects(connect(), /certificate is for another host/);
    assert.deepEqual(await before.invoke('ping', {}), { alive: true });
  });

  test('is checked and asked without trust in its name, also where it wants a certificate', async (t) => {
    const { home, write } = prepared(t);
    write('server', { days: 5 });
    const binds = ['--bind', 'tls://127.0.0.1:0', '--bind', 'wss://127.0.0.1:0,tls-client-ca=ca.pem'];
    const child = home.start(['serve', '--self-check', ...binds, ...certificate]);
    const said = await output(child, /answered wss:.*\n/);
    assert.match(said, /answered tls:\S+ OEHASHEQUIV 1\.1: \{"ping": \{\}\} -> \{"alive": true\}; PRSERVICE/);
    assert.match(said, /answered wss:\S+ OEHASHEQUIV 1\.1: \{"ping": \{\}\} -> it wants a certificate; PRSERVICE/);
    const { status, stdout } = await home.bakeserv(['status', '--check']);
    assert.equal(status, 0);
    assert.match(stdout, /^ {2}address {3}wss:\S+: clients need a certificate; hash equivalence/m);
    assert.match(stdout, /^ {2}certificate {2}\S+\/build\/server\.pem, expires \d{4}-\d\d-\d\d$/m);
    const [server] = await home.servers();
    assert.equal(server!.certificates!.length, 2);
    assert.match(
      (await home.bakeserv(['config', 'check', ...binds, ...certificate])).stderr,
      /server\.pem expires on .*in 4 days/,
    );
  });

  test('is asked by our commands, with the authority and the certificate that they are given', async (t) => {
    const { home, ca, write } = prepared(t);
    write('server');
    write('client');
    const child = home.start(['serve', '--bind', 'tls://127.0.0.1:0', '--tls-client-ca', 'ca.pem', ...certificate]);
    const address = `tls://localhost:${await portOf(child)}`;
    const shown = ['--ca', ca, '--tls-cert', 'client.pem', '--tls-key', 'client.key'];
    for (const [program, to] of Object.entries({
      'bakeserv-hashclient': '--address',
      'bakeserv-prclient': '--server',
    })) {
      const run = (...args: string[]) =>
        home.run(process.execPath, [path.join(import.meta.dirname, `../../dist/bin/${program}.js`), ...args]);
      const asked = await run(to, address, ...shown, 'ping', '-n', '1');
      assert.deepEqual([asked.status, asked.stderr], [0, ''], program);
      const without = await run(to, address, '--ca', ca, 'ping', '-n', '1');
      assert.notEqual(without.status, 0);
      assert.match(
        without.stderr,
        /the server wants a certificate; name it with --tls-cert and --tls-key|connection to tls:\S+ (lost|was closed)/,
      );
      const half = await run(to, address, '--ca', ca, '--tls-cert', 'client.pem', 'ping');
      assert.notEqual(half.status, 0);
      assert.match(half.stderr, /client\.pem is given without its key/);
    }
  });

  const WRONG: readonly (readonly [what: string, args: readonly string[], says: RegExp])[] = [
    ['a certificate without a key', ['--tls-cert', 'server.pem'], /--tls-cert: its key is missing/],
    [
      'the key of another',
      ['--tls-cert', 'server.pem', '--tls-key', 'other.key'],
      /other\.key is not that of the certificate/,
    ],
    ['one that has expired', ['--tls-cert', 'old.pem', '--tls-key', 'old.key'], /old\.pem expired on/],
    [
      'an open key, and authorities that are not there',
      ['--tls-cert', 'open.pem', '--tls-key', 'open.key', '--tls-client-ca', 'no.pem'],
      /open\.key \(its mode is 0644\): chmod 600.*cannot read certificates from no\.pem/,
    ],
    [
      'a certificate for the upstream that is not there',
      [...certificate, '--upstream-tls-cert', 'no.pem', '--upstream-tls-key', 'server.key'],
      /cannot read certificates from no\.pem/,
    ],
  ];
  for (const [what, args, says] of WRONG) {
    test(`is refused with status 2, before a file is made, for ${what}`, async (t) => {
      const { home, write } = prepared(t);
      write('server');
      write('other');
      write('old', { days: -1 });
      fs.chmodSync(write('open').keyFile, 0o644);
      const before = fs.readdirSync(home.folder);
      for (const command of [['config', 'check'], ['serve']]) {
        const { status, stderr } = await home.bakeserv([...command, '--bind', 'tls://127.0.0.1:0', ...args]);
        assert.match(stderr, says);
        assert.equal(status, 2);
        assert.deepEqual(fs.readdirSync(home.folder), before);
      }
    });
  }
});
