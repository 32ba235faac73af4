import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { importFault } from '../../lib/prserv/commands/import-rule.ts';
import { duplexPair, refusal, serve, WireClient } from './helpers.ts';

const PRSERV = 'PRSERVICE 1.0';
const PKG = { version: 'pkg-1-r0', pkgarch: 'core2' };
type Row = readonly [version: string, pkgarch: string, checksum: string, value: string];

const rowsText = (rows: readonly Row[]) => rows.map((row) => JSON.stringify(row)).join('\n');
const importRows = (client: WireClient, rows: readonly Row[], more = {}) =>
  client.ask('import-rows', { rows: rowsText(rows), ...more });

async function stored(client: WireClient): Promise<Json> {
  return ((await client.ask('export', { history: true })) as { datainfo: Json }).datainfo;
}

describe('import-rows', () => {
  test('stores every row, and counts those that were there', async (t) => {
    const client = (await serve(t)).connect(PRSERV);
    await client.ask('import-one', { ...PKG, checksum: 'a', value: '1' });
    const rows: Row[] = [
      ['pkg-1-r0', 'core2', 'a', '1'],
      ['pkg-1-r0', 'core2', 'b', '10'],
      ['line\nbreak "é"', 'all', 'c', '3.1'],
    ];
    assert.deepEqual(await importRows(client, rows), { stored: 2, present: 1, refused: [] });
    assert.deepEqual(await client.ask('max-package-pr', PKG), { value: '10' });
    assert.deepEqual(await client.ask('max-package-pr', { version: 'line\nbreak "é"', pkgarch: 'all' }), {
      value: '3.1',
    });
    assert.deepEqual(await importRows(client, rows), { stored: 0, present: 3, refused: [] });
    assert.deepEqual(await importRows(client, []), { stored: 0, present: 0, refused: [] });
  });

  test('stores nothing when one row cannot be stored, and names it', async (t) => {
    const client = (await serve(t)).connect(PRSERV);
    const bad: Row[] = [
      ['p', 'all', 'good', '1'],
      ['p', 'all', '', '1'],
      ['p', 'all', 'c', 'many'],
      ['p', 'all', 'd', '999999999'],
    ];
    const reply = (await importRows(client, bad)) as { stored: number; refused: { row: number; message: string }[] };
    assert.equal(reply.stored, 0);
    assert.deepEqual(
      reply.refused.map(({ row }) => row),
      [1, 2, 3],
    );
    assert.match(reply.refused[1]!.message, /^value must be/);
    const malformed = await client.ask('import-rows', { rows: '["p", "all", "c", 1]\nnonsense\n{}' });
    assert.deepEqual(
      (malformed as unknown as typeof reply).refused.map(({ message }) => message),
      [
        'expected a list of four texts: version, pkgarch, checksum, value',
        'not JSON',
        'expected a list of four texts: version, pkgarch, checksum, value',
      ],
    );
    assert.deepEqual(await stored(client), []);
  });

  test('with check stores nothing, whatever the rows', async (t) => {
    const client = (await serve(t)).connect(PRSERV);
    const check = { check: true };
    assert.deepEqual(await importRows(client, [['p', 'all', 'c', '1']], check), { stored: 0, present: 0, refused: [] });
    assert.deepEqual(await stored(client), []);
  });

  test('what get-pr remembers of a package does not outlive an import', async (t) => {
    const client = (await serve(t)).connect(PRSERV);
    const next = async (checksum: string) => client.ask('get-pr', { ...PKG, checksum, history: false });
    assert.deepEqual(await next('a'), { value: '0' });
    await importRows(client, [['pkg-1-r0', 'core2', 'b', '41']]);
    assert.deepEqual(await next('c'), { value: '42' });
    await client.ask('remove', { checksum: 'c' });
    assert.deepEqual(await next('d'), { value: '42' });
  });

  test('takes 5,000 rows in one go while others are answered, and 100,001 not at all', async (t) => {
    const app = await serve(t);
    const client = app.connect(PRSERV);
    const many = Array.from({ length: 5000 }, (_, i): Row => [`v${i % 7}`, 'all', `c${i}`, String(i)]);
    const importing = importRows(client, many);
    assert.deepEqual(await app.connect(PRSERV).ask('ping', {}), { alive: true });
    assert.deepEqual(await importing, { stored: 5000, present: 0, refused: [] });
    const line = '["v","a","c","1"]\n';
    assert.match(
      refusal(await client.ask('import-rows', { rows: line.repeat(100_001) })),
      /^import-rows: at most 100000 rows/,
    );
  });

  test('for any rows: all of them, or none', async (t) => {
    const client = (await serve(t)).connect(PRSERV);
    const text = fc.string({ unit: 'binary', maxLength: 6 });
    const value = fc.oneof(fc.constantFrom('0', '3.1', '998999999', '999000000', 'x', ''), fc.nat().map(String));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, text, text, value), { maxLength: 8 }), async (rows) => {
        for (const [version] of rows) if (version) await client.ask('remove', { version }).catch(() => {});
        const before = (await stored(client)) as Json[];
        const faults = rows.flatMap(([version, pkgarch, checksum, number], i) =>
          importFault({ version, pkgarch, checksum, value: number }) === null ? [] : [i],
        );
        const reply = (await importRows(client, rows)) as { stored: number; refused: { row: number }[] };
        assert.deepEqual(
          reply.refused.map(({ row }) => row),
          faults,
        );
        assert.equal(((await stored(client)) as Json[]).length - before.length, reply.stored);
        if (faults.length > 0) assert.equal(reply.stored, 0);
      }),
      { numRuns: 60 },
    );
  });
});

