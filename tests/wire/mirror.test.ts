import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { MirrorStatus } from '../../lib/meter/mirror-status.ts';
import { fill } from '../contract/copy-helpers.ts';
import { scrape } from '../metrics-helpers.ts';
import { configIn, hash, METHOD, type Served, serve, temporaryFolder } from './helpers.ts';
import { recordLog } from './log-recorder.ts';
import { getPr, OWNER, type PullJob, reportOf, serveSource, valuesOf } from './pull-helpers.ts';

const BUSYBOX = 'busybox-1.36-r0';

/** Looks until there is what is looked for. Generous: the machine may be busy. */
async function eventually<T>(look: () => Promise<T | null>): Promise<T> {
  for (const deadline = performance.now() + 60_000; ; ) {
    const found = await look();
    if (found !== null) return found;
    assert.ok(performance.now() < deadline, 'it does not come');
    await pause(20);
  }
}

/** Not by the recorder's own means: a server's timers keep no process alive, and nothing else may be under way. */
const logged = (lines: readonly string[], pattern: RegExp) =>
  eventually(async () => lines.find((line) => pattern.test(line)) ?? null);

const addressIn = (folder: string) => `unix://${folder}/s`;

async function statusOf({ app }: Served, source?: string): Promise<MirrorStatus> {
  const all = await app.mirrors.list();
  return source === undefined ? all[0]! : all.find((one) => one.source === source)!;
}

/** Begins to mirror, as a server does that answers, and waits for the first run to end. */
async function begun(served: Served): Promise<MirrorStatus> {
  await served.app.mirrors.resume();
  return eventually(async () => {
    const status = await statusOf(served);
    return status.state !== 'waiting' && !status.running ? status : null;
  });
}

/** Has a mirror run now, whatever its time is; resolves to the job. */
async function runNow({ app }: Served, source: string): Promise<PullJob> {
  const { id } = await app.jobs.start(OWNER, 'mirror', { source });
  return eventually(async () => {
    const job = (await app.jobs.show(OWNER, id, false)) as unknown as PullJob;
    return ['waiting', 'running'].includes(job.state) ? null : job;
  });
}

const unihashOf = async (served: Served, n: number) => {
  const reply = await served.connect().ask('get', { method: METHOD, taskhash: hash(n) });
  return (reply as { unihash: string } | null)?.unihash ?? null;
};

