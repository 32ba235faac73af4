import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { LOOKUPS_VIEW } from '../../lib/cli/insights/lookups-view.ts';
import { csvLines, tableLines } from '../../lib/cli/insights/table.ts';
import type { Answer } from '../../lib/cli/insights/view.ts';
import { SILENT } from '../../lib/log.ts';
import type { LookupsView } from '../../lib/recorder/view.ts';
import { startServer } from '../../lib/server.ts';
import { configIn, hash, MEMORY, METHOD, serve, temporaryFolder, UNIX, type WireClient } from './helpers.ts';
import { type HttpServer, httpServer } from './http-helpers.ts';

const ADMIN = { 'admin-user': 'root', 'admin-password': 'secret' };
const report = (n: number) => ({ method: METHOD, taskhash: hash(n), outhash: hash(n + 100), unihash: hash(n + 200) });

interface History {
  readonly times: readonly number[];
  readonly bucket_seconds: number;
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
}

async function ask({ url }: Pick<HttpServer, 'url'>, query = '', headers = {}) {
  const response = await fetch(`${url}/api/v1/history${query}`, { headers });
  return { status: response.status, body: (await response.json()) as History };
}

/** What was counted in the hour: however many minutes it has taken. */
const sumOf = (series: readonly (number | null)[]) => series.reduce<number>((sum, each) => sum + (each ?? 0), 0);

