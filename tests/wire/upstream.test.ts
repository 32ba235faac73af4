import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { fakeUpstream, unihashOf } from './fake-upstream.ts';
import { temporaryFolder } from './helpers.ts';
import { recorder, site, stream } from './upstream-helpers.ts';

const own = (n: number) => n.toString(16).padStart(64, '0');

interface Stats {
  readonly upstream: { readonly [key: string]: string | number };
}

/** A gate for the fake upstream's answers. */
function gate(): { readonly closed: Promise<void>; open(): void } {
  let open = () => {};
  const closed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { closed, open };
}

test('60 concurrent reports of one outhash with a slow upstream get one unihash', async (t) => {
  const fake = await fakeUpstream(t);
  const slow = gate();
  fake.gate = slow.closed;
  const server = await site(t, fake.address);
  const reports = Array.from({ length: 60 }, (_, i) =>
    server.hash().ask('report', { method: 'm', taskhash: `t${i}`, outhash: 'unknown-upstream', unihash: own(i) }),
  );
  // A client that came later than all of them has been answered, so theirs have been read.
  await server.hash().ask('ping', {});
  slow.open();
  const unihashes = new Set((await Promise.all(reports)).map((reply) => (reply as { unihash: string }).unihash));
  assert.equal(unihashes.size, 1);
});

test('a report restores a removed unihash with what the upstream has for the output', async (t) => {
  const fake = await fakeUpstream(t);
  const client = (await site(t, fake.address)).hash();
  const report = { method: 'm', taskhash: 't', outhash: 'a-known-upstream', unihash: own(1) };
  const stored = { method: 'm', taskhash: 't', unihash: unihashOf('m t') };
  assert.deepEqual(await client.ask('report', report), stored);
  await client.ask('remove', { where: { unihash: stored.unihash } });
  assert.deepEqual(await client.ask('report', report), stored);
  await fake.become('refused');
  assert.deepEqual(await client.ask('get', { method: 'm', taskhash: 't' }), stored, 'and it is stored');
});

test('50 clients with the same 1,000 look-ups at once cause 1,000 upstream look-ups', async (t) => {
  const fake = await fakeUpstream(t);
  const server = await site(t, fake.address);
  const tasks = Array.from({ length: 1000 }, (_, i) => `m a${i}`);
  const slow = gate();
  fake.gate = slow.closed;
  const clients = Array.from({ length: 50 }, () => stream(server.hash(), 'get-stream', tasks));
  await server.hash().ask('ping', {});
  slow.open();
  for (const answers of await Promise.all(clients)) assert.deepEqual(answers, tasks.map(unihashOf));
  assert.equal(fake.asked.get('get-stream')!.filter((line) => tasks.includes(line)).length, 1000);
  assert.equal(fake.connections, 1, 'one connection for all clients');
});

test('hits are kept in the background, and backfill-wait waits for all of them', async (t) => {
  const fake = await fakeUpstream(t);
  const folder = temporaryFolder(t as never);
  const server = await site(t, fake.address, {}, { folder });
  const tasks = Array.from({ length: 3333 }, (_, i) => `m a${i}`);
  const client = server.hash();
  await stream(client, 'get-stream', tasks);
  await client.ask('backfill-wait', null);
  const { upstream } = (await client.ask('get-stats', null)) as unknown as Stats;
  assert.equal(upstream.backfill_queued, 0);
  assert.equal(upstream.backfill_stored, 3333);
  await fake.become('refused');
  assert.deepEqual(await stream(server.hash(), 'get-stream', tasks), tasks.map(unihashOf));
});

test('what a stream has answered from the upstream stays the unihash of its task, whatever is reported right behind it', async (t) => {
  const fake = await fakeUpstream(t);
  const client = (await site(t, fake.address)).hash();
  const tasks = Array.from({ length: 3000 }, (_, i) => `m a${i}`);
  const reported = tasks.slice(-300);
  const requests = reported.map((task, i) => {
    const key = { method: 'm', taskhash: task.slice(2), unihash: own(i) };
    return JSON.stringify(i % 2 ? { report: { ...key, outhash: `local${i}` } } : { 'report-equiv': key });
  });
  // All at once: the reports come while what the stream has answered waits to be stored.
  client.send(`{"get-stream": null}\n${tasks.join('\n')}\nEND\n${requests.join('\n')}\n`);
  assert.equal(await client.line(), '"ok"');
  for (const task of tasks) assert.equal(await client.line(), unihashOf(task));
  assert.equal(await client.line(), 'ok');
  for (const task of reported) {
    const reply = { taskhash: task.slice(2), method: 'm', unihash: unihashOf(task) };
    assert.deepEqual(JSON.parse((await client.line())!), reply);
  }
  await fake.become('refused');
  assert.deepEqual(await stream(client, 'get-stream', reported), reported.map(unihashOf));
});

