import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { SILENT } from '../../lib/log.ts';
import { type App, createApp } from '../../lib/server.ts';
import { configIn, duplexPair, temporaryFolder, WireClient } from './helpers.ts';

interface TestContext {
  after(fn: () => void | Promise<void>): void;
}

/** A client of a fresh server. */
async function open(t: TestContext, flags: Record<string, unknown> = {}, folder = temporaryFolder(t)) {
  const app: App = await createApp(configIn(folder, flags), SILENT);
  t.after(() => app.close());
  const [near, far] = duplexPair();
  app.hub.accept(far, { name: 'memory', address: null, local: true });
  return new WireClient(near).handshake();
}

const hash = (number: number) => number.toString(16).padStart(64, '0');
const UNIHASH_COLUMNS = ['method', 'taskhash', 'unihash'];
const OUTHASH_COLUMNS = [
  'method',
  'taskhash',
  'outhash',
  'created',
  'owner',
  'PN',
  'PV',
  'PR',
  'task',
  'outhash_siginfo',
];
const outhashRow = (number: number, siginfo: string | null = null): Json => [
  'm',
  hash(number),
  hash(number),
  '2026-01-02T03:04:05.000006+00:00',
  null,
  'zlib',
  null,
  null,
  null,
  siginfo,
];
const importUnihashes = (client: WireClient, rows: Json) =>
  client.ask('import-rows', { table: 'unihashes', columns: UNIHASH_COLUMNS, rows });

test('import-rows stores rows once, export-rows answers them page by page', async (t) => {
  const client = await open(t);
  const rows = [1, 2, 3].map((number) => ['m', hash(number), hash(number + 10)]);
  assert.deepEqual(await importUnihashes(client, rows), { stored: 3, present: 0, refused: [] });
  assert.deepEqual(await importUnihashes(client, rows), { stored: 0, present: 3, refused: [] });
  const first = await client.ask('export-rows', { table: 'unihashes', after: 0, limit: 2 });
  assert.deepEqual(first, { columns: UNIHASH_COLUMNS, rows: rows.slice(0, 2), next: 2 });
  assert.deepEqual(await client.ask('export-rows', { table: 'unihashes', after: 2, limit: 2 }), {
    columns: UNIHASH_COLUMNS,
    rows: rows.slice(2),
    next: null,
  });
  const outhashes = { table: 'outhashes', columns: OUTHASH_COLUMNS, rows: [outhashRow(1), outhashRow(2, 'a\n"b"')] };
  assert.deepEqual(await client.ask('import-rows', outhashes), { stored: 2, present: 0, refused: [] });
  const page = (await client.ask('export-rows', { table: 'outhashes', after: 0 })) as { rows: Json };
  assert.deepEqual(page.rows, outhashes.rows);
});