describe('a mirror', () => {
  test('follows its source, answers what it had while that is away, and is level again when it is back with more', async (t) => {
    const folder = temporaryFolder(t);
    const { log, lines } = recordLog();
    const source = addressIn(folder);
    const first = await serveSource(t, { folder });
    await first.hashes.ask('report', reportOf(1));
    await getPr(first.prs, BUSYBOX, 'a');
    const mirror = await serve(t, { flags: { mirror: [`${source},every=1s`] }, log });
    assert.deepEqual(await mirror.app.mirrors.list(), [], 'nothing is mirrored before the server answers');
    const level = await begun(mirror);
    assert.deepEqual([level.state, level.error, level.failing_since], ['level', null, null]);
    assert.deepEqual(level.rows, { unihashes: 1, outhashes: 1, values: 1 });
    assert.equal(await unihashOf(mirror, 1), hash(20_001));

    await first.hashes.ask('report', reportOf(2));
    await eventually(async () => ((await statusOf(mirror)).rows.unihashes === 2 ? true : null));
    assert.equal(await unihashOf(mirror, 2), hash(20_002));

    await first.stop();
    await logged(lines, /warn the source of a mirror is away: what is here is served.*source=unix/);
    const away = await eventually(async () => {
      const status = await statusOf(mirror);
      return status.runs.away >= 3 ? status : null;
    });
    assert.equal(away.state, 'away');
    assert.match(away.error!, /cannot connect to .*\/s/);
    assert.ok(away.failing_since! >= away.level_at!);
    assert.equal(await unihashOf(mirror, 2), hash(20_002), 'it answers what it had');
    assert.equal(await getPr(mirror.connect('PRSERVICE 1.0'), BUSYBOX, 'a'), '0');
    assert.equal(lines.filter((each) => /is away/.test(each)).length, 1, 'it is said once, not at each run');
    assert.deepEqual(
      lines.filter((each) => / job /.test(each)),
      [],
      'nor do the jobs say it',
    );
    const shown = await scrape(mirror.app);
    assert.equal(shown.value('bakeserv_mirror_failing', { source, why: 'away' }), 1);
    assert.equal(shown.value('bakeserv_mirror_interval_seconds', { source }), 1);

    const second = await serveSource(t, { folder });
    await second.hashes.ask('report', reportOf(3));
    await getPr(second.prs, BUSYBOX, 'b');
    await logged(lines, /info a mirror is level again: its source is back.*source=unix/);
    await eventually(async () => ((await statusOf(mirror)).rows.values === 2 ? true : null));
    assert.equal(await unihashOf(mirror, 3), hash(20_003));
    assert.equal(await getPr(mirror.connect('PRSERVICE 1.0'), BUSYBOX, 'b', true), '1');
    const after = await statusOf(mirror);
    assert.deepEqual([after.state, after.error], ['level', null]);
    const now = await scrape(mirror.app);
    assert.equal(now.value('bakeserv_mirror_failing', { source, why: 'away' }), 0);
    assert.equal(now.value('bakeserv_mirror_rows_total', { source, rows: 'values' }), 2);
    assert.ok(now.value('bakeserv_mirror_runs_total', { source, result: 'away' })! >= 3);
    assert.ok(
      now.value('bakeserv_mirror_lag_seconds', { source })! <
        shown.value('bakeserv_mirror_lag_seconds', { source })! + 30,
    );
  });

  test('of each other come to rest: no rows are added, no values raised, run after run', async (t) => {
    const folders = [temporaryFolder(t), temporaryFolder(t)];
    const sources = folders.map(addressIn);
    const servers = await Promise.all(
      folders.map((folder, i) => serveSource(t, { folder, flags: { mirror: [sources[1 - i]!] } })),
    );
    for (const [i, { hashes, prs }] of servers.entries()) {
      for (let n = 0; n < 20; n++) await hashes.ask('report', reportOf(i * 10 + n));
      // The same task with another unihash, and PR values that meet.
      await hashes.ask('report', { ...reportOf(50), outhash: hash(60 + i), unihash: hash(70 + i) });
      for (const checksum of ['both', `own${i}`, `more${i}`]) await getPr(prs, BUSYBOX, checksum);
      if (i === 1) await getPr(prs, BUSYBOX, 'last');
    }
    const rows = async () =>
      Promise.all(
        servers.map(async ({ hashes, prs }) => ({
          usage: await hashes.ask('get-db-usage', {}),
          values: await valuesOf(prs),
        })),
      );
    for (let round = 0; round < 2; round++)
      for (const [i, server] of servers.entries())
        assert.equal((await runNowBegun(server, sources[1 - i]!)).state, 'done');
    const rest = await rows();
    for (let round = 0; round < 3; round++)
      for (const [i, server] of servers.entries()) {
        const { result } = await runNowBegun(server, sources[1 - i]!);
        const { unihashes, outhashes } = result.hashes!;
        assert.deepEqual([unihashes.new, outhashes.new, result.prs!.stored, result.prs!.raised], [0, 0, 0, 0]);
      }
    assert.deepEqual(await rows(), rest);
    for (const { prs } of servers) assert.equal(await getPr(prs, BUSYBOX, 'both', true), '0', 'ours stays');
  });

  async function runNowBegun(server: Served, source: string): Promise<PullJob> {
    if ((await server.app.mirrors.list()).length === 0) await begun(server);
    return runNow(server, source);
  }

  test('of itself, by another address, is refused as long as it lasts, and said once', async (t) => {
    const folder = temporaryFolder(t);
    const source = addressIn(folder);
    const { log, lines } = recordLog();
    const server = await serveSource(t, { folder, log, flags: { mirror: [source] } });
    const status = await begun(server);
    assert.equal(status.state, 'refused');
    assert.match(status.error!, /is on the database of this server/);
    await runNow(server, source);
    assert.equal((await statusOf(server)).runs.refused >= 2, true);
    assert.equal(lines.filter((each) => /a mirror does not get level/.test(each)).length, 1);
  });

  test('of a file takes what something else brings there, now and then', async (t) => {
    const folder = temporaryFolder(t);
    const file = path.join(folder, 'brought.db');
    const mirror = await serve(t, { flags: { mirror: [`${file},every=1h`] } });
    const without = await begun(mirror);
    assert.match(without.error!, /cannot look at .*brought\.db: no such file or directory/);
    const rows = (count: number) =>
      Array.from({ length: count }, (_, n) => [METHOD, hash(n), hash(20_000 + n), ''] as const);
    for (const count of [2, 3]) {
      const next = path.join(folder, 'next.db');
      await fill(next, { unihashes: rows(count) }, ['unihashes']);
      fs.renameSync(next, file);
      assert.equal((await runNow(mirror, file)).state, 'done');
      assert.equal((await statusOf(mirror)).state, 'level');
      assert.equal(await unihashOf(mirror, count - 1), hash(20_000 + count - 1));
    }
  });

  test('keeps ours at a conflict and says so once; with on-conflict=fail it takes nothing, and says so once', async (t) => {
    const source = await serveSource(t);
    await getPr(source.prs, BUSYBOX, 'theirs');
    await source.hashes.ask('report', reportOf(1));
    for (const [word, state, said] of [
      ['on-conflict=keep', 'level', /a mirror leaves PR values out that are in conflict with ours/],
      ['on-conflict=fail', 'refused', /a mirror does not get level.*1 row of the source in conflict/],
    ] as const) {
      const { log, lines } = recordLog();
      const mirror = await serve(t, { log, flags: { mirror: [`${source.address},${word}`] } });
      const prs = mirror.connect('PRSERVICE 1.0');
      await getPr(prs, BUSYBOX, 'ours');
      const first = await begun(mirror);
      await runNow(mirror, source.address);
      const status = await statusOf(mirror);
      assert.equal(status.state, state);
      assert.equal(status.conflicts, state === 'level' ? 1 : 0);
      assert.equal(lines.filter((each) => said.test(each)).length, 1, lines.join('\n'));
      if (state === 'refused') assert.equal(status.failing_since, first.failing_since, 'since the first of them');
      assert.equal(await unihashOf(mirror, 1), state === 'level' ? hash(20_001) : null);
      assert.deepEqual(await valuesOf(prs), [`${BUSYBOX} ours 0`]);
    }
  });

  test('takes only PR values, or only hashes, where it says so', async (t) => {
    const source = await serveSource(t);
    await source.hashes.ask('report', reportOf(1));
    await getPr(source.prs, BUSYBOX, 'a');
    for (const [word, rows] of [
      ['hashes', { unihashes: 1, outhashes: 1, values: 0 }],
      ['prs', { unihashes: 0, outhashes: 0, values: 1 }],
    ] as const) {
      const mirror = await serve(t, { flags: { mirror: [`${source.address},${word}`] } });
      assert.deepEqual((await begun(mirror)).rows, rows);
    }
  });

  test('logs in with the token of a file, which is shown nowhere', async (t) => {
    const admin = { 'admin-user': 'admin', 'admin-password': 'secret token' };
    const source = await serveSource(t, { flags: { ...admin, 'anon-perms': '@read,@report' } });
    const file = path.join(temporaryFolder(t), 'token');
    fs.writeFileSync(file, 'other token\n', { mode: 0o600 });
    const { log, lines } = recordLog();
    const words = `${source.address},hashes,user=admin,token-file=${file}`;
    const mirror = await serve(t, { log, flags: { mirror: [words] } });
    assert.equal((await begun(mirror)).state, 'refused');
    fs.writeFileSync(file, 'secret token\n');
    assert.equal((await runNow(mirror, source.address)).state, 'done');
    const status = await statusOf(mirror);
    assert.equal(status.state, 'level');
    const jobs = await mirror.app.jobs.list(OWNER, { states: null, before: null, limit: 10 });
    const shown = JSON.stringify([jobs, status, lines, await (await mirror.app.metrics.source()).now()]);
    assert.doesNotMatch(shown, /(secret|other) token/);
  });
});

