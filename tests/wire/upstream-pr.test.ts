import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import { listen } from '../../lib/asyncrpc/transport/listen.ts';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { SILENT } from '../../lib/log.ts';
import { fakeUpstream } from './fake-upstream.ts';
import { temporaryFolder, type WireClient } from './helpers.ts';
import { recorder, type Site, site } from './upstream-helpers.ts';

type Test = Parameters<typeof site>[0];

/** Makes a server reachable by another; returns its address. */
async function reachable(t: Test, { app }: Site): Promise<string> {
  const socket = { kind: 'unix', path: path.join(temporaryFolder(t as never), 's') } as const;
  const listener = await listen(socket, app.hub, DEFAULT_LIMITS, SILENT);
  t.after(() => listener.close());
  return `unix://${socket.path}`;
}

const P = { version: 'p-1-r0', pkgarch: 'core' };

async function getPr(client: WireClient, checksum: string, key = P, history = false): Promise<Json> {
  const reply = (await client.ask('get-pr', { ...key, checksum, history })) as { value?: Json };
  return reply.value ?? reply;
}

test('the same get-pr six times at once through a chain gives one value', async (t) => {
  const upstream = await site(t, null);
  const up = upstream.pr();
  assert.equal(await getPr(up, 'first'), '0');
  const server = await site(t, await reachable(t, upstream));
  const values = await Promise.all(Array.from({ length: 6 }, () => getPr(server.pr(), 'fresh')));
  assert.deepEqual(new Set(values), new Set(['0.0']));
});

test('concurrent get-pr of one package through a chain of three never yields a value twice', async (t) => {
  const top = await site(t, null);
  assert.equal(await getPr(top.pr(), 'first'), '0');
  const middle = await site(t, await reachable(t, top));
  const bottom = await site(t, await reachable(t, middle));
  const checksums = Array.from({ length: 60 }, (_, i) => `c${i}`);
  const ask = () => Promise.all(checksums.map((checksum) => getPr(bottom.pr(), checksum)));
  const values = await ask();
  assert.equal(new Set(values).size, 60);
  for (const value of values) assert.match(String(value), /^0\.0\.\d+$/, 'under 0.0, which is the middle’s to give');
  assert.deepEqual(
    await Promise.all(checksums.map((checksum) => getPr(bottom.pr(), checksum, P, true))),
    values,
    'with history each keeps its own',
  );
});

test('a value given out at the top of three reaches the bottom, hashes too', async (t) => {
  const top = await site(t, null);
  const middle = await site(t, await reachable(t, top));
  const bottom = await site(t, await reachable(t, middle));
  assert.equal(await getPr(top.pr(), 'c'), '0');
  assert.equal(await getPr(bottom.pr(), 'c'), '0');
  const equivalence = { method: 'm', taskhash: 't', unihash: 'e'.repeat(64) };
  await top.hash().ask('report-equiv', equivalence);
  assert.deepEqual(await bottom.hash().ask('get', { method: 'm', taskhash: 't' }), equivalence);
  await middle.close();
  assert.deepEqual(await bottom.hash().ask('get', { method: 'm', taskhash: 't' }), equivalence);
});

test('over four servers a package that only the top knows is never answered a fresh 0, also with the top away', async (t) => {
  const top = await site(t, null);
  for (let n = 0; n <= 3; n++) assert.equal(await getPr(top.pr(), `c${n}`), String(n));
  const sites = [top];
  const folders = [temporaryFolder(t as never)];
  for (let level = 1; level <= 3; level++) {
    const folder = temporaryFolder(t as never);
    folders.push(folder);
    sites.push(await site(t, await reachable(t, sites[level - 1]!), { 'upstream-timeout': 1 }, { folder }));
  }
  const [, second, third, bottom] = sites as [Site, Site, Site, Site];
  assert.equal(await getPr(bottom.pr(), 'c2'), '2', 'the top’s value of the checksum');
  assert.equal(await getPr(bottom.pr(), 'new'), '3.0.0.0');
  assert.equal(await getPr(third.pr(), 'new'), '3.0.0');
  assert.equal(await getPr(second.pr(), 'new'), '3.0');
  assert.equal(await getPr(bottom.pr(), 'newer'), '3.0.0.1', 'what is between has been given meanwhile');
  const other = { ...P, pkgarch: 'other' };
  assert.equal(await getPr(top.pr(), 'c', other), '0');
  await top.close();
  assert.equal(await getPr(bottom.pr(), 'newest'), '3.0.0.2', 'by what was heard of the top');
  for (const server of [second, third, bottom])
    assert.match(JSON.stringify(await getPr(server.pr(), 'c', other)), /invoke-error.*upstream PR server/);
});

test('test-pr, test-package and max-package-pr do not ask the upstream', async (t) => {
  const fake = await fakeUpstream(t);
  const client = (await site(t, fake.address)).pr();
  assert.deepEqual(await client.ask('test-pr', { ...P, checksum: 'c', history: false }), { value: null });
  assert.deepEqual(await client.ask('test-package', P), { value: false });
  assert.deepEqual(await client.ask('max-package-pr', P), { value: null });
  assert.equal(fake.connections, 0);
});

