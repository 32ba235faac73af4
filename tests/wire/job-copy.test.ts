import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { askAsOwner } from '../../lib/jobs/owner.ts';
import { contentOf, fill } from '../contract/copy-helpers.ts';
import { hash, METHOD, refusal, serve, temporaryFolder } from './helpers.ts';
import { runJob } from './job-helpers.ts';

const report = (n: number) => ({ method: METHOD, taskhash: `t${n}`, outhash: `o${n}`, unihash: hash(n), PN: `p${n}` });
const pr = (n: number) => ({ version: `p${n}-1-r0`, pkgarch: 'core2', checksum: `c${n}`, value: String(n) });

/** A server with some of everything. */
async function filled(...given: Parameters<typeof serve>) {
  const server = await serve(...given);
  const [hashes, prs] = [server.connect(), server.connect('PRSERVICE 1.0')];
  for (let n = 1; n <= 20; n++) {
    await hashes.ask('report', report(n));
    await prs.ask('import-one', pr(n));
  }
  return { ...server, hashes, prs };
}

interface Part {
  readonly rows: number;
  readonly new: number;
  readonly equal: number;
  readonly checked_by: string | null;
}
const partOf = (result: Json, part: string) => (result as unknown as Record<string, Part>)[part]!;

describe('a copy as a job', () => {
  test('copies both databases of the server into one file while clients report, and goes on when it is started again', async (t) => {
    const { app, folder, hashes } = await filled(t);
    const to = path.join(temporaryFolder(t), 'copy.db');
    const copying = runJob(app, 'copy', { to });
    await hashes.ask('report', report(21));
    const first = await copying;
    assert.equal(first.state, 'done', String(first.error));
    assert.ok(['hash', 'rows'].includes(partOf(first.result, 'outhashes').checked_by!));
    await hashes.ask('report', report(22));
    const { state, result } = await runJob(app, 'copy', { to });
    assert.equal(state, 'done');
    assert.deepEqual([partOf(result, 'values').new, partOf(result, 'values').equal], [0, 20]);
    assert.equal(partOf(result, 'unihashes').rows, 22);
    const [there, own] = [await contentOf(to), await contentOf(path.join(folder, 'hashserv.db'))];
    assert.deepEqual(there.unihashes, own.unihashes);
    assert.deepEqual(there.outhashes, own.outhashes);
    assert.deepEqual(there.values, (await contentOf(path.join(folder, 'prserv.sqlite3'))).values);
  });

  test('takes what it is asked for, from a database that is named too', async (t) => {
    const { app } = await filled(t);
    const folder = temporaryFolder(t);
    const prs = path.join(folder, 'prs.db');
    const alone = await runJob(app, 'copy', { to: prs, prs: true });
    assert.deepEqual(Object.keys(alone.result as object), ['from', 'to', 'dry_run', 'values']);
    const named = await runJob(app, 'copy', { from: prs, to: path.join(folder, 'again.db') });
    assert.equal(partOf(named.result, 'values').new, 20);
    const preview = await runJob(app, 'copy', { to: path.join(folder, 'none.db'), dry_run: true });
    assert.equal(partOf(preview.result, 'unihashes').new, 20);
    assert.equal(fs.existsSync(path.join(folder, 'none.db')), false);
    const nothing = await runJob(app, 'copy', { from: prs, to: path.join(folder, 'x.db'), hashes: true });
    assert.match(nothing.error!, /has nothing of what is asked for/);
  });

  test('fails where rows differ, which stay, and says which', async (t) => {
    const { app } = await filled(t);
    const to = await fill(path.join(temporaryFolder(t), 'other.db'), {
      unihashes: [[METHOD, 't1', hash(99), '']],
    });
    const { state, error, result } = await runJob(app, 'copy', { to, hashes: true });
    assert.equal(state, 'failed');
    assert.match(error!, /^1 rows differ in .*other\.db, and stay as they are there$/);
    assert.match(JSON.stringify(result), /has another unihash there/);
  });

  test('never writes into a database of this server, by whatever name, nor into one that is in use', async (t) => {
    const [{ app, folder }, other] = [await filled(t), await filled(t)];
    const link = path.join(temporaryFolder(t), 'link.db');
    fs.symlinkSync(path.join(folder, 'prserv.sqlite3'), link);
    for (const to of [`${folder}/hashserv.db`, `${folder}/../${path.basename(folder)}/bakeserv-jobs.db`, link])
      await assert.rejects(runJob(app, 'copy', { to }), /is a database of this server/, to);
    const { state, error } = await runJob(app, 'copy', { to: path.join(other.folder, 'hashserv.db') });
    assert.equal(state, 'failed');
    assert.match(error!, /hashserv\.db: stop it first/);
    await assert.rejects(runJob(app, 'copy', { to: 'here.db' }), /must be a full path/);
    await assert.rejects(runJob(app, 'copy', { to: 'tcp://build1:8686' }), /the job pull takes what a running server/);
  });

  test('keeps no password: an address with one is refused, and named nowhere', async (t) => {
    const { app } = await serve(t);
    for (const parameters of [
      { to: 'postgres://bakeserv:hunter2@db/bakeserv' },
      { to: '/tmp/x.db', from: 'postgres://bakeserv@db/bakeserv?password=hunter2' },
    ])
      await assert.rejects(runJob(app, 'copy', parameters), (error: Error) => {
        assert.match(error.message, /leave the password out of the address/);
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      });
  });

  test('is for the owner alone, also of a read-only server, which can be copied', async (t) => {
    const first = await filled(t);
    const to = path.join(temporaryFolder(t), 'copy.db');
    assert.match(refusal(await first.hashes.ask('job-start', { kind: 'copy', parameters: { to } })), /only the user/);
    const { state } = await runJob(first.app, 'copy', { to }, true);
    assert.equal(state, 'done');
  });

  test('is stopped between two slices, and leaves the target closed', async (t) => {
    const { app } = await filled(t);
    const to = path.join(temporaryFolder(t), 'copy.db');
    const ask = askAsOwner(app.jobs, () => 'me', false);
    const { id } = (await ask('job-start', { kind: 'copy', parameters: { to } })) as { id: number };
    await ask('job-cancel', { id }).catch(() => {});
    for (;;) {
      const { state } = (await ask('job-show', { id })) as { state: string };
      if (state !== 'waiting' && state !== 'running') break;
      await setImmediate();
    }
    assert.equal((await runJob(app, 'copy', { to })).state, 'done');
  });
});
