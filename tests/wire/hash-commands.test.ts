import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { withSqlite } from '../contract/helpers.ts';
import { hash, METHOD, refusal, serve, type WireClient } from './helpers.ts';

type Row = Record<string, Json> | null;

const task = (taskhash: string) => ({ method: METHOD, taskhash });
const report = (taskhash: string, outhash: string, unihash: string, more: { [key: string]: Json } = {}) => ({
  ...task(taskhash),
  outhash,
  unihash,
  ...more,
});

async function stream(client: WireClient, command: string, lines: readonly string[]): Promise<(string | null)[]> {
  client.send(`{"${command}": null}\n${lines.map((line) => `${line}\n`).join('')}END\n`);
  assert.equal(await client.line(), '"ok"');
  const answers: (string | null)[] = [];
  for (const _ of lines) answers.push(await client.line());
  assert.equal(await client.line(), 'ok');
  return answers;
}

describe('report', () => {
  test('gives an output its class, and never takes a unihash back', async (t) => {
    const client = (await serve(t)).connect();
    const unihash = async (args: Json) => ((await client.ask('report', args)) as { unihash: string }).unihash;
    assert.equal(await unihash(report('t1', 'o1', hash(1))), hash(1));
    assert.equal(await unihash(report('t2', 'o1', hash(2))), hash(1));
    assert.equal(await unihash(report('t3', 'o3', hash(3))), hash(3));
    // The same task with another output: new, but its unihash stays.
    assert.equal(await unihash(report('t3', 'o1', hash(4))), hash(3));
    assert.equal(await unihash(report('t4', 'o3', hash(5))), hash(3));
    // Once more the very same report: nothing new.
    assert.equal(await unihash(report('t1', 'o1', hash(9))), hash(1));
    const lines = ['t1', 't2', 't3', 't4', 't9'].map((taskhash) => `${METHOD} ${taskhash}`);
    assert.deepEqual(await stream(client, 'get-stream', lines), [hash(1), hash(1), hash(3), hash(3), '']);
    assert.deepEqual(await stream(client, 'exists-stream', [hash(1), hash(9), hash(3)]), ['true', 'false', 'true']);
  });

  test('restores a unihash that was swept or removed, with the mark of the collection in progress', async (t) => {
    const client = (await serve(t)).connect();
    for (const n of [1, 2]) await client.ask('report', report(`t${n}`, `o${n}`, hash(n)));
    await client.ask('gc-mark', { mark: 'one', where: { unihash: hash(2) } });
    await client.ask('gc-sweep', { mark: 'one' });
    assert.equal(await client.ask('get', task('t1')), null);
    await client.ask('gc-mark', { mark: 'two', where: { unihash: hash(2) } });
    const stored = { ...task('t1'), unihash: hash(3) };
    assert.deepEqual(await client.ask('report', report('t1', 'o1', hash(3))), stored);
    assert.deepEqual(await client.ask('get', task('t1')), stored);
    assert.deepEqual(await client.ask('gc-sweep', { mark: 'two' }), { count: 0 });
    assert.deepEqual(await client.ask('get', task('t1')), stored);
    await client.ask('remove', { where: { unihash: hash(3) } });
    assert.deepEqual(await client.ask('report', report('t1', 'o1', hash(4))), { ...task('t1'), unihash: hash(4) });
    assert.deepEqual(await client.ask('get', task('t1')), { ...task('t1'), unihash: hash(4) });
  });

  test('drops fields it does not know and keeps those it does', async (t) => {
    const client = (await serve(t)).connect();
    const known = { owner: 'me', PN: 'pn', PV: '1', PR: 'r0', task: 'do_x', outhash_siginfo: 'line 1\nline 2' };
    await client.ask('report', report('t1', 'o1', hash(1), { ...known, nonsense: { a: 1 }, __proto__: 'x' }));
    const row = (await client.ask('get-outhash', { ...task('t1'), outhash: 'o1' })) as Row;
    for (const [field, value] of Object.entries(known)) assert.equal(row![field], value);
    assert.deepEqual(Object.keys(row!).includes('nonsense'), false);
    assert.match(String(row!.created), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/);
  });

  test('with a siginfo of a megabyte goes there and back in chunks', async (t) => {
    const client = (await serve(t)).connect();
    const outhash_siginfo = 'é '.repeat(100_000) + 'x'.repeat(900_000);
    await client.ask('report', report('t1', 'o1', hash(1), { outhash_siginfo }));
    const row = (await client.ask('get', { ...task('t1'), all: true })) as Row;
    assert.equal(row!.outhash_siginfo, outhash_siginfo);
  });

  test('of one output by two servers on one database ends in one class', async (t) => {
    const first = await serve(t);
    const second = await serve(t, { folder: first.folder });
    const clients = [first.connect(), second.connect()];
    for (const [c, client] of clients.entries())
      for (let i = 0; i < 50; i++)
        client.send(`${JSON.stringify({ report: report(`t${i}-${c}`, `o${i}`, hash(c)) })}\n`);
    for (let i = 0; i < 50; i++) {
      const [a, b] = [await clients[0]!.message(), await clients[1]!.message()] as { unihash: string }[];
      assert.equal(a!.unihash, b!.unihash);
    }
  });

  test('get-outhash with_unihash=false counts outputs whose task has no unihash', async (t) => {
    const client = (await serve(t)).connect();
    await client.ask('report', report('t1', 'o1', hash(1)));
    await client.ask('remove', { where: { unihash: hash(1) } });
    const query = { ...task('t9'), outhash: 'o1' };
    assert.equal(await client.ask('get-outhash', query), null);
    const row = (await client.ask('get-outhash', { ...query, with_unihash: false })) as Row;
    assert.equal(row!.taskhash, 't1');
    assert.equal('unihash' in row!, false);
  });
});