test('export-rows tells with count how many rows there are, and without as before', async (t) => {
  const pr = (await serve(t)).connect('PRSERVICE 1.0');
  for (const checksum of ['a', 'b', 'c']) await pr.ask('get-pr', { version: 'v-1-r0', pkgarch: 'all', checksum });
  const first = ['v-1-r0', 'all', 'a', '0'];
  assert.deepEqual(await pr.ask('export-rows', { after: null, limit: 1 }), { rows: [first], next: first });
  const counted = { rows: [first], next: first, total: 3 };
  assert.deepEqual(await pr.ask('export-rows', { after: null, limit: 1, count: true }), counted);
});

describe('a value that is imported', () => {
  test('leaves at least a million below the limit, in every way of importing', async (t) => {
    const client = (await serve(t)).connect(PRSERV);
    for (const value of ['999999999', 999_999_999, '999000000', '3.999000000']) {
      const said = refusal(await client.ask('import-one', { ...PKG, checksum: 'c', value }));
      assert.match(said, new RegExp(`^import-one: value ${value} leaves fewer than 1,000,000 values below the limit`));
    }
    assert.deepEqual(await stored(client), []);
    for (const value of ['998999999', '3.998999999', '999999999.1'])
      assert.deepEqual(await client.ask('import-one', { ...PKG, checksum: 'c', value }), { value });
  });

  test('that is refused does not hold up its neighbours', async (t) => {
    const client = (await serve(t)).connect(PRSERV);
    const request = (checksum: string, value: string) =>
      `${JSON.stringify({ 'import-one': { ...PKG, checksum, value } })}\n`;
    client.send(request('a', '1') + request('b', '999999999') + request('c', '2'));
    assert.deepEqual(await client.message(), { value: '1' });
    assert.match(refusal(await client.message()), /leaves fewer/);
    assert.deepEqual(await client.message(), { value: '2' });
  });
});

describe('remove on the PR service', () => {
  const FILTERS: readonly (readonly [Json, number])[] = [
    [{ version: 'a-1', pkgarch: 'x', checksum: 'c1', value: '2' }, 1],
    [{ version: 'a-1', checksum: 'c1' }, 2],
    [{ pkgarch: 'y' }, 1],
    [{ version: 'a-1' }, 4],
    [{ checksum: 'c1', version: null }, 3],
    [{ version: 'nobody' }, 0],
  ];
  for (const [filter, count] of FILTERS) {
    test(`takes ${count} of five rows with ${JSON.stringify(filter)}, as many as count-rows says`, async (t) => {
      const client = (await serve(t)).connect(PRSERV);
      await importRows(client, [
        ['a-1', 'x', 'c1', '1'],
        ['a-1', 'x', 'c1', '2'],
        ['a-1', 'x', 'c2', '3'],
        ['a-1', 'y', 'c3', '0'],
        ['b-1', 'x', 'c1', '0'],
      ]);
      assert.deepEqual(await client.ask('count-rows', filter), { count });
      assert.equal(((await stored(client)) as Json[]).length, 5);
      assert.deepEqual(await client.ask('remove', filter), { count });
      assert.equal(((await stored(client)) as Json[]).length, 5 - count);
    });
  }

  test('names something: an empty filter, or a value alone, is refused', async (t) => {
    const client = (await serve(t)).connect(PRSERV);
    for (const filter of [{}, { version: null }, { value: '0' }]) {
      assert.equal(refusal(await client.ask('remove', filter)), 'remove: name a version, a pkgarch or a checksum');
    }
  });

  test('is for local addresses: a client from elsewhere is refused, and may import and count all the same', async (t) => {
    const { app } = await serve(t);
    const [near, far] = duplexPair();
    app.hub.accept(far, { name: '192.0.2.1:1', address: '192.0.2.1', local: false });
    const client = new WireClient(near).handshake(PRSERV);
    t.after(() => client.close());
    assert.deepEqual(await importRows(client, [['v', 'all', 'c', '1']]), { stored: 1, present: 0, refused: [] });
    assert.match(
      refusal(await client.ask('remove', { version: 'v' })),
      /^PR rows are removed from a local address only/,
    );
    assert.deepEqual(await client.ask('count-rows', { version: 'v' }), { count: 1 });
  });

  test('follows --anon-perms where that is set', async (t) => {
    for (const [permissions, allowed] of [
      ['@read,@report', false],
      ['@read,@db-admin', true],
    ] as const) {
      const client = (await serve(t, { flags: { 'anon-perms': permissions } })).connect(PRSERV);
      const reply = await client.ask('remove', { version: 'v' });
      if (allowed) assert.deepEqual(reply, { count: 0 });
      else assert.match(refusal(reply), /^PR rows are removed from a local address only/);
      assert.deepEqual(await client.ask('count-rows', { version: 'v' }), { count: 0 });
    }
  });
});