test('what a remove matches does not come back from what waits to be stored', async (t) => {
  const fake = await fakeUpstream(t);
  const client = (await site(t, fake.address)).hash();
  const tasks = Array.from({ length: 3000 }, (_, i) => `${i % 2 ? 'm' : 'kept'} a${i}`);
  const remove = JSON.stringify({ remove: { where: { method: 'm' } } });
  client.send(`{"get-stream": null}\n${tasks.join('\n')}\nEND\n${remove}\n{"backfill-wait": null}\n`);
  assert.equal(await client.line(), '"ok"');
  for (const task of tasks) assert.equal(await client.line(), unihashOf(task));
  assert.equal(await client.line(), 'ok');
  assert.match((await client.line())!, /^\{"count": \d+\}$/);
  await client.line();
  assert.deepEqual(await client.ask('count-rows', { where: { method: 'm' } }), { unihashes: 0, outhashes: 0 });
  assert.deepEqual(await client.ask('count-rows', { where: { method: 'kept' } }), { unihashes: 1500, outhashes: 0 });
});

test('backfill-wait returns although the upstream is gone', async (t) => {
  const fake = await fakeUpstream(t);
  const server = await site(t, fake.address, { 'upstream-timeout': 0.3 });
  const client = server.hash();
  await stream(client, 'get-stream', ['m a1']);
  await fake.become('hanging mid-stream');
  const other = stream(server.hash(), 'get-stream', ['m a2']);
  const { tasks } = (await client.ask('backfill-wait', null)) as { tasks: number };
  assert(tasks <= 1);
  assert.deepEqual(await other, ['']);
});

test('a read-only server reads through and keeps nothing', async (t) => {
  const fake = await fakeUpstream(t);
  const folder = temporaryFolder(t as never);
  await (await site(t, null, {}, { folder })).close();
  const server = await site(t, fake.address, { 'read-only': true }, { folder });
  const client = server.hash();
  const unihash = unihashOf('m a1');
  assert.deepEqual(await client.ask('get', { method: 'm', taskhash: 'a1' }), { taskhash: 'a1', method: 'm', unihash });
  assert.deepEqual(await stream(client, 'get-stream', ['m a1', 'm b1']), [unihash, '']);
  const row = (await client.ask('get-outhash', { method: 'm', outhash: 'a1', taskhash: 'x' })) as { PN: string };
  assert.equal(row.PN, 'pn');
  const report = { method: 'm', taskhash: 'x', outhash: 'a1', unihash: own(1) };
  assert.equal(((await client.ask('report', report)) as { unihash: string }).unihash, unihashOf('m x'));
  await client.ask('backfill-wait', null);
  const { usage } = (await client.ask('get-db-usage', {})) as { usage: Record<string, { rows: number }> };
  assert.deepEqual([usage.unihashes_v3!.rows, usage.outhashes_v2!.rows], [0, 0]);
});

test('misses are asked again at once, unless --upstream-miss-ttl remembers them; report and remove forget', async (t) => {
  const asked = ({ asked }: { asked: ReadonlyMap<string, readonly string[]> }) =>
    asked.get('get-stream')?.filter((line) => line.startsWith('m ')).length ?? 0;
  const eager = await fakeUpstream(t);
  const client = (await site(t, eager.address)).hash();
  for (let i = 0; i < 3; i++) await stream(client, 'get-stream', ['m b1']);
  assert.equal(asked(eager), 3);

  const fake = await fakeUpstream(t);
  const server = await site(t, fake.address, { 'upstream-miss-ttl': 600 });
  const farm = server.hash();
  for (let i = 0; i < 3; i++) assert.deepEqual(await stream(farm, 'get-stream', ['m b1', 'm b2']), ['', '']);
  assert.equal(await farm.ask('get', { method: 'm', taskhash: 'b2' }), null);
  assert.deepEqual([asked(fake), fake.asked.get('get')], [2, undefined]);
  await farm.ask('remove', { where: { taskhash: 'b1' } });
  await stream(farm, 'get-stream', ['m b1']);
  assert.equal(asked(fake), 3, 'a removed task is asked again');
  const { unihash } = (await farm.ask('report-equiv', { method: 'm', taskhash: 'b1', unihash: own(1) })) as {
    unihash: string;
  };
  assert.deepEqual(await stream(farm, 'get-stream', ['m b1']), [unihash]);
});