test('find-rows answers rows by what they have in common, page by page', async (t) => {
  const client = await open(t);
  const rows = [1, 2, 3].map((number) => ['m', hash(number), hash(10 + (number % 2))]);
  await importUnihashes(client, rows);
  const reports = [outhashRow(1, 'info'), outhashRow(2)] as Json[][];
  await client.ask('import-rows', { table: 'outhashes', columns: OUTHASH_COLUMNS, rows: reports });
  const ofUnihash = { table: 'unihashes', by: 'unihash', keys: [hash(11)], limit: 1 };
  const first = (await client.ask('find-rows', ofUnihash)) as { rows: Json; next: string };
  assert.deepEqual(first.rows, [rows[0]]);
  const second = await client.ask('find-rows', { ...ofUnihash, limit: 5, after: first.next });
  assert.deepEqual(second, { columns: UNIHASH_COLUMNS, rows: [rows[2]], next: null });
  const ofTask = { table: 'outhashes', by: 'task', keys: [reports[0]!.slice(0, 2)] };
  const whole = await client.ask('find-rows', ofTask);
  assert.deepEqual(whole, { columns: OUTHASH_COLUMNS, rows: [reports[0]], next: null });
  const brief = await client.ask('find-rows', { ...ofTask, brief: true });
  assert.deepEqual(brief, { columns: OUTHASH_COLUMNS, rows: [reports[0]!.with(9, null)], next: null });
  const ofRecipe = await client.ask('find-rows', { table: 'outhashes', by: 'PN', keys: ['zlib'] });
  assert.deepEqual((ofRecipe as { rows: Json }).rows, reports);
  for (const [args, refused] of [
    [{ table: 'unihashes', by: 'PN', keys: [] }, /^find-rows: no unihashes are found by PN/],
    [
      { table: 'outhashes', by: 'task', keys: ['m t'] },
      /^find-rows: keys by task are lists of a method and a taskhash/,
    ],
    [{ table: 'unihashes', by: 'unihash', keys: [['m', 't']] }, /^find-rows: keys by unihash are texts/],
    [{ table: 'unihashes', by: 'taskhash', keys: [] }, /^find-rows: by /],
    [{ ...ofUnihash, after: '7:x' }, /^find-rows: after is not from a page of this search/],
    [{ ...ofUnihash, keys: Array(1001).fill('a') }, /^find-rows: keys must NOT have more than 1000 items/],
  ] as const) {
    const reply = (await client.ask('find-rows', args as Json)) as { 'invoke-error': { message: string } };
    assert.match(reply['invoke-error'].message, refused);
  }
});

test('an imported unihash is answered, and never replaces one that is there', async (t) => {
  const client = await open(t);
  await client.ask('report-equiv', { method: 'm', taskhash: hash(1), unihash: hash(100) });
  await importUnihashes(client, [
    ['m', hash(1), hash(999)],
    ['m', hash(2), hash(200)],
  ]);
  const unihash = async (number: number) =>
    ((await client.ask('get', { method: 'm', taskhash: hash(number) })) as { unihash: string }).unihash;
  assert.equal(await unihash(1), hash(100));
  assert.equal(await unihash(2), hash(200));
});

test('a page ends before it grows large, and holds one row at least', async (t) => {
  const client = await open(t);
  const siginfo = 'x'.repeat(3 * 1024 * 1024);
  for (const number of [1, 2, 3]) {
    const rows = [outhashRow(number, siginfo)];
    await client.ask('import-rows', { table: 'outhashes', columns: OUTHASH_COLUMNS, rows });
  }
  const places: (number | null)[] = [];
  for (let after: number | null = 0; after !== null; places.push(after)) {
    const page = (await client.ask('export-rows', { table: 'outhashes', after })) as {
      rows: Json[];
      next: number | null;
    };
    assert.equal(page.rows.length, 1);
    after = page.next;
  }
  assert.deepEqual(places, [1, 2, null]);
});

test('a row that a report could not have stored is refused by its place, the others are stored', async (t) => {
  const client = await open(t);
  const bad: Json[] = [
    ['m', hash(1), 'abc'],
    ['', hash(1), hash(1)],
    ['m', null, hash(1)],
    ['m', hash(1)],
    ['m', hash(5), hash(5)],
  ];
  const reply = (await importUnihashes(client, bad)) as { stored: number; refused: { row: number; message: string }[] };
  assert.equal(reply.stored, 1);
  assert.deepEqual(
    reply.refused.map(({ row, message }) => `${row} ${message}`),
    ['0 unihash is not 64 lower-case hex digits', '1 method is wrong', '2 taskhash is wrong', '3 expected 3 values'],
  );
  const row = outhashRow(1) as Json[];
  for (const [place, value] of [
    [3, 'yesterday'],
    [5, 'a\0b'],
    [9, '\ud800'],
  ] as const) {
    const rows = [row.with(place, value)];
    const refused = await client.ask('import-rows', { table: 'outhashes', columns: OUTHASH_COLUMNS, rows });
    assert.deepEqual((refused as { refused: Json[] }).refused.length, 1, `${OUTHASH_COLUMNS[place]}`);
  }
});

