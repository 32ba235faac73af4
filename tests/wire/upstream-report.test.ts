import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeUpstream, unihashOf } from './fake-upstream.ts';
import { recorder, site } from './upstream-helpers.ts';

const own = (n: number) => n.toString(16).padStart(64, '0');
const report = (n: number) => ({ method: 'm', taskhash: `t${n}`, outhash: `a-known-upstream${n}`, unihash: own(n) });
const taken = (n: number) => ({ method: 'm', taskhash: `t${n}`, unihash: unihashOf(`m t${n}`) });
const proposed = (n: number) => ({ method: 'm', taskhash: `t${n}`, unihash: own(n) });
/** No test waits for so long. */
const NEVER_S = 3600;

/** A gate for the fake upstream's answers. */
function gate(): { readonly closed: Promise<void>; open(): void } {
  let open = () => {};
  const closed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { closed, open };
}

test('a report waits longer for the upstream than a look-up, which it does not hold up', async (t) => {
  const fake = await fakeUpstream(t);
  const slow = gate();
  fake.gate = slow.closed;
  const server = await site(t, fake.address, { 'upstream-timeout': 0.2, 'upstream-report-timeout': NEVER_S });
  const waiting = server.hash().ask('report', report(1));
  assert.equal(
    await server.hash().ask('get', { method: 'm', taskhash: 'a-look-up' }),
    null,
    'after its own time limit',
  );
  slow.open();
  assert.deepEqual(await waiting, taken(1));
});

test('a report waits beside look-ups of an upstream that answers those at once', async (t) => {
  const fake = await fakeUpstream(t);
  const slow = gate();
  fake.gate = slow.closed;
  fake.gates = (command) => command === 'get-outhash';
  const server = await site(t, fake.address, { 'upstream-timeout': NEVER_S, 'upstream-report-timeout': NEVER_S });
  const waiting = server.hash().ask('report', report(1));
  const found = { method: 'm', taskhash: 'a-look-up', unihash: unihashOf('m a-look-up') };
  assert.deepEqual(await server.hash().ask('get', { method: 'm', taskhash: 'a-look-up' }), found);
  slow.open();
  assert.deepEqual(await waiting, taken(1));
});

test('a report goes on waiting while look-ups are too late but a ping is answered', async (t) => {
  const fake = await fakeUpstream(t);
  const slow = gate();
  fake.gate = slow.closed;
  fake.gates = (command) => command !== 'ping';
  const log = recorder();
  const flags = { 'upstream-timeout': 0.2, 'upstream-report-timeout': NEVER_S };
  const server = await site(t, fake.address, flags, { log });
  const waiting = server.hash().ask('report', report(1));
  for (let n = 0; log.count('upstream answers again') === 0; n++) {
    assert.equal(await server.hash().ask('get', { method: 'm', taskhash: `a${n}` }), null);
    await new Promise(setImmediate);
  }
  assert.equal(log.count('upstream does not answer'), 1);
  slow.open();
  assert.deepEqual(await waiting, taken(1));
});

for (const mode of ['refused', 'hanging after connect', 'hanging mid-stream'] as const) {
  test(`with an upstream ${mode} and known to be dead, reports are answered at once, those that wait too`, async (t) => {
    const fake = await fakeUpstream(t, mode);
    const flags = { 'upstream-timeout': 0.2, 'upstream-report-timeout': NEVER_S };
    const server = await site(t, fake.address, flags);
    const waiting = server.hash().ask('report', report(1));
    const lookups = Array.from({ length: 3 }, async (_, n) => {
      // Of several kinds, as each fails by itself.
      const command = n === 0 ? 'get' : 'get-outhash';
      for (let i = 0; i < 4; i++)
        await server.hash().ask(command, { method: 'm', taskhash: `a${n}-${i}`, outhash: `a${n}-${i}` });
    });
    await Promise.all(lookups);
    assert.deepEqual(await waiting, proposed(1));
    assert.deepEqual(await server.hash().ask('report', report(2)), proposed(2));
  });
}