describe('a run of a mirror', () => {
  test('stops with the server, however long its source takes, and goes on at the next start', async (t) => {
    const [folder, own] = [temporaryFolder(t), temporaryFolder(t)];
    const silent = net.createServer();
    await new Promise<void>((resolve) => silent.listen(`${folder}/s`, resolve));
    const asked = new Promise<net.Socket>((resolve) => silent.once('connection', resolve));
    const flags = { mirror: [addressIn(folder)] };
    const first = await serve(t, { folder: own, flags });
    await first.app.mirrors.resume();
    const socket = await asked;
    assert.equal((await statusOf(first)).running, true);
    await first.stop();
    socket.destroy();
    await new Promise((resolve) => silent.close(resolve));

    const source = await serveSource(t, { folder });
    await source.hashes.ask('report', reportOf(1));
    const second = await serve(t, { folder: own, flags });
    const status = await begun(second);
    assert.equal(status.state, 'level');
    const { jobs } = (await second.app.jobs.list(OWNER, { states: null, before: null, limit: 10 })) as unknown as {
      jobs: { id: number; state: string; user: string }[];
    };
    assert.equal(jobs.at(-1)!.state, 'done', 'the one that was stopped');
    for (const { user } of jobs) assert.equal(user, '--mirror');
  });

  test('is nothing that a client can start, and for no other server than is named', async (t) => {
    const source = await serveSource(t);
    const mirror = await serve(t, { flags: { mirror: [source.address] } });
    const parameters = { source: source.address };
    for (const protocol of ['OEHASHEQUIV 1.1', 'PRSERVICE 1.0']) {
      const reply = await mirror.connect(protocol).ask('job-start', { kind: 'mirror', parameters });
      assert.match(JSON.stringify(reply), /only the user that the server runs as may start it/);
    }
    await begun(mirror);
    const other = await runNow(mirror, 'other:1');
    assert.match(other.error!, /other:1 is no mirror of this server \(--mirror\)/);
  });
});

