import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HASH_COMMANDS } from '../../lib/hashserv/commands/table.ts';
import { METRICS } from '../../lib/metrics/table.ts';
import { PR_COMMANDS } from '../../lib/prserv/commands/table.ts';
import { type Scrape, scrape } from '../metrics-helpers.ts';
import { MEMORY, METHOD, refusal, serve, TCP, type WireClient } from './helpers.ts';

const hash = (text: string) => createHash('sha256').update(text).digest('hex');
const PR = { version: 'pkg-1.0-r0', pkgarch: 'core2-64', checksum: 'a'.repeat(64) };

async function report(client: WireClient, taskhash: string, outhash = hash('o')): Promise<void> {
  const answer = await client.ask('report', { method: METHOD, taskhash, outhash, unihash: taskhash });
  assert.deepEqual((answer as { taskhash: string }).taskhash, taskhash);
}

/** Asks the lines in stream mode, all at once, and gives back what was answered. */
async function stream(client: WireClient, command: string, lines: readonly string[]): Promise<string[]> {
  client.send(`{"${command}": null}\n`);
  assert.equal(await client.line(), '"ok"');
  client.send(`${[...lines, 'END'].join('\n')}\n`);
  const answers: string[] = [];
  for (let i = 0; i < lines.length; i++) answers.push((await client.line())!);
  assert.equal(await client.line(), 'ok');
  return answers;
}