test('a server that stops answers reports that wait for the upstream', async (t) => {
  const fake = await fakeUpstream(t);
  fake.gate = gate().closed;
  const server = await site(t, fake.address, { 'upstream-report-timeout': NEVER_S });
  const client = server.hash();
  const waiting = client.ask('report', report(1));
  // One that came later has been answered, so that was read.
  await server.hash().ask('ping', {});
  await server.close();
  assert.deepEqual(await waiting, proposed(1));
});

test('however many reports wait for the upstream, others write meanwhile', async (t) => {
  const fake = await fakeUpstream(t);
  const slow = gate();
  fake.gate = slow.closed;
  const flags = { 'upstream-timeout': NEVER_S, 'upstream-report-timeout': NEVER_S };
  const server = await site(t, fake.address, flags);
  const clients = Array.from({ length: 12 }, () => server.hash());
  const line = (n: number) => `${JSON.stringify({ report: report(n) })}\n`;
  for (const [c, client] of clients.entries())
    client.send(Array.from({ length: 1000 }, (_, n) => line(c * 1000 + n)).join(''));
  while ((fake.asked.get('get-outhash')?.length ?? 0) < 8192) await new Promise(setImmediate);
  const equivalence = { method: 'm', taskhash: 'other', unihash: own(1) };
  assert.deepEqual(await server.hash().ask('report-equiv', equivalence), equivalence);
  slow.open();
  for (const [c, client] of clients.entries())
    for (let n = 0; n < 1000; n++) assert.deepEqual(await client.message(), taken(c * 1000 + n));
});

test('the warnings about an upstream say whose it is', async (t) => {
  const fake = await fakeUpstream(t, "sending another task's answer");
  const log = recorder();
  const server = await site(t, fake.address, { 'upstream-timeout': 0.2 }, { log });
  await server.hash().ask('get', { method: 'm', taskhash: 'a' });
  await server.pr().ask('get-pr', { version: 'p', pkgarch: 'a', checksum: 'c', history: false });
  const said = (text: string) => log.lines.filter((line) => line.includes(text)).join('\n');
  assert.match(said('cannot be right'), /"service":"hash equivalence"/);
  assert.match(said('cannot be right'), /"service":"PR"/);
  await fake.become('refused');
  const bothGone = () =>
    ['hash equivalence', 'PR'].every((name) => said('does not answer').includes(`"service":"${name}"`));
  while (!bothGone()) {
    await server.hash().ask('get', { method: 'm', taskhash: `a${Math.random()}` });
    await server.pr().ask('get-pr', { version: 'p', pkgarch: 'a', checksum: 'c', history: false });
  }
});

test('what is reported here stays here: the upstream is only ever asked, and sees nothing but keys', async (t) => {
  const fake = await fakeUpstream(t);
  const server = await site(t, fake.address);
  const [client, pr] = [server.hash(), server.pr()];
  const about = {
    owner: 'somebody',
    PN: 'recipe',
    PV: '1',
    PR: 'r0',
    task: 'do_compile',
    outhash_siginfo: 'all of it',
  };
  const unknown = { method: 'm', taskhash: 'here', outhash: 'of here', unihash: own(9) };
  assert.deepEqual(await client.ask('report', { ...unknown, ...about }), {
    method: 'm',
    taskhash: 'here',
    unihash: own(9),
  });
  await client.ask('report-equiv', { method: 'm', taskhash: 'equal', unihash: own(8) });
  await client.ask('remove', { where: { taskhash: 'equal' } });
  const row = { version: 'p-1-r0', pkgarch: 'x', checksum: 'c' };
  await pr.ask('import-one', { ...row, value: '3' });
  assert.deepEqual(await pr.ask('get-pr', { ...row, checksum: 'd', history: false }), { value: '7.0' });
  await server.close();
  const reads = ['get', 'get-outhash', 'get-stream', 'exists-stream', 'chain-pr', 'max-package-pr', 'test-pr', 'ping'];
  assert.deepEqual(
    [...fake.asked.keys()].filter((command) => !reads.includes(command)),
    [],
  );
  const sent = [...fake.asked.values()].flat().join('\n');
  assert.match(sent, /of here/, 'it was asked about the output');
  for (const secret of [own(9), own(8), ...Object.values(about).filter((text) => text.length > 2)])
    assert.ok(!sent.includes(secret), `${secret}: ${sent}`);
});
