import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { issue, writeCertificate } from './certificate.ts';
import { hash, METHOD } from './helpers.ts';
import { recordLog } from './log-recorder.ts';
import { type SecureServer, secureServer } from './tls-helpers.ts';
import { type Site, site, stream } from './upstream-helpers.ts';

const task = (n: number) => ({ method: METHOD, taskhash: `t${n}` });

/** A busy machine must not make it late. */
const PATIENT = { 'upstream-timeout': 60, 'upstream-report-timeout': 60, 'upstream-connect-timeout': 60 };

/** Asks, and is answered without the upstream, until the log says of it what is expected. */
async function missUntil(lower: Site, told: Promise<string>): Promise<void> {
  let isTold = false;
  const telling = told.then(() => {
    isTold = true;
  });
  const client = lower.hash();
  for (let n = 0; !isTold; n = (n + 2) % 50) assert.equal(await client.ask('get', task(n)), null);
  await telling;
}

/** A server that asks the secure one, and tells its log. */
async function below(t: TestContext, upper: SecureServer, flags: Record<string, unknown>) {
  const recorded = recordLog();
  const common = { ca: upper.caFile, ...PATIENT };
  const lower = await site(t, `tls://localhost:${upper.port}`, { ...common, ...flags }, { log: recorded.log });
  return { ...recorded, lower };
}

async function filled(t: TestContext, clientCertificates: boolean): Promise<SecureServer> {
  const upper = await secureServer(t, { clientCertificates });
  const shown = clientCertificates ? issue({ commonName: 'x', issuer: upper.authority }) : {};
  const client = upper.connect(shown);
  for (let n = 0; n < 50; n += 2) await client.ask('report-equiv', { ...task(n), unihash: hash(n) });
  const values = upper.connect(shown, 'PRSERVICE 1.0');
  await values.ask('import-one', { version: 'p-1-r0', pkgarch: 'a', checksum: 'c', value: '7' });
  return upper;
}

describe('an upstream at a tls:// address', { concurrency: 4 }, () => {
  for (const clientCertificates of [false, true]) {
    const how = clientCertificates ? 'is shown our certificate, and asked' : 'is asked';
    test(`${how} for look-ups, in streams too, and for PR values`, async (t) => {
      const upper = await filled(t, clientCertificates);
      const own = writeCertificate(upper.folder, 'lower', issue({ commonName: 'lower', issuer: upper.authority }));
      const shown = { 'upstream-tls-cert': own.certFile, 'upstream-tls-key': own.keyFile };
      const { lower } = await below(t, upper, clientCertificates ? shown : {});
      assert.deepEqual(await lower.hash().ask('get', task(2)), { ...task(2), unihash: hash(2) });
      const asked = Array.from({ length: 50 }, (_, n) => n);
      assert.deepEqual(
        await stream(
          lower.hash(),
          'get-stream',
          asked.map((n) => `${METHOD} t${n}`),
        ),
        asked.map((n) => (n % 2 === 0 ? hash(n) : '')),
      );
      const version = { version: 'p-1-r0', pkgarch: 'a' };
      assert.deepEqual(await lower.pr().ask('get-pr', { ...version, checksum: 'c' }), { value: '7' });
      assert.deepEqual(await lower.pr().ask('get-pr', { ...version, checksum: 'new' }), { value: '7.0' });
    });
  }

  test('that wants a certificate, and gets none, is as one that is away, and the log says so', async (t) => {
    const upper = await filled(t, true);
    const { lower, line } = await below(t, upper, {});
    // It may find nobody at the other end before it reads what was wanted of it.
    await missUntil(lower, line(/upstream does not answer: look-ups are answered locally .*reason=/));
  });

  test('whose certificate is for another host, or of nobody we trust, is as one that is away', async (t) => {
    const upper = await filled(t, false);
    const elsewhere = await site(t, `tls://127.0.0.1:${upper.port}`, { ca: upper.caFile, ...PATIENT });
    assert.equal(await elsewhere.hash().ask('get', task(2)), null);
    const { lower, line } = await below(t, upper, {
      ca: writeCertificate(upper.folder, 'x', issue({ commonName: 'x' })).certFile,
    });
    await missUntil(lower, line(/upstream does not answer.*its certificate is not trusted/));
  });
});
