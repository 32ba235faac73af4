import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { readServerCredentials } from '../../lib/asyncrpc/transport/tls/credentials.ts';
import { expiryWarning, watchExpiry } from '../../lib/asyncrpc/transport/tls/expiry.ts';
import { clientTls, type TlsTrust } from '../../lib/asyncrpc/transport/tls/trust.ts';
import { SILENT } from '../../lib/log.ts';
import { temporaryFolder } from '../helpers.ts';
import { issue, selfSignedCertificate, writeCertificate } from '../wire/certificate.ts';

const DAY_MS = 86_400_000;

/** The files of a good certificate, and how to spoil them. */
function prepared(t: TestContext) {
  const folder = temporaryFolder(t);
  const authority = issue({ commonName: 'authority' });
  const own = issue({ commonName: 'server', hosts: ['localhost'], issuer: authority, days: 30 });
  const files = writeCertificate(folder, 'server', own);
  const { certFile: clientCaFile } = writeCertificate(folder, 'ca', authority);
  const write = (name: string, text: string, mode = 0o600) => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, text);
    fs.chmodSync(file, mode);
    return file;
  };
  return { folder, authority, own, write, files: { ...files, clientCaFile } };
}

type Prepared = ReturnType<typeof prepared>;

const WRONG: readonly (readonly [what: string, spoil: (given: Prepared) => object, says: RegExp])[] = [
  [
    'a certificate that is not there',
    () => ({ certFile: '/no/c.pem' }),
    /cannot read certificates from \/no\/c\.pem: /,
  ],
  ['a key that is not there', () => ({ keyFile: '/no/k.pem' }), /TLS key: cannot read \/no\/k\.pem: no such file/],
  [
    'the key of another certificate',
    ({ write }) => ({ keyFile: write('other.key', issue({ commonName: 'x' }).key) }),
    /the key \S+other\.key is not that of the certificate \S+server\.pem/,
  ],
  [
    'an expired certificate',
    ({ folder, authority }) => writeCertificate(folder, 'old', issue({ commonName: 'x', issuer: authority, days: -2 })),
    /the certificate \S+old\.pem expired on \d{4}-\d\d-\d\d$/,
  ],
  [
    'a key where the certificate belongs',
    ({ files }) => ({ certFile: files.keyFile }),
    /server\.key holds a private key and no certificate/,
  ],
  [
    'a certificate where the key belongs',
    ({ write, own }) => ({ keyFile: write('k', own.cert) }),
    /k holds a certificate and no private key: a PEM file with "-----BEGIN PRIVATE KEY-----" was expected/,
  ],
  ['no key at all', ({ write }) => ({ keyFile: write('k', 'nothing') }), /k holds no private key: a PEM file/],
  [
    'an encrypted key',
    ({ write, own }) => {
      const key = createPrivateKey(own.key);
      const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' } as const;
      return { keyFile: write('k', key.export(options).toString()) };
    },
    /the key \S+k is encrypted, .*openssl pkey -in/,
  ],
  [
    'a certificate that is cut off',
    ({ write, own }) => ({ certFile: write('c', own.cert.slice(0, 300)) }),
    /c holds a certificate without an end: is it cut off\?/,
  ],
  [
    'a certificate that is damaged',
    ({ write, own }) => ({
      certFile: write('c', own.cert.replace(/^.{64}\n/m, '\n').replace(/(BEGIN[^\n]*\n)[^\n]*\n/, '$1')),
    }),
    /c holds a certificate that cannot be read/,
  ],
  [
    'a key that is cut off',
    ({ write, own }) => ({ keyFile: write('k', own.key.slice(0, 80)) }),
    /the private key in \S+k cannot be read/,
  ],
  [
    'authorities of clients that are none',
    ({ write }) => ({ clientCaFile: write('a', 'nothing') }),
    /a holds no certificate/,
  ],
];