describe('/api/v1/history', () => {
  test('tells what clients of every kind have asked', async (t) => {
    const server = await httpServer(t);
    for (const path of ['/reports', '/reports'])
      await fetch(`${server.url}/api/v1${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(report(path.length)),
      });
    await fetch(`${server.url}/api/v1/unihashes/${METHOD}/${hash(8)}`);
    await fetch(`${server.url}/api/v1/unihashes/${METHOD}/${hash(9)}`);
    await fetch(`${server.url}/api/v1/packages/all/p-1-r0/values`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"checksum": "c"}',
    });
    const { status, body } = await ask(server);
    assert.equal(status, 200);
    assert.equal(body.times.length, 60);
    assert.equal(body.bucket_seconds, 60);
    for (const [name, series] of Object.entries(body.series)) assert.equal(series.length, 60, name);
    assert.equal(sumOf(body.series.reports!), 2);
    assert.equal(sumOf(body.series.get_pr!), 1);
    assert.equal(sumOf(body.series['lookups.hits']!), 1);
    assert.equal(sumOf(body.series['lookups.misses']!), 1);
    assert.ok(sumOf(body.series.accepted!) >= 1);
    assert.ok(body.series.connections!.at(-1)! >= 1);
    assert.ok(body.series['hashserv.database_bytes']!.at(-1)! > 0);
    assert.equal((await ask(server, '?span=day')).body.times.length, 1440);
    assert.equal((await ask(server, '?span=month')).body.times.length, 744);
  });

  test('is refused where the span is none, and to whoever may not read', async (t) => {
    const server = await httpServer(t, { flags: ADMIN, rights: ',anon-perms=@none' });
    assert.equal((await ask(server)).status, 401);
    const root = { authorization: `Basic ${Buffer.from('root:secret').toString('base64')}` };
    assert.equal((await ask(server, '?span=hour', root)).status, 200);
    assert.equal((await ask(server, '?span=year', root)).status, 422);
    assert.equal((await ask(server, '?span=hour&span=day', root)).status, 422);
    assert.equal((await ask(server, '?since=1', root)).status, 422);
    const prs = await httpServer(t, { rights: ',services=prserv' });
    assert.equal((await ask(prs)).status, 200, 'a listener for PR values alone');
  });
});

/** A stream of tasks, each a method and a number. */
async function stream(client: WireClient, tasks: readonly (readonly [string, number])[]): Promise<string[]> {
  client.send(`{"get-stream": null}\n${tasks.map(([method, n]) => `${method} ${hash(n)}\n`).join('')}END\n`);
  assert.equal(await client.message(), 'ok');
  const lines: string[] = [];
  for (let i = 0; i <= tasks.length; i++) lines.push((await client.line())!);
  return lines;
}

test('/api/v1/status tells everybody what wants somebody, and those who look after the server where', async (t) => {
  const server = await httpServer(t, { flags: { ...ADMIN, 'anon-perms': '@read' } });
  const authorization = `Basic ${Buffer.from('root:secret').toString('base64')}`;
  const warnings = async (headers = {}) => {
    const response = await fetch(`${server.url}/api/v1/status`, { headers });
    return ((await response.json()) as { warnings: { code: string; subject?: string; since: string }[] }).warnings;
  };
  assert.deepEqual(await warnings(), []);
  const old = new Date(Date.now() - 30 * 86_400_000);
  const stamp = path.join(server.folder, 'hashserv.db.backed-up');
  const [kept] = [fs.statSync(path.join(server.folder, 'hashserv.db')).birthtimeMs];
  fs.writeFileSync(stamp, '');
  fs.utimesSync(stamp, old, old);
  assert.deepEqual(await warnings(), [], `the file itself is new: ${new Date(kept!).toISOString()}`);
  await server.server.jobs.start({ user: null, address: 'test', access: 'owner', readOnly: false }, 'backup', {
    folder: '/proc/none',
  });
  for (;;) {
    const [first, ...others] = await warnings({ authorization });
    if (!first) continue;
    assert.deepEqual([first.code, first.subject, others], ['job-failed', null, []]);
    assert.match(first.since, /^\d{4}-/);
    break;
  }
  assert.equal(Object.hasOwn((await warnings())[0]!, 'subject'), false);
  const { warnings: own } = server.server;
  const ends = new Date(Date.now() + 86_400_000);
  const [ending] = await own.list([{ address: server.server.listeners[0]!.address, certificate: { expires: ends } }]);
  assert.deepEqual([ending!.code, ending!.subject], ['certificate-ends', server.url]);
});

describe('insight-lookups', () => {
  test('counts hits and misses of every way to look a task up, by method, and names those missed again and again', async (t) => {
    const server = await serve(t);
    const client = await server.connect();
    await client.ask('report', report(1));
    for (let round = 0; round < 3; round++) {
      const lines = await stream(client, [
        [METHOD, 1],
        [METHOD, 2],
        [METHOD, 3 + round],
        [METHOD, 1],
      ]);
      assert.deepEqual(lines, [hash(201), '', '', hash(201), 'ok']);
    }
    await stream(client, [['other method'.replace(' ', '-'), 1]]);
    await client.ask('get', { method: METHOD, taskhash: hash(1) });
    await client.ask('get', { method: METHOD, taskhash: hash(2) });
    await client.ask('get', { method: METHOD, taskhash: hash(1), all: true });
    const answer = (await client.ask('insight-lookups', {})) as unknown as LookupsView;
    assert.deepEqual(answer.total, { hits: 8, misses: 8, upstream_hits: 0 });
    assert.deepEqual(
      answer.methods.map(({ method, total }) => [method, total.hits, total.misses]),
      [
        [METHOD, 8, 7],
        ['other-method', 0, 1],
      ],
    );
    assert.deepEqual(answer.top_misses[0], { method: METHOD, taskhash: hash(2), count: 4 });
    assert.equal(answer.top_misses.length, 5);
    const few = (await client.ask('insight-lookups', { limit: 1, span: 'month' })) as unknown as LookupsView;
    assert.deepEqual([few.top_misses.length, few.times.length], [1, 744]);
    for (const args of [{ span: 'year' }, { limit: 0 }, { limit: 1001 }])
      assert.match(JSON.stringify(await client.ask('insight-lookups', args)), /invoke-error/);

    const shown = answer as unknown as Answer;
    const of = (name: string) => LOOKUPS_VIEW.lists.find((list) => list.name === name)!;
    const entries = (name: string) => of(name).entries?.(shown) ?? (shown[name] as unknown as Answer[]);
    assert.equal((await csvLines(of('methods').columns, entries('methods')))[1], `${METHOD},8,7,0`);
    const times = entries('times');
    assert.equal(sumOf(times.map(({ misses }) => misses as number)), 8);
    assert.match(tableLines(of('top_misses').columns, entries('top_misses'))[1]!, / 4 {2}TestMethod/);
    assert.match(LOOKUPS_VIEW.notes(shown)[0]!, /50\.0 % were known/);
  });

  test('counts what the upstream knew, which is no miss', async (t) => {
    const above = await serve(t, { transport: UNIX });
    await (await above.connect()).ask('report', report(1));
    const server = await serve(t, { flags: { 'hashserv-upstream': `unix://${above.folder}/s` } });
    const client = await server.connect();
    assert.deepEqual(
      await stream(client, [
        [METHOD, 1],
        [METHOD, 2],
      ]),
      [hash(201), '', 'ok'],
    );
    await client.ask('get', { method: METHOD, taskhash: hash(5) });
    await client.ask('backfill-wait', {});
    assert.deepEqual(await stream(client, [[METHOD, 1]]), [hash(201), 'ok']);
    const { total, top_misses } = (await client.ask('insight-lookups', {})) as unknown as LookupsView;
    assert.deepEqual(total, { hits: 1, misses: 2, upstream_hits: 1 });
    assert.deepEqual(top_misses.map(({ taskhash }) => taskhash).sort(), [hash(2), hash(5)].sort());
  });
});

describe('the file of figures', () => {
  const start = async (t: TestContext, folder: string, flags = {}) => {
    const server = await serve({ after: (fn) => t.after(fn) } as TestContext, { transport: MEMORY, folder, flags });
    const client = await server.connect();
    await client.ask('get', { method: METHOD, taskhash: hash(1) });
    client.stream.destroy();
    return server;
  };

  test('is beside the first database, is read by the next server, and does not change what a read-only one leaves', async (t) => {
    const folder = temporaryFolder(t);
    const file = path.join(folder, 'bakeserv-figures');
    const flags = { 'hashserv-db': path.join(folder, 'hashserv.db'), 'prserv-db': path.join(folder, 'pr.db') };
    await (await start(t, folder, flags)).stop();
    const first = fs.readFileSync(file);
    await (await start(t, folder, { ...flags, 'read-only': true })).stop();
    assert.deepEqual(fs.readFileSync(file), first);
    const server = await startServer(configIn(folder, { ...flags, bind: [`unix://${folder}/s`] }), SILENT);
    t.after(() => server.close());
    const { total, top_misses } = await server.recording.lookups('hour');
    assert.deepEqual(total, { hits: 0, misses: 1, upstream_hits: 0 });
    assert.deepEqual(top_misses, [], 'those are in memory alone');
  });

  test('may not be a database, by whatever name', async (t) => {
    const folder = temporaryFolder(t);
    assert.throws(
      () => configIn(folder, { 'figures-file': path.join(folder, 'hashserv.db') }),
      /figures need a file of their own/,
    );
    const link = path.join(folder, 'link');
    fs.symlinkSync(path.join(folder, 'hashserv.db'), link);
    const flags = { 'hashserv-db': path.join(folder, 'hashserv.db'), 'figures-file': link };
    await (await start(t, folder, flags)).stop();
    const again = await start(t, folder, flags);
    const client = await again.connect();
    assert.equal(await client.ask('get', { method: METHOD, taskhash: hash(1) }), null);
    await again.stop();
    assert.ok(!fs.existsSync(`${link}.unreadable`));
    assert.match(fs.readFileSync(path.join(folder, 'hashserv.db'), 'latin1').slice(0, 16), /^SQLite format 3/);
  });
});
