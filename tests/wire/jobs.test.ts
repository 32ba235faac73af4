import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { askAsOwner } from '../../lib/jobs/owner.ts';
import { hash, METHOD, refusal, serve, type WireClient } from './helpers.ts';
import { recordLog } from './log-recorder.ts';

interface Job {
  readonly id: number;
  readonly state: string;
  readonly result: Json;
  readonly error: string | null;
  readonly user: string | null;
  readonly address: string;
  readonly progress: { readonly done: number; readonly total: number | null };
  readonly log?: readonly string[];
}

const start = async (client: WireClient, kind: string, parameters: Json) =>
  (await client.ask('job-start', { kind, parameters })) as unknown as { id: number; joined: boolean };

/** A job, once it has ended. */
async function ended(client: WireClient, id: number): Promise<Job> {
  for (;;) {
    const job = (await client.ask('job-show', { id, log: true })) as unknown as Job;
    if (job.state !== 'waiting' && job.state !== 'running') return job;
  }
}

const report = (n: number) => ({ method: METHOD, taskhash: `t${n}`, outhash: `o${n}`, unihash: hash(n) });

describe('jobs on hashes', () => {
  test('mark, sweep and clean as the commands of that name do', async (t) => {
    const client = (await serve(t)).connect();
    for (let n = 1; n <= 30; n++) await client.ask('report', report(n));
    for (const n of [1, 2, 3]) {
      const { id } = await start(client, 'gc-mark', { mark: 'keep', where: { unihash: hash(n) } });
      assert.deepEqual((await ended(client, id)).result, { count: 1 });
    }
    assert.deepEqual(await client.ask('gc-status', {}), { keep: 3, remove: 27, mark: 'keep' });
    const tooMany = await ended(client, (await start(client, 'gc', { mark: 'keep', remove: 26 })).id);
    assert.equal(tooMany.state, 'failed');
    assert.match(tooMany.error!, /Sweeping would remove 27 rows now/);
    const job = await ended(client, (await start(client, 'gc', { mark: 'keep', remove: 27 })).id);
    assert.equal(job.state, 'done');
    assert.deepEqual(job.result, { removed: 27, unused: 27 });
    assert.equal(job.progress.done, job.progress.total);
    assert.deepEqual((await client.ask('get-db-usage', {})) as Json, {
      usage: { unihashes_v3: { rows: 3 }, outhashes_v2: { rows: 3 }, users: { rows: 0 }, config: { rows: 0 } },
    });
    const removed = await ended(client, (await start(client, 'remove-hashes', { where: { taskhash: 't1' } })).id);
    assert.deepEqual(removed.result, { count: 2 });
    assert.equal(await client.ask('get', { method: METHOD, taskhash: 't1' }), null);
  });

  test('take turns with the commands: none goes through the tables beside another', async (t) => {
    const client = (await serve(t)).connect();
    for (let n = 1; n <= 20; n++) await client.ask('report', report(n));
    const { id } = await start(client, 'clean-unused', { max_age_seconds: 0 });
    assert.deepEqual(await client.ask('remove', { where: { method: METHOD } }), { count: 40 });
    assert.equal((await ended(client, id)).state, 'done');
  });

  test('say who started them, are listed from the newest on, and end up in the log', async (t) => {
    const { log, lines } = recordLog();
    const flags = { 'admin-user': 'admin', 'admin-password': 'secret' };
    const client = (await serve(t, { flags, log })).connect();
    await client.ask('auth', { username: 'admin', token: 'secret' });
    const ids = [];
    for (const age of [1, 2, 3]) ids.push((await start(client, 'clean-unused', { max_age_seconds: age })).id);
    for (const id of ids) await ended(client, id);
    const page = (await client.ask('job-list', { limit: 2 })) as unknown as { jobs: Job[]; next: number };
    assert.deepEqual(
      page.jobs.map(({ id, user, address }) => [id, user, address]),
      [
        [ids[2], 'admin', 'memory'],
        [ids[1], 'admin', 'memory'],
      ],
    );
    const rest = (await client.ask('job-list', { limit: 2, before: page.next })) as unknown as {
      jobs: Job[];
      next: null;
    };
    assert.deepEqual(
      rest.jobs.map(({ id }) => id),
      [ids[0]],
    );
    assert.equal(rest.next, null);
    const none = (await client.ask('job-list', { states: ['failed'] })) as unknown as { jobs: Job[] };
    assert.deepEqual(none.jobs, []);
    assert.ok(lines.some((line) => /^info job accepted .*kind=clean-unused user=admin/.test(line)));
  });

  test('are refused in words that name the fault', async (t) => {
    const client = (await serve(t)).connect();
    const refusals: readonly (readonly [command: string, args: Json, words: RegExp])[] = [
      ['job-start', {}, /kind is missing/],
      ['job-start', { kind: 'build' }, /no kind of job "build" here; there are/],
      ['job-start', { kind: 'gc' }, /gc: mark is missing/],
      ['job-start', { kind: 'gc', parameters: { mark: 'm', file: '/etc/passwd' } }, /unknown key "file"/],
      ['job-start', { kind: 'remove-hashes', parameters: { where: { colour: 'red' } } }, /colour/],
      ['job-start', { kind: 'remove-prs', parameters: { version: 'v' } }, /for clients of the PR service/],
      ['job-show', { id: 99 }, /there is no job 99 here/],
      ['job-show', { id: 0 }, /id must be >= 1/],
      ['job-cancel', { id: 99 }, /there is no job 99 here/],
      ['job-list', { limit: 101 }, /limit must be <= 100/],
      [
        'job-list',
        { states: ['sleeping'] },
        /states.0 must be waiting or running or done or failed or cancelled or interrupted/,
      ],
    ];
    for (const [command, args, words] of refusals) assert.match(refusal(await client.ask(command, args)), words);
    assert.deepEqual(await client.ask('ping', {}), { alive: true }, 'the connection goes on');
  });

  test('keep their ids over a restart, and a database of their own that is made for the first', async (t) => {
    const folder = fs.mkdtempSync('/tmp/bakeserv-test-jobs-');
    t.after(() => fs.rmSync(folder, { recursive: true }));
    const first = await serve(t, { folder });
    const file = path.join(folder, 'bakeserv-jobs.db');
    const client = first.connect();
    await client.ask('job-list', {});
    assert.equal(fs.existsSync(file), false);
    const { id } = await start(client, 'clean-unused', { max_age_seconds: 1 });
    await ended(client, id);
    assert.equal(fs.existsSync(file), true);
    await first.stop();
    const second = (await serve(t, { folder })).connect();
    assert.equal((await ended(second, id)).state, 'done');
    assert.equal((await start(second, 'clean-unused', { max_age_seconds: 1 })).id, id + 1);
  });

  test('of a read-only server only read, and are not kept', async (t) => {
    const folder = fs.mkdtempSync('/tmp/bakeserv-test-jobs-');
    t.after(() => fs.rmSync(folder, { recursive: true }));
    await (await serve(t, { folder })).stop();
    const client = (await serve(t, { folder, flags: { 'read-only': true } })).connect();
    assert.match(refusal(await client.ask('job-start', { kind: 'gc', parameters: { mark: 'm' } })), /is read-only/);
    assert.deepEqual(await client.ask('job-list', {}), { jobs: [], next: null });
    assert.equal(fs.existsSync(path.join(folder, 'bakeserv-jobs.db')), false);
  });

  test('are refused where their database is damaged, and everything else goes on', async (t) => {
    const folder = fs.mkdtempSync('/tmp/bakeserv-test-jobs-');
    t.after(() => fs.rmSync(folder, { recursive: true }));
    fs.writeFileSync(path.join(folder, 'bakeserv-jobs.db'), 'rubbish'.repeat(1000));
    const client = (await serve(t, { folder })).connect();
    const words = /the jobs database cannot be used: the database file is damaged/;
    assert.match(
      refusal(await client.ask('job-start', { kind: 'clean-unused', parameters: { max_age_seconds: 1 } })),
      words,
    );
    assert.match(refusal(await client.ask('job-list', {})), words);
    assert.deepEqual(await client.ask('report', report(1)), { method: METHOD, taskhash: 't1', unihash: hash(1) });
  });

  test('are there in the plain form too', async (t) => {
    const client = (await serve(t)).dial();
    client.send(
      '{"id": 1, "method": "job-start", "params": {"kind": "clean-unused", "parameters": {"max_age_seconds": 5}}}\n',
    );
    const { result, error } = (await client.message()) as unknown as { result: { id: number }; error: null };
    assert.equal(error, null);
    client.send(`{"id": 2, "method": "job-show", "params": {"id": ${result.id}}}\n`);
    assert.equal(((await client.message()) as unknown as { result: Job }).result.id, result.id);
  });
});