describe('the files of a listener with TLS', () => {
  test('are read, with the day the certificate expires', (t) => {
    const { files } = prepared(t);
    const { expires } = readServerCredentials(files);
    const days = (expires.getTime() - Date.now()) / DAY_MS;
    assert.ok(days > 29 && days <= 30, `${days}`);
    readServerCredentials({ ...files, clientCaFile: null });
  });

  for (const [what, spoil, says] of WRONG) {
    test(`${what} is refused by name`, (t) => {
      const given = prepared(t);
      assert.throws(() => readServerCredentials({ ...given.files, ...spoil(given) }), {
        code: 'config-error',
        message: says,
      });
    });
  }

  test('a certificate that is not valid yet is refused', (t) => {
    const { files } = prepared(t);
    const early = Date.now() - 31 * DAY_MS;
    assert.throws(
      () => readServerCredentials(files, early),
      /server\.pem is not valid before .*: is the clock right\?/,
    );
  });

  test('a key that others may read or write is refused, one that its group may read is taken', (t) => {
    const { files, write, own } = prepared(t);
    for (const mode of [0o604, 0o602, 0o644, 0o620]) {
      const keyFile = write('k', own.key, mode);
      assert.throws(
        () => readServerCredentials({ ...files, keyFile }),
        /others may read or write \S+k \(its mode is 06/,
      );
    }
    readServerCredentials({ ...files, keyFile: write('k', own.key, 0o640) });
  });

  test('all that is wrong is named at once', (t) => {
    const { files, write } = prepared(t);
    const spoilt = { certFile: '/no/c.pem', keyFile: write('k', 'nothing', 0o644), clientCaFile: files.keyFile };
    assert.throws(
      () => readServerCredentials(spoilt),
      /\/no\/c\.pem.*; .*others may read.*; .*server\.key holds a private/,
    );
  });

  test('what a client shows is a certificate with its key', (t) => {
    const { files } = prepared(t);
    const { certFile, keyFile } = files;
    assert.ok(clientTls({ certFile, keyFile }).secureContext);
    assert.throws(() => clientTls({ certFile }), /server\.pem is given without its key/);
    assert.throws(() => clientTls({ keyFile }), /server\.key is given without its certificate/);
    assert.throws(() => clientTls({ certFile, keyFile: '/no/k' }), /cannot read \/no\/k/);
  });

  test('the same files are made ready once, and others, or with other texts, again', (t) => {
    const { files, write } = prepared(t);
    const { certFile, keyFile } = files;
    const other = selfSignedCertificate('other.example');
    const caFile = write('ca.pem', other.cert);
    const context = (trust: TlsTrust) => clientTls(trust).secureContext!;
    const first = context({ caFile });
    assert.equal(context({ caFile }), first);
    const shown = context({ caFile, certFile, keyFile });
    assert.equal(context({ caFile, certFile, keyFile }), shown);
    const anybody = context({ anyServer: true });
    assert.equal(new Set([first, shown, anybody, context({}), context({ certFile, keyFile })]).size, 5);
    write('ca.pem', selfSignedCertificate('another.example').cert);
    assert.notEqual(context({ caFile }), first);
    write('ca.pem', other.cert);
    assert.equal(context({ caFile }), first);
    // No more are kept than a server may need.
    for (let i = 0; i < 8; i++) {
      write('ca.pem', selfSignedCertificate(`${i}.example`).cert);
      context({ caFile });
    }
    write('ca.pem', other.cert);
    assert.notEqual(context({ caFile }), first);
  });
});

describe('a certificate that expires', () => {
  const at = (days: number) => ({ file: 'c.pem', expires: new Date(days * DAY_MS) });

  test('is warned of from 14 days on', () => {
    assert.equal(expiryWarning(at(15), 1 * DAY_MS), null);
    assert.match(
      expiryWarning(at(15), 1 * DAY_MS + 1)!,
      /the certificate c\.pem expires on 1970-01-16, in 13 days: renew/,
    );
    assert.match(expiryWarning(at(15), 13.5 * DAY_MS)!, /in 1 day:/);
    assert.match(expiryWarning(at(15), 14.5 * DAY_MS)!, /in 0 days:/);
    assert.match(expiryWarning(at(15), 15 * DAY_MS)!, /the certificate c\.pem expired on 1970-01-16/);
  });

  test('is warned of at the start and once a day, once for all its listeners, until it is renewed', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    let now = 0;
    const warnings: string[] = [];
    const log = { ...SILENT, warn: (message: string) => void warnings.push(message) };
    const certificate = { file: 'c.pem', expires: new Date(15 * DAY_MS) };
    const watch = watchExpiry([certificate, { ...certificate }, at(1000)], log, () => now);
    const pass = (days: number) => {
      for (let day = 0; day < days; day++) {
        now += DAY_MS;
        t.mock.timers.tick(DAY_MS);
      }
    };
    assert.equal(warnings.length, 0);
    pass(3);
    assert.equal(warnings.length, 2, warnings.join('\n'));
    const renewed = watchExpiry([{ file: 'c.pem', expires: new Date(100 * DAY_MS) }], log, () => now);
    watch.close();
    pass(5);
    assert.equal(warnings.length, 2);
    renewed.close();
  });
});