describe('metrics count what clients did', () => {
  test('requests by service, command and result', async (t) => {
    const { app, connect } = await serve(t);
    const client = connect();
    await report(client, hash('1'));
    await report(client, hash('2'));
    await client.ask('get', { method: METHOD, taskhash: hash('1') });
    await client.ask('get', { method: METHOD, taskhash: hash('none') });
    refusal(await client.ask('get', { method: METHOD }));
    refusal(await client.ask('get-all-users', {}));
    refusal(await client.ask('made-up', {}));
    refusal(await client.ask('__proto__', {}));
    client.send('[1]\n');
    refusal(await client.message());
    const pr = connect('PRSERVICE 1.0');
    await pr.ask('get-pr', { ...PR, history: false });
    refusal(await pr.ask('report', {}));
    const shown = await scrape(app);
    assert.deepEqual(shown.counts('bakeserv_requests_total'), {
      'hashserv report ok': 2,
      'hashserv get ok': 2,
      'hashserv get refused': 1,
      'hashserv get-all-users refused': 1,
      'hashserv unknown refused': 3,
      'prserv get-pr ok': 1,
      'prserv unknown refused': 1,
    });
    const times = 'bakeserv_request_duration_seconds_count';
    assert.equal(shown.value(times, { command: 'report', result: 'ok' }), 2);
    assert.equal(shown.value(times, { command: 'get', result: 'refused' }), 1);
    assert.equal(shown.value('bakeserv_request_duration_seconds_bucket', { command: 'report', le: '+Inf' }), 2);
  });

  test('a long request that is refused by its name alone counts once, under its command', async (t) => {
    const { app, connect } = await serve(t, { flags: { 'anon-perms': '@read' } });
    const client = connect();
    refusal(await client.ask('remove', { where: { method: 'x'.repeat(10_000) } }));
    refusal(await client.ask('made-up', { text: 'x'.repeat(10_000) }));
    assert.deepEqual((await scrape(app)).counts('bakeserv_requests_total'), {
      'hashserv remove refused': 1,
      'hashserv unknown refused': 1,
    });
  });

  test('requests of one run, each with its own result', async (t) => {
    const { app, connect } = await serve(t);
    const client = connect();
    const good = { method: METHOD, taskhash: hash('1'), outhash: hash('o'), unihash: hash('1') };
    const bad = { ...good, unihash: 'not a unihash' };
    client.send([good, bad, good, good].map((args) => `${JSON.stringify({ report: args })}\n`).join(''));
    for (let i = 0; i < 4; i++) await client.message();
    const shown = await scrape(app);
    assert.deepEqual(shown.counts('bakeserv_requests_total'), {
      'hashserv report ok': 3,
      'hashserv report refused': 1,
    });
  });

  for (const transport of [MEMORY, TCP]) {
    test(`hits and misses of streams, line by line, over ${transport.name}`, async (t) => {
      const { app, connect } = await serve(t, { transport });
      const client = connect();
      const known = Array.from({ length: 30 }, (_, i) => hash(`known ${i}`));
      for (const taskhash of known) await report(client, taskhash, hash(`out ${taskhash}`));
      const lines = Array.from(
        { length: 400 },
        (_, i) => `${METHOD} ${i % 4 === 0 ? known[i % 30]! : hash(`no ${i}`)}`,
      );
      const answers = await stream(client, 'get-stream', lines);
      for (const [i, answer] of answers.entries()) assert.equal(answer, i % 4 === 0 ? known[i % 30]! : '');
      const exist = await stream(client, 'exists-stream', [known[0]!, hash('nowhere'), known[1]!]);
      assert.deepEqual(exist, ['true', 'false', 'true']);
      const shown = await scrape(app);
      assert.deepEqual(shown.counts('bakeserv_stream_lines_total'), {
        'hashserv get-stream hit': 100,
        'hashserv get-stream miss': 300,
        'hashserv exists-stream hit': 2,
        'hashserv exists-stream miss': 1,
      });
      assert.equal(shown.value('bakeserv_stream_line_duration_seconds_count', { command: 'get-stream' }), 400);
      assert.equal(shown.value('bakeserv_requests_total', { command: 'get-stream', result: 'ok' }), 1);
      const cached = shown.value('bakeserv_cache_hits_total', { cache: 'unihashes' });
      assert.equal(cached + shown.value('bakeserv_cache_misses_total', { cache: 'unihashes' }), 403);
    });
  }

  test('the good lines before a bad one, and lines that mark', async (t) => {
    const { app, connect } = await serve(t);
    const client = connect();
    await report(client, hash('1'));
    const marked = await stream(client, 'gc-mark-stream', [
      JSON.stringify({ mark: 'now', where: { unihash: hash('1') } }),
      JSON.stringify({ mark: 'now', where: { unihash: hash('2') } }),
    ]);
    assert.equal(marked.length, 2);
    client.send(
      `{"get-stream": null}\n${METHOD} ${hash('1')}\n${METHOD} ${hash('3')}\nthis is bad line\n${METHOD} ${hash('1')}\n`,
    );
    assert.equal(await client.line(), '"ok"');
    await client.rest();
    assert.deepEqual((await scrape(app)).counts('bakeserv_stream_lines_total'), {
      'hashserv gc-mark-stream answered': 2,
      'hashserv get-stream hit': 1,
      'hashserv get-stream miss': 1,
    });
  });

  test('the plain form as the other', async (t) => {
    const { app, dial } = await serve(t);
    const client = dial();
    const ask = async (request: object) => {
      client.send(`${JSON.stringify({ id: 1, ...request })}\n`);
      return JSON.parse((await client.line())!);
    };
    await ask({ method: 'get-pr', params: { ...PR, history: false } });
    await ask({ method: 'get-stream', params: { lines: [`${METHOD} ${hash('1')}`] } });
    assert.ok((await ask({ method: 'nothing such' })).error);
    const shown = await scrape(app);
    assert.deepEqual(shown.counts('bakeserv_requests_total'), {
      'prserv get-pr ok': 1,
      'hashserv get-stream ok': 1,
      'none unknown refused': 1,
    });
    assert.deepEqual(shown.counts('bakeserv_stream_lines_total'), { 'hashserv get-stream miss': 1 });
  });

  test('logins, by result', async (t) => {
    const { app, connect } = await serve(t, {
      flags: { 'admin-user': 'root', 'admin-password': 'secret' },
      limits: { loginFailureDelayMs: 1 },
    });
    const client = connect();
    refusal(await client.ask('auth', { username: 'root', token: 'wrong' }));
    refusal(await client.ask('auth', { username: 'nobody', token: 'wrong' }));
    await client.ask('auth', { username: 'root', token: 'secret' });
    assert.deepEqual((await scrape(app)).counts('bakeserv_logins_total'), { 'hashserv ok': 1, 'hashserv refused': 2 });
  });

  test('bytes and connections', async (t) => {
    const { app, connect } = await serve(t);
    const [client, other] = [connect(), connect()];
    await other.ask('ping', {});
    const sent = 'OEHASHEQUIV 1.1\nneeds-headers: false\n\n{"ping":{}}\n'.length;
    await client.ask('ping', {});
    const shown = await scrape(app);
    assert.equal(shown.value('bakeserv_connections'), 2);
    assert.equal(shown.value('bakeserv_received_bytes_total'), 2 * sent);
    assert.equal(shown.value('bakeserv_sent_bytes_total'), 2 * '{"alive": true}\n'.length);
    const gone = new Promise((resolve) => other.stream.once('close', resolve));
    other.close();
    await gone;
    await client.ask('ping', {});
    const after = await scrape(app);
    assert.equal(after.value('bakeserv_connections'), 1);
    assert.equal(after.value('bakeserv_connections_accepted_total'), 2);
  });

  test('what is written, and what a cache saves', async (t) => {
    const { app, connect } = await serve(t);
    const client = connect();
    const pr = connect('PRSERVICE 1.0');
    await Promise.all(Array.from({ length: 20 }, (_, i) => report(connect(), hash(`${i}`))));
    // The first look for commits of others, 100 ms after the start, forgets what is in memory: it may come in between.
    let asked = 0;
    let shown: Scrape;
    do {
      for (let twice = 0; twice < 2; twice++, asked++) await pr.ask('get-pr', { ...PR, history: false });
      shown = await scrape(app);
    } while (shown.value('bakeserv_cache_entries', { cache: 'packages' }) !== 1 && !t.signal.aborted);
    assert.equal(shown.value('bakeserv_write_batch_operations_sum', { database: 'hashserv' }), 20);
    const batches = shown.value('bakeserv_write_batch_operations_count', { database: 'hashserv' });
    assert.ok(batches >= 1 && batches <= 20);
    assert.equal(shown.value('bakeserv_write_batch_duration_seconds_count', { database: 'hashserv' }), batches);
    assert.ok(shown.value('bakeserv_commit_duration_seconds_count', { database: 'hashserv' }) >= batches);
    assert.deepEqual(shown.counts('bakeserv_write_failures_total'), {});
    const packages = { cache: 'packages' };
    const hits = shown.value('bakeserv_cache_hits_total', packages);
    assert.equal(hits + shown.value('bakeserv_cache_misses_total', packages), asked);
    assert.equal(shown.value('bakeserv_cache_entries', packages), 1);
    assert.ok(shown.value('bakeserv_wal_bytes', { database: 'hashserv' }) > 0);
    assert.ok(shown.value('bakeserv_disk_free_bytes', { database: 'prserv' }) > 0);
    await client.ask('ping', {});
  });
});