test('rows imported while a mark is current get it', async (t) => {
  const client = await open(t);
  await client.ask('gc-mark', { mark: 'now', where: { method: 'none' } });
  await importUnihashes(client, [['m', hash(1), hash(1)]]);
  assert.deepEqual(await client.ask('gc-status', {}), { keep: 1, remove: 0, mark: 'now' });
});

test('count-rows and count-stream count what remove and gc-mark would meet, and change nothing', async (t) => {
  const client = await open(t);
  for (const number of [1, 2]) {
    await client.ask('report', { method: 'm', taskhash: hash(number), outhash: hash(7), unihash: hash(number) });
  }
  await client.ask('report-equiv', { method: 'other', taskhash: hash(3), unihash: hash(3) });
  assert.deepEqual(await client.ask('count-rows', { where: { outhash: hash(7) } }), { unihashes: 0, outhashes: 2 });
  assert.deepEqual(await client.ask('count-rows', { where: { method: 'm', taskhash: null } }), {
    unihashes: 2,
    outhashes: 2,
  });
  assert.deepEqual(await client.ask('count-rows', { where: {} }), { unihashes: 0, outhashes: 0 });
  assert.equal(await client.ask('count-stream', null), 'ok');
  const wheres = [{ unihash: hash(1) }, { method: 'm' }, { unihash: hash(3) }, { outhash: hash(7) }, {}];
  client.send(`${wheres.map((where) => JSON.stringify({ where })).join('\n')}\nEND\n`);
  const counts: (string | null)[] = [];
  for (const _ of wheres) counts.push(await client.line());
  assert.deepEqual(counts, ['{"count": 2}', '{"count": 2}', '{"count": 1}', '{"count": 0}', '{"count": 0}']);
  assert.equal(await client.line(), 'ok');
  assert.deepEqual(await client.ask('gc-status', {}), { keep: 3, remove: 0, mark: null });
});

test('an unknown column, a wrong table and wrong columns are refused', async (t) => {
  const client = await open(t);
  const message = async (command: string, args: Json) =>
    ((await client.ask(command, args)) as { 'invoke-error': { message: string } })['invoke-error'].message;
  assert.match(await message('count-rows', { where: { tashkhash: 'x' } }), /^where: unknown column "tashkhash"/);
  assert.match(await message('export-rows', { table: 'users', after: 0 }), /^export-rows: table /);
  assert.match(await message('export-rows', { table: 'unihashes', after: -1 }), /^export-rows: after /);
  assert.match(
    await message('import-rows', { table: 'unihashes', columns: ['taskhash'], rows: [] }),
    /^import-rows: columns of unihashes must be method, taskhash, unihash/,
  );
});

test('they are for administrators, and a read-only server imports nothing', async (t) => {
  const folder = temporaryFolder(t);
  const anonymous = await open(t, { 'anon-perms': '@read,@report' }, folder);
  for (const [command, args] of [
    ['count-rows', { where: { method: 'm' } }],
    ['count-stream', null],
    ['export-rows', { table: 'unihashes', after: 0 }],
    ['import-rows', { table: 'unihashes', columns: UNIHASH_COLUMNS, rows: [] }],
  ] as const) {
    assert.deepEqual(await anonymous.ask(command, args as Json), {
      'invoke-error': { message: 'Anonymous user is not allowed to access permissions(s) @db-admin' },
    });
  }
  const readOnly = await open(t, { 'read-only': true }, folder);
  assert.deepEqual(await readOnly.ask('export-rows', { table: 'unihashes', after: 0 }), {
    columns: UNIHASH_COLUMNS,
    rows: [],
    next: null,
  });
  const refused = (await importUnihashes(readOnly, [['m', hash(1), hash(1)]])) as {
    'invoke-error': { message: string };
  };
  assert.match(refused['invoke-error'].message, /read-only/);
});