describe('new settings', () => {
  const withMirrors = ({ folder }: Served, mirror: readonly string[]) => configIn(folder, { mirror });

  test('begin mirrors that are new, end those that are gone, and leave alone what is as it was', async (t: TestContext) => {
    const sources = [await serveSource(t), await serveSource(t)] as const;
    for (const [i, { hashes }] of sources.entries()) await hashes.ask('report', reportOf(i));
    const mirror = await serve(t);
    await mirror.app.mirrors.resume();
    assert.deepEqual(await mirror.app.mirrors.list(), []);
    const one = await mirror.app.takeOver(withMirrors(mirror, [sources[0].address]));
    assert.deepEqual(one, { taken: ['mirrors'], later: [], faults: [] });
    const first = await eventually(async () => {
      const status = await statusOf(mirror);
      return status.state === 'level' ? status : null;
    });
    await mirror.app.takeOver(withMirrors(mirror, [sources[0].address, `${sources[1].address},every=2h`]));
    const second = await eventually(async () => {
      const status = await statusOf(mirror, sources[1].address);
      return status.state === 'level' ? status : null;
    });
    assert.deepEqual([second.every_seconds, second.rows.unihashes], [7200, 1]);
    assert.equal((await statusOf(mirror, sources[0].address)).level_at, first.level_at);
    await mirror.app.takeOver(withMirrors(mirror, [`${sources[1].address},every=2h`]));
    assert.deepEqual(
      (await mirror.app.mirrors.list()).map(({ source }) => source),
      [sources[1].address],
    );
    assert.deepEqual((await mirror.app.takeOver(withMirrors(mirror, [`${sources[1].address},every=2h`]))).taken, []);
  });
});