test('an upstream away is two log lines, one when it goes and one when it is back, and get-stats shows it', async (t) => {
  const fake = await fakeUpstream(t, 'refused');
  const log = recorder();
  const server = await site(t, fake.address, { 'upstream-timeout': 0.3, 'no-prserv': true }, { log });
  const client = server.hash();
  const state = async () => ((await client.ask('get-stats', null)) as unknown as Stats).upstream;
  for (let i = 0; (await state()).breaker !== 'open'; i++) await stream(client, 'get-stream', [`m a${i}`]);
  for (let i = 0; i < 50; i++) await stream(client, 'get-stream', [`m a${i}`]);
  assert.equal(log.count('upstream'), 1, log.lines.join('\n'));
  assert.match(log.lines.find((line) => line.includes('upstream'))!, /^warn: upstream does not answer.*no such socket/);
  const before = await state();
  assert.equal(before.address, fake.address);
  assert(Number(before.unanswered) >= 50);
  assert.equal(before.asked, before.unanswered);
  await fake.become('right');
  // In memory a conversation takes no turn of the event loop, and the probe's answer needs one.
  while ((await state()).breaker === 'open') await new Promise(setImmediate);
  assert.deepEqual(await stream(client, 'get-stream', ['m a1']), [unihashOf('m a1')]);
  assert.equal(log.count('upstream'), 2, log.lines.join('\n'));
  assert.match(log.lines.at(-1)!, /^info: upstream answers again/);
});

test('logs in at the upstream with user and token, on every connection', async (t) => {
  const fake = await fakeUpstream(t);
  fake.login = 'builder:secret';
  const tokenFile = path.join(temporaryFolder(t as never), 'token');
  fs.writeFileSync(tokenFile, 'secret\n', { mode: 0o600 });
  const login = { 'hashserv-upstream-user': 'builder', 'hashserv-upstream-token-file': tokenFile };
  const server = await site(t, fake.address, { ...login, prserv: false });
  const client = server.hash();
  assert.deepEqual(await stream(client, 'get-stream', ['m a1']), [unihashOf('m a1')]);
  assert.notEqual(await client.ask('get', { method: 'm', taskhash: 'a2' }), null);
  assert.equal(fake.asked.get('auth')!.length, 2);
});

test('a refused login is said once in the log, and everything is a miss', async (t) => {
  const fake = await fakeUpstream(t);
  fake.login = 'builder:secret';
  const log = recorder();
  const login = { 'hashserv-upstream-user': 'builder', 'hashserv-upstream-token': 'wrong' };
  const server = await site(t, fake.address, { ...login, prserv: false }, { log });
  const client = server.hash();
  for (let i = 0; i < 20; i++) {
    assert.deepEqual(await stream(client, 'get-stream', [`m a${i}`]), ['']);
    assert.equal(await client.ask('get', { method: 'm', taskhash: `a${i}` }), null);
  }
  assert.equal(log.count('the login is refused: Unable to authenticate as builder'), 1, log.lines.join('\n'));
  assert.equal(log.count('wrong'), 0, 'the token is not logged');
  const { upstream } = (await client.ask('get-stats', null)) as unknown as Stats;
  assert.equal(upstream.breaker, 'open');
});

test('a server stops promptly while look-ups wait for the upstream, and answers them', async (t) => {
  const fake = await fakeUpstream(t, 'hanging mid-stream');
  const server = await site(t, fake.address, { 'upstream-timeout': 60 }, { limits: { drainTimeoutMs: 30_000 } });
  const waiting: Promise<Json | string[]>[] = [
    server.hash().ask('get', { method: 'm', taskhash: 'a1' }),
    server.hash().ask('report', { method: 'm', taskhash: 't', outhash: 'o', unihash: own(1) }),
  ];
  const streaming = server.hash();
  streaming.send('{"get-stream": null}\nm a1\nm a2\n');
  assert.equal(await streaming.line(), '"ok"');
  const before = performance.now();
  await server.close();
  assert(performance.now() - before < 10_000, 'long before the look-ups would have been given up');
  assert.deepEqual(await Promise.all(waiting), [null, { taskhash: 't', method: 'm', unihash: own(1) }]);
  assert.deepEqual([await streaming.line(), await streaming.line()], ['', '']);
});

test('one answer that is none costs that look-up, not those beside it', async (t) => {
  const fake = await fakeUpstream(t);
  const server = await site(t, fake.address);
  const client = server.hash();
  await stream(client, 'get-stream', ['m a0']);
  await fake.become('sending garbage');
  const lost = stream(server.hash(), 'get-stream', ['m a1']);
  assert.deepEqual(await lost, ['']);
  await fake.become('right');
  assert.deepEqual(await stream(client, 'get-stream', ['m a2', 'm b1', 'm a3']), [
    unihashOf('m a2'),
    '',
    unihashOf('m a3'),
  ]);
});

test('a refusal whose message is no text is a miss, said in the log, and the connection goes on', async (t) => {
  const log = recorder();
  const fake = await fakeUpstream(t);
  const server = await site(t, fake.address, {}, { log });
  const client = server.hash();
  const get = (taskhash: string) => client.ask('get', { method: 'm', taskhash });
  assert.notEqual(await get('a0'), null);
  const before = fake.connections;
  await fake.become('answering with errors without a text');
  assert.equal(await get('a1'), null);
  await fake.become('right');
  assert.notEqual(await get('a2'), null);
  assert.equal(fake.connections, before);
  assert.equal(log.count('get: the server refused and did not say why'), 1);
});