describe('garbage collection', () => {
  test('keeps what was marked and what came while the mark was current', async (t) => {
    const client = (await serve(t)).connect();
    for (let i = 0; i < 6; i++) await client.ask('report', report(`t${i}`, `o${i}`, hash(i)));
    assert.deepEqual(await client.ask('gc-mark', { mark: 'm', where: { unihash: hash(0), taskhash: null } }), {
      count: 1,
    });
    const marks = [hash(1), hash(2), hash(99)].map((unihash) => JSON.stringify({ mark: 'm', where: { unihash } }));
    assert.deepEqual(await stream(client, 'gc-mark-stream', marks), ['{"count": 1}', '{"count": 1}', '{"count": 0}']);
    await client.ask('report', report('t6', 'o6', hash(6)));
    assert.deepEqual(await client.ask('gc-status', {}), { keep: 4, remove: 3, mark: 'm' });
    assert.equal(
      refusal(await client.ask('gc-sweep', { mark: 'x' })),
      "'x' is not the current mark. Refusing to sweep",
    );
    assert.deepEqual(await client.ask('gc-sweep', { mark: 'm' }), { count: 3 });
    assert.deepEqual(await client.ask('gc-status', {}), { keep: 0, remove: 4, mark: null });
    const left = await stream(
      client,
      'get-stream',
      [0, 3, 6].map((n) => `${METHOD} t${n}`),
    );
    assert.deepEqual(left, [hash(0), '', hash(6)]);
    assert.deepEqual(await stream(client, 'exists-stream', [hash(0), hash(3)]), ['true', 'false']);
    assert.match(refusal(await client.ask('gc-sweep', { mark: 'm' })), /not the current mark/);
  });

  test('a new mark begins a new collection', async (t) => {
    const client = (await serve(t)).connect();
    await client.ask('report', report('t1', 'o1', hash(1)));
    await client.ask('gc-mark', { mark: 'one', where: { method: METHOD } });
    await client.ask('gc-mark', { mark: 'two', where: { taskhash: 'none' } });
    assert.deepEqual(await client.ask('gc-status', {}), { keep: 0, remove: 1, mark: 'two' });
  });

  test('marks of a stream take effect line by line, also where they change and come in pieces', async (t) => {
    const server = await serve(t);
    const client = server.connect();
    for (let i = 0; i < 8; i++) await client.ask('report', report(`t${i}`, `o${i}`, hash(i)));
    const marks = new Map<string, string>();
    const lines: string[] = [];
    for (let i = 0; i < 240; i++) {
      const [row, mark] = [(i * 7) % 8, `mark ${(i * 5) % 3}`];
      // By unihash several lines are marked together, by taskhash each by itself.
      const where = i % 3 === 0 ? { taskhash: `t${row}` } : { unihash: hash(row) };
      lines.push(`${JSON.stringify({ mark, where })}\n`);
      marks.set(`t${row}`, mark);
    }
    client.send('{"gc-mark-stream": null}\n');
    assert.equal(await client.line(), '"ok"');
    const text = `${lines.join('')}END\n`;
    for (let at = 0, size = 1; at < text.length; at += size, size = 1 + ((size * 37) % 400))
      client.send(text.slice(at, at + size));
    for (const line of lines) assert.equal(await client.line(), '{"count": 1}', line);
    assert.equal(await client.line(), 'ok');
    for (const [taskhash, mark] of marks) {
      const row = (await client.ask('get', { ...task(taskhash), all: true })) as Row;
      assert.equal(row!.gc_mark, mark, taskhash);
    }
    const { mark } = (await client.ask('gc-status', {})) as { mark: string };
    assert.equal(mark, `mark ${(239 * 5) % 3}`);
  });

  test('lines of a mark stream see the marks of those before them', async (t) => {
    const client = (await serve(t)).connect();
    await client.ask('report', report('t1', 'o1', hash(1)));
    const lines = [{}, { gc_mark: '' }, { gc_mark: 'm' }].map((more) =>
      JSON.stringify({ mark: 'm', where: { unihash: hash(1), ...more } }),
    );
    const counts = [1, 0, 1].map((count) => `{"count": ${count}}`);
    assert.deepEqual(await stream(client, 'gc-mark-stream', lines), counts);
  });

  test('nothing behind a bad line of a mark stream takes effect, however soon it came', async (t) => {
    const server = await serve(t);
    const client = server.connect();
    for (const i of [1, 2]) await client.ask('report', report(`t${i}`, `o${i}`, hash(i)));
    const line = (mark: string, n: number) => JSON.stringify({ mark, where: { unihash: hash(n) } });
    client.send('{"gc-mark-stream": null}\n');
    assert.equal(await client.line(), '"ok"');
    client.send(`${line('good', 1)}\nbad\n`);
    client.send(`${line('behind', 2)}\nEND\n`);
    assert.equal(await client.line(), '{"count": 1}');
    assert.match(refusal(await client.message()), /Bad line in the stream/);
    assert.equal(await client.line(), null);
    const other = server.connect();
    // Marks take turns: whatever was begun before is done when this is answered.
    await other.ask('gc-mark', { mark: 'last', where: { unihash: hash(9) } });
    const row = (await other.ask('get', { ...task('t2'), all: true })) as Row;
    assert.equal(row!.gc_mark, '');
  });

  test('a sweep that would keep nothing and remove some is refused', async (t) => {
    const client = (await serve(t)).connect();
    await client.ask('gc-mark', { mark: 'm', where: { unihash: hash(9) } });
    assert.deepEqual(await client.ask('gc-sweep', { mark: 'm' }), { count: 0 }, 'nothing to remove');
    await client.ask('report', report('t1', 'o1', hash(1)));
    await client.ask('gc-mark', { mark: 'm', where: { unihash: hash(9) } });
    assert.match(refusal(await client.ask('gc-sweep', { mark: 'm' })), /No row is marked 'm'.*Refusing to sweep/);
    assert.deepEqual(await client.ask('get', task('t1')), { ...task('t1'), unihash: hash(1) });
  });

  test('remove with an unknown column beside a known one removes nothing', async (t) => {
    const client = (await serve(t)).connect();
    await client.ask('report', report('t1', 'o1', hash(1)));
    assert.match(refusal(await client.ask('remove', { where: { method: METHOD, tashkhash: 't1' } })), /"tashkhash"/);
    assert.match(refusal(await client.ask('remove', { where: { method: METHOD, tashkhash: null } })), /"tashkhash"/);
    assert.deepEqual(await client.ask('remove', { where: {} }), { count: 0 });
    assert.deepEqual(await client.ask('remove', { where: { method: null } }), { count: 0 });
    assert.deepEqual(await client.ask('remove', { where: { method: METHOD, outhash: 'other' } }), { count: 1 });
    assert.deepEqual(await client.ask('get-db-usage', {}), {
      usage: { unihashes_v3: { rows: 0 }, outhashes_v2: { rows: 1 }, users: { rows: 0 }, config: { rows: 0 } },
    });
  });

  test('clean-unused removes what is older than the age, not what is younger, and nothing in use', async (t) => {
    const server = await serve(t);
    const client = server.connect();
    const names = ['old', 'young', 'used'];
    for (const [i, name] of names.entries()) await client.ask('report', report(name, `o-${name}`, hash(i)));
    for (const i of [0, 1]) assert.deepEqual(await client.ask('remove', { where: { unihash: hash(i) } }), { count: 1 });
    await withSqlite(`${server.folder}/hashserv.db`, (run) =>
      run("UPDATE outhashes_v2 SET created = '2020-01-01T00:00:00.000000+00:00' WHERE taskhash <> 'young'"),
    );
    const left = async () => {
      const found: Json[] = [];
      for (const name of names) {
        const query = { ...task('x'), outhash: `o-${name}`, with_unihash: false };
        found.push(((await client.ask('get-outhash', query)) as Row)?.taskhash ?? null);
      }
      return found;
    };
    assert.deepEqual(await client.ask('clean-unused', { max_age_seconds: 1e9 }), { count: 0 });
    assert.deepEqual(await left(), names);
    assert.deepEqual(await client.ask('clean-unused', { max_age_seconds: 86_400 }), { count: 1 });
    assert.deepEqual(await left(), [null, 'young', 'used']);
  });
});