describe('jobs on files', () => {
  test('are the owner’s; a database that is served is checked for those who may start jobs of its service', async (t) => {
    const { app, connect, folder } = await serve(t);
    const [client, prs] = [connect(), connect('PRSERVICE 1.0')];
    const ask = askAsOwner(app.jobs, () => 'me', false);
    const owned = async (kind: string, parameters: Json) => {
      const { id } = (await ask('job-start', { kind, parameters })) as { id: number };
      for (;;) {
        const job = (await ask('job-show', { id })) as unknown as Job;
        await setImmediate();
        if (job.state !== 'waiting' && job.state !== 'running') return job;
      }
    };
    const backup = await owned('backup', { folder: `${folder}/copies`, database: 'hashserv' });
    assert.equal(backup.state, 'done', backup.error!);
    const [{ file }] = (backup.result as { made: [{ file: string }] }).made;
    assert.deepEqual([backup.user, backup.address, fs.existsSync(file)], ['me', 'control socket', true]);
    assert.deepEqual(((await owned('check', { file })).result as { problems: Json }).problems, []);
    for (const [kind, parameters] of [
      ['backup', { folder }],
      ['check', { file }],
    ] as const)
      for (const each of [client, prs])
        assert.match(
          refusal(await each.ask('job-start', { kind, parameters })),
          /only the user that the server runs as/,
        );
    const checked = await ended(client, (await start(client, 'check', { database: 'hashserv' })).id);
    assert.deepEqual((checked.result as { services: Json }).services, ['hash equivalence']);
    assert.equal((await ended(prs, (await start(prs, 'check', { database: 'prserv' })).id)).state, 'done');
    assert.match(
      refusal(await client.ask('job-start', { kind: 'check', parameters: { database: 'prserv' } })),
      /for clients of the PR service/,
    );
    await assert.rejects(owned('backup', { folder: 'here' }), /must be a full path/);
    await assert.rejects(owned('check', {}), /name a database \(hashserv, prserv\) or a file/);
    assert.match((await owned('check', { file: `${folder}/none` })).error!, /no database at .*none/);
  });

  test('of a file that both services share are not shown to clients of one', async (t) => {
    const folder = fs.mkdtempSync('/tmp/bakeserv-test-jobs-');
    t.after(() => fs.rmSync(folder, { recursive: true }));
    const flags = { 'hashserv-db': `${folder}/both.db`, 'prserv-db': `${folder}/both.db` };
    const client = (await serve(t, { folder, flags })).connect();
    assert.match(
      refusal(await client.ask('job-start', { kind: 'check', parameters: { database: 'hashserv' } })),
      /only the user that the server runs as/,
    );
  });
});