test('an upstream that hangs up on chain-pr is asked by the commands of BitBake’s servers, found out once', async (t) => {
  const fake = await fakeUpstream(t);
  const log = recorder();
  const server = await site(t, fake.address, {}, { log });
  const checksums = Array.from({ length: 40 }, (_, i) => `c${i}`);
  const values = await Promise.all(checksums.map((checksum) => getPr(server.pr(), checksum)));
  assert.deepEqual(new Set(values), new Set(checksums.map((_, i) => `7.${i}`)));
  assert.equal(await getPr(server.pr(), 'later'), '7.40');
  assert.equal(fake.asked.get('chain-pr')!.length, 2, 'a second time to be sure of it');
  assert.equal(log.count('upstream does not answer'), 0);
  assert.equal(log.count('upstream is no bakeserv'), 1);
});

test('an upstream is asked anew whether it knows chain-pr once its connection has ended', async (t) => {
  const fake = await fakeUpstream(t);
  const server = await site(t, fake.address, { 'upstream-timeout': 0.3 });
  const client = server.pr();
  assert.equal(await getPr(client, 'a'), '7.0');
  await fake.become('refused');
  fake.chain = { max: '9', under: '9.4', value: null, away: false };
  await fake.become('right');
  for (let n = 0, value: Json = ''; value !== '9.4.0'; n++) {
    value = await getPr(client, `c${n}`);
    assert.match(String(value), /^7\.\d+$|^9\.4\.0$/, 'until it is heard again');
    await new Promise(setImmediate);
  }
});

for (const [what, answer] of [
  ['a maximum that is no value', { max: '7;', under: '7;', value: null, away: false }],
  ['a value without a maximum', { max: null, under: null, value: '3', away: false }],
  ['values to be given beside the maximum', { max: '7', under: '6', value: null, away: false }],
  ['a list', ['7']],
] as const) {
  test(`an upstream that answers chain-pr with ${what} is not believed`, async (t) => {
    const fake = await fakeUpstream(t);
    fake.chain = { max: '7', under: '7', value: null, away: false };
    const log = recorder();
    const client = (await site(t, fake.address, {}, { log })).pr();
    assert.equal(await getPr(client, 'a'), '7.0');
    fake.chain = answer;
    assert.match(JSON.stringify(await getPr(client, 'a', { ...P, pkgarch: 'fresh' })), /invoke-error/);
    assert.equal(await getPr(client, 'b'), '7.1', 'by what was heard before');
    assert.ok(log.count('cannot be right') > 0);
  });
}

test('a server whose upstream is away says so to the one below', async (t) => {
  const fake = await fakeUpstream(t, 'refused');
  const client = (await site(t, fake.address, { 'upstream-timeout': 0.3 })).pr();
  const asked = { ...P, checksum: 'c', history: false };
  assert.deepEqual(await client.ask('chain-pr', asked), { max: null, under: null, value: null, away: true });
  await client.ask('import-one', { ...P, checksum: 'c', value: '3.1' });
  assert.deepEqual(await client.ask('chain-pr', asked), { max: '3.1', under: '3.1', value: '3.1', away: true });
});

test('a package known only locally goes on by the local rule, with the upstream there and away', async (t) => {
  const fake = await fakeUpstream(t);
  fake.prMax = null;
  const server = await site(t, fake.address, { 'upstream-timeout': 0.3 });
  const client = server.pr();
  assert.deepEqual([await getPr(client, 'a'), await getPr(client, 'b'), await getPr(client, 'a')], ['0', '1', '2']);
  await fake.become('refused');
  assert.deepEqual([await getPr(client, 'c'), await getPr(client, 'b')], ['3', '4']);
});

test('with the upstream away, a new checksum goes under the maximum known from before, also after a restart', async (t) => {
  const fake = await fakeUpstream(t);
  const folder = temporaryFolder(t as never);
  const server = await site(t, fake.address, { 'upstream-timeout': 0.3 }, { folder });
  const client = server.pr();
  assert.equal(await getPr(client, 'a'), '7.0');
  await fake.become('refused');
  assert.equal(await getPr(client, 'b'), '7.1');
  assert.equal(await getPr(client, 'b', P, true), '7.1', 'a known checksum keeps its value with history');
  await server.close();
  const again = (await site(t, fake.address, { 'upstream-timeout': 0.3 }, { folder })).pr();
  assert.equal(await getPr(again, 'c'), '7.2');
  assert.equal(await getPr(again, 'b', P, true), '7.1');
  await fake.become('right');
  fake.prMax = '8';
  for (let value = await getPr(again, 'd'); value !== '8.0'; value = await getPr(again, 'd')) {
    assert.equal(value, '7.3', 'until the upstream is heard again');
    await new Promise(setImmediate);
  }
});

test('with the upstream away, values of the upstream itself keep theirs free', async (t) => {
  const fake = await fakeUpstream(t, 'refused');
  const server = await site(t, fake.address, { 'upstream-timeout': 0.3 });
  const client = server.pr();
  await client.ask('import-one', { ...P, checksum: 'theirs', value: '3' });
  await client.ask('import-one', { ...P, checksum: 'ours', value: '3.0' });
  assert.equal(await getPr(client, 'new'), '3.1', 'and not 4, which the upstream may have given out');
});

test('with the upstream away, a package about which nothing is known is refused, and the client stays', async (t) => {
  const fake = await fakeUpstream(t, 'refused');
  const server = await site(t, fake.address, { 'upstream-timeout': 0.3 });
  const client = server.pr();
  for (let i = 0; i < 3; i++)
    assert.match(JSON.stringify(await getPr(client, 'a')), /invoke-error.*upstream PR server/);
  await fake.become('right');
  for (let value = await getPr(client, 'a'); value !== '7.0'; value = await getPr(client, 'a')) {
    assert.equal(typeof value, 'object', 'refused until the upstream is heard');
    await new Promise(setImmediate);
  }
});
