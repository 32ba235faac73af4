import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { serve, type WireClient } from './helpers.ts';

const PRSERV = 'PRSERVICE 1.0';
const PKG = { version: 'pkg-1-r0', pkgarch: 'core2' };

const getPr = async (client: WireClient, checksum: string, more: { [key: string]: Json } = {}) =>
  ((await client.ask('get-pr', { ...PKG, checksum, ...more })) as { value: string }).value;

describe('PR commands', () => {
  test('thirteen checksums, then that of 9 again: 13, never 9; export keeps the row of the real maximum', async (t) => {
    const client = (await serve(t)).connect(PRSERV);
    for (let n = 0; n <= 12; n++) assert.equal(await getPr(client, `c${n}`, { history: false }), String(n));
    assert.equal(await getPr(client, 'c9', { history: false }), '13');
    assert.equal(await getPr(client, 'c12', { history: false }), '14');
    assert.equal(await getPr(client, 'c9', { history: true }), '9');
    assert.deepEqual(await client.ask('test-pr', { ...PKG, checksum: 'c9', history: true }), { value: '9' });
    assert.deepEqual(await client.ask('test-pr', { ...PKG, checksum: 'c9', history: false }), { value: '13' });
    const { datainfo } = (await client.ask('export', { history: false })) as { datainfo: Json[] };
    assert.deepEqual(datainfo, [{ ...PKG, checksum: 'c12', value: '14' }]);
    const all = (await client.ask('export', { ...PKG, checksum: 'c9', history: true })) as { datainfo: Json[] };
    assert.deepEqual(all.datainfo, [
      { ...PKG, checksum: 'c9', value: '13' },
      { ...PKG, checksum: 'c9', value: '9' },
    ]);
  });

  for (const [flag, value] of [
    [{}, '2'],
    [{ history: false }, '2'],
    [{ history: true }, '0'],
  ] as const) {
    test(`a request without history uses the server’s mode: ${JSON.stringify(flag)} answers ${value}`, async (t) => {
      const client = (await serve(t, { flags: flag })).connect(PRSERV);
      assert.equal(await getPr(client, 'a'), '0');
      assert.equal(await getPr(client, 'b'), '1');
      assert.equal(await getPr(client, 'a'), value);
      assert.equal(await getPr(client, 'a', { history: true }), '0');
    });
  }

  test('import-one answers the value as it was sent and stores it as text', async (t) => {
    const client = (await serve(t)).connect(PRSERV);
    for (const [value, stored] of [
      [5, '5'],
      ['10', '10'],
      ['9.1', '10'],
      [0, '10'],
      ['998999999', '998999999'],
    ] as const) {
      const reply = await client.ask('import-one', { ...PKG, checksum: `c${value}`, value });
      assert.deepEqual(reply, { value });
      assert.deepEqual(await client.ask('max-package-pr', PKG), { value: stored });
    }
    assert.equal(await getPr(client, 'next'), '999000000');
    assert.equal(await getPr(client, 'after that'), '999000001');
  });

  test('dotted values count on from the last number of the maximum', async (t) => {
    const client = (await serve(t)).connect(PRSERV);
    for (const value of ['1.9', '1.10', '1.2']) await client.ask('import-one', { ...PKG, checksum: value, value });
    assert.deepEqual(await client.ask('max-package-pr', PKG), { value: '1.10' });
    assert.equal(await getPr(client, 'new'), '1.11');
    assert.equal(await getPr(client, '1.9'), '1.12');
  });

  test('where one value continues the other, the longer is the larger, for every command', async (t) => {
    const client = (await serve(t)).connect(PRSERV);
    for (const value of ['0.1', '0', '0.0']) await client.ask('import-one', { ...PKG, checksum: `c${value}`, value });
    assert.deepEqual(await client.ask('max-package-pr', PKG), { value: '0.1' });
    const { datainfo } = (await client.ask('export', { history: false })) as { datainfo: Json[] };
    assert.deepEqual(datainfo, [{ ...PKG, checksum: 'c0.1', value: '0.1' }]);
    assert.equal(await getPr(client, 'new', { history: false }), '0.2');
    assert.equal(await getPr(client, 'c0', { history: false }), '0.3');
    assert.equal(await getPr(client, 'c0', { history: true }), '0');
  });

  test('an export of many rows travels in chunks and is whole', async (t) => {
    const client = (await serve(t)).connect(PRSERV);
    for (let n = 0; n < 2500; n++)
      client.send(`${JSON.stringify({ 'get-pr': { ...PKG, version: `v${n % 50}`, checksum: `c${n}` } })}\n`);
    for (let n = 0; n < 2500; n++) await client.message();
    client.send('{"export": {"history": true}}\n{"ping": {}}\n');
    const { datainfo } = (await client.message()) as { datainfo: { value: string }[] };
    assert.equal(datainfo.length, 2500);
    assert.equal(
      datainfo.reduce((sum, { value }) => sum + Number(value), 0),
      50 * ((49 * 50) / 2),
    );
    assert.deepEqual(await client.message(), { alive: true });
    const newest = (await client.ask('export', { history: false })) as { datainfo: { value: string }[] };
    assert.deepEqual(new Set(newest.datainfo.map(({ value }) => value)), new Set(['49']));
    assert.equal(newest.datainfo.length, 50);
  });
});