test('docs/jobs.md lists exactly the kinds of job, with the parameters of each', async (t) => {
  const { app } = await serve(t);
  const page = fs.readFileSync(new URL('../../docs/jobs.md', import.meta.url), 'utf8');
  const table = page.slice(page.indexOf('## Kinds'), page.indexOf('## When'));
  const rows = [...table.matchAll(/^\| `(\S+)` \| [^|]* \| ([^|]*) \|/gm)].map(([, name, given]) => [
    name,
    (given!.match(/[a-z_]+/g) ?? []).filter((word) => !/^(true|false|null)$/.test(word)).sort(),
  ]);
  const kinds = (await app.jobs.kinds()).map(({ name, parameters }) => [
    name,
    Object.keys((parameters as { properties: object }).properties).sort(),
  ]);
  assert.deepEqual(rows.sort(), kinds.sort());
});

describe('jobs on PR values', () => {
  test('remove what matches, and are shown to clients of the PR service alone', async (t) => {
    const { connect } = await serve(t);
    const [prs, hashes] = [connect('PRSERVICE 1.0'), connect()];
    for (const checksum of ['a', 'b', 'c'])
      await prs.ask('import-one', { version: 'p-1-r0', pkgarch: 'core2', checksum, value: '1' });
    assert.match(
      refusal(await prs.ask('job-start', { kind: 'remove-prs' })),
      /name a version, a pkgarch or a checksum/,
    );
    const { id } = await start(prs, 'remove-prs', { version: 'p-1-r0', checksum: 'b' });
    assert.deepEqual((await ended(prs, id)).result, { count: 1 });
    assert.match(refusal(await hashes.ask('job-show', { id })), /there is no job/);
    assert.deepEqual(await hashes.ask('job-list', {}), { jobs: [], next: null });
    assert.match(
      refusal(await prs.ask('job-start', { kind: 'clean-unused', parameters: { max_age_seconds: 1 } })),
      /hash equivalence/,
    );
  });

  test('are not for clients of other machines, unless --anon-perms says so', async (t) => {
    const { connect } = await serve(t, { flags: { 'anon-perms': '@read' } });
    const client = connect('PRSERVICE 1.0');
    const args = { kind: 'remove-prs', parameters: { version: 'p' } };
    for (const [command, arg] of [
      ['job-start', args],
      ['job-list', {}],
      ['job-show', { id: 1 }],
      ['job-cancel', { id: 1 }],
    ] as const)
      assert.match(refusal(await client.ask(command, arg)), /worked on by jobs from a local address only/);
  });
});