test('everything in the table is shown, as the table has it', async (t) => {
  const { app } = await serve(t, { flags: { 'hashserv-upstream': 'unix:///nowhere/s' } });
  const shown = await scrape(app);
  for (const { rows } of METRICS) {
    for (const { name, kind, help } of rows) {
      const family = shown.families.get(name);
      assert.ok(family, name);
      assert.deepEqual([family.type, family.help], [kind, help]);
    }
  }
  assert.equal(shown.families.size, METRICS.flatMap(({ rows }) => rows).length);
});

/** Label values that are not in a closed set of the table, beside the commands and the addresses. */
function strangers(shown: Scrape): string[] {
  const commands = ['unknown', ...Object.keys(HASH_COMMANDS), ...Object.keys(PR_COMMANDS)];
  const found: string[] = [];
  for (const { labels, name } of METRICS.flatMap(({ rows }) => rows)) {
    for (const sample of shown.families.get(name)!.samples) {
      for (const [label, value] of Object.entries(sample.labels)) {
        const values = label === 'le' ? null : label === 'command' ? commands : labels[label]!;
        if (label === 'listener') assert.match(value, /^(other|unix:\/\/.*|[\d.]+:\d+)$/);
        else if (Array.isArray(values) && !values.includes(value)) found.push(`${name} ${label}=${value}`);
        else if (values === undefined) found.push(`${name} has no label ${label}`);
      }
    }
  }
  return found;
}

test('no label value comes from a client, whatever it sends', async (t) => {
  const { app, connect, dial } = await serve(t, { limits: { loginFailureDelayMs: 1 } });
  const names = fc.oneof(fc.string(), fc.constantFrom('get', 'report', 'constructor', 'get-stream', 'auth', 'hit'));
  const said = fc.oneof(
    fc.tuple(names, fc.jsonValue()).map(([name, argument]) => JSON.stringify({ [name]: argument })),
    fc.tuple(names, names).map(([method, service]) => JSON.stringify({ id: 1, method, service, params: {} })),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(said, { maxLength: 8 }), fc.boolean(), names, async (lines, isPlain, protocol) => {
      const client = isPlain ? dial() : connect(protocol.startsWith('g') ? `${protocol} 1.1` : undefined);
      client.send(`${lines.map((line) => line.replaceAll('\n', ' ')).join('\n')}\n{"id": 2, "method": "ping"}\n`);
      client.stream.end();
      await client.rest();
    }),
    { numRuns: 60 },
  );
  const shown = await scrape(app);
  assert.deepEqual(strangers(shown), []);
  const series = [...shown.families.values()].reduce((sum, { samples }) => sum + samples.length, 0);
  assert.ok(series < 2000, `${series} lines`);
});

test('two scrapers at once share a collection, under load', async (t) => {
  const { app, connect } = await serve(t);
  const source = await app.metrics.source();
  const [one, two] = await Promise.all([source.text(), source.text()]);
  assert.equal(one, two);
  let asked = 0;
  let over = false;
  const load = Array.from({ length: 4 }, async () => {
    const client = connect();
    while (!over) {
      asked++;
      await report(client, hash(`${asked}`), hash(`out ${asked}`));
    }
  });
  for (let i = 0; i < 5; i++) {
    const shown = await scrape(app);
    const buckets = shown.of('bakeserv_request_duration_seconds_bucket', { command: 'report', result: 'ok' });
    const values = buckets.map(({ value }) => value);
    assert.deepEqual(
      values,
      [...values].sort((a, b) => a - b),
      'buckets add up',
    );
  }
  over = true;
  await Promise.all(load);
  const shown = await scrape(app);
  assert.equal(shown.value('bakeserv_requests_total', { command: 'report', result: 'ok' }), asked);
});