describe('statistics', () => {
  test('count requests and stream lines; reset gives the figures before it', async (t) => {
    const client = (await serve(t)).connect();
    const figures = async (command: string) =>
      ((await client.ask(command, null)) as { requests: Record<string, number> }).requests;
    await client.ask('get', task('t1'));
    await stream(client, 'get-stream', [`${METHOD} a`, `${METHOD} b`, `${METHOD} c`]);
    const before = await figures('get-stats');
    assert.deepEqual(Object.keys(before).sort(), ['average', 'max_time', 'num', 'stdev', 'total_time']);
    assert.ok(before.num! >= 4 && before.num! <= 6, `${before.num}`);
    assert.ok(before.total_time! > 0 && before.max_time! <= before.total_time!);
    assert.ok((await figures('reset-stats')).num! >= before.num!);
    assert.ok((await figures('get-stats')).num! <= 2);
  });

  test('without an upstream nothing waits to be backfilled', async (t) => {
    assert.deepEqual(await (await serve(t)).connect().ask('backfill-wait', null), { tasks: 0 });
  });
});

describe('log lines', () => {
  test('hold nothing of a login, whatever is wrong with it', async (t) => {
    const lines: string[] = [];
    const at = (message: string, fields?: object) =>
      void lines.push(
        `${message} ${JSON.stringify(fields, (_, value) => (value instanceof Error ? `${value.stack} ${JSON.stringify(value.cause ?? null, Object.getOwnPropertyNames(value.cause ?? {}))}` : value))}`,
      );
    const log = { error: at, warn: at, info: at, debug: at };
    const server = await serve(t, { log });
    const attempts = [
      '{"auth": {"username": "me", "token": "hush-hush"}}\n',
      '{"auth": {"username": 5, "token": "hush-hush"}}\n',
      '{"auth": {"username": "me", "token": "hush-hush"}\n',
      '{"auth": {"token": "hush-hush"}, "ping": {}}\n',
      `{"auth": {"username": "me", "token": "hush-hush"}}${'x'.repeat(70_000)}\n`,
      Buffer.from('{"auth": {"token": "hush-hush\xff"}}\n', 'latin1'),
    ];
    for (const attempt of attempts) {
      const client = server.connect();
      client.send(attempt);
      refusal(await client.message());
    }
    assert.ok(lines.some((line) => line.startsWith('bad input')));
    for (const line of lines) assert.doesNotMatch(line, /hush/);
  });
});
