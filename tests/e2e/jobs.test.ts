import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { askJobs } from '../../lib/cli/process/control-client.ts';
import { controlSocket } from '../../lib/cli/process/control-folder.ts';
import { openBinding } from '../../lib/storage/sqlite/engine/binding.ts';
import { createHome, type Home, output } from './home-helpers.ts';

const ROWS = 40_000;
const serve = (home: Home) => home.start(['serve', '--bind', 'unix://./s', '--bind', '127.0.0.1:0']);

interface Job {
  readonly id: number;
  readonly state: string;
  readonly user: string | null;
  readonly address: string;
  readonly result: unknown;
  readonly progress: { readonly done: number };
}

/** Runs `bakeserv jobs … --json`. */
async function jobs(home: Home, ...args: readonly string[]): Promise<unknown> {
  const { status, stdout, stderr } = await home.bakeserv(['jobs', ...args, '--json']);
  assert.ok(status === 0, `${args.join(' ')}: ${status} ${stderr}${stdout}`);
  return JSON.parse(stdout);
}

test('bakeserv jobs: a job outlives a kill of the server, files are for the owner, and each action does what it says', async (t) => {
  const home = createHome(t);
  const first = serve(home);
  await output(first, /listening/);
  const binding = await openBinding(path.join(home.folder, 'hashserv.db'), 'write');
  await binding.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
    INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark)
    SELECT 'm', 't' || i, printf('%064x', i), CASE WHEN i % 100 = 0 THEN 'keep' ELSE '' END FROM n;
    INSERT INTO config (name, value) VALUES ('gc-mark', 'keep')`);
  await binding.close();

  // A collection, and a kill in the middle of it.
  const { id } = (await jobs(home, 'start', 'gc', 'mark=keep')) as { id: number };
  const control = controlSocket(path.join(home.tmp, `bakeserv-${process.getuid!()}`), first.pid!);
  while (((await askJobs(control, 'job-show', { id })) as unknown as Job).progress.done === 0);
  const gone = once(first, 'close');
  first.kill('SIGKILL');
  await gone;
  await output(serve(home), /listening/);
  const job = (await jobs(home, 'wait', String(id))) as Job;
  assert.equal(job.state, 'done', JSON.stringify(job));
  assert.equal(job.address, 'control socket');
  const left = await openBinding(path.join(home.folder, 'hashserv.db'), 'read');
  assert.deepEqual(await left.all('SELECT count(*) AS n FROM unihashes_v3'), [{ n: ROWS / 100 }]);
  assert.deepEqual(await left.all("SELECT count(*) AS n FROM config WHERE name = 'gc-mark'"), [{ n: 0 }]);
  await left.close();
  assert.match(
    ((await jobs(home, 'log', String(id))) as string[]).join('\n'),
    / begun\n[\s\S]* goes on, [\s\S]* done$/,
  );

  // Files: the owner's, by the control socket alone.
  const backup = await home.bakeserv(['jobs', 'start', 'backup', 'folder=copies', '--wait']);
  assert.equal(backup.status, 0, backup.stderr + backup.stdout);
  assert.match(backup.stdout, /^job \d+: backup, done\n/);
  const copies = fs.readdirSync(path.join(home.folder, 'copies'));
  assert.deepEqual(copies.map((name) => name.replace(/\d{8}T\d{6}Z/, 'TIME')).sort(), [
    'hashserv-TIME.db',
    'prserv-TIME.sqlite3',
  ]);
  const checked = await home.bakeserv(['jobs', 'start', 'check', `file=copies/${copies[0]}`, '--wait', '--json']);
  assert.deepEqual((JSON.parse(checked.stdout) as { result: { problems: unknown } }).result.problems, []);
  const remote = await home.bakeserv(['jobs', 'start', 'backup', 'folder=/tmp/x', '--address', 'unix://./s']);
  assert.equal(remote.status, 1);
  assert.match(remote.stderr, /only the user that the server runs as/);

  // A client sees its own, and what is listed is for people without --json.
  const { jobs: own } = (await jobs(home, 'list', '--address', 'unix://./s')) as { jobs: Job[] };
  assert.deepEqual(
    own.map((each) => each.id),
    [id],
  );
  const list = await home.bakeserv(['jobs', 'list']);
  assert.match(list.stdout, /done\s+check[\s\S]*done\s+backup[\s\S]*done\s+gc/);
  const newest = await home.bakeserv(['jobs', 'list', '--limit', '1']);
  const next = /there are older ones: --before (\d+)/.exec(newest.stderr)?.[1];
  const further = (await jobs(home, 'list', '--limit', '1', '--before', next!)) as { jobs: Job[]; next: number };
  assert.deepEqual([further.jobs.length, further.jobs[0]!.id < Number(next)], [1, true]);
  const cancel = await home.bakeserv(['jobs', 'cancel', String(id)]);
  assert.equal(cancel.status, 1);
  assert.match(cancel.stderr, /not running any more: it is done/);
  assert.equal((await home.bakeserv(['jobs', 'show'])).status, 2);
  for (const [words, status, says] of [
    [['show', '99'], 1, /there is no job 99/],
    [['show'], 2, /takes the ID of one job/],
    [['start', 'gc'], 1, /mark is missing/],
    [['list', '--pid', '1'], 1, /1/],
  ] as const) {
    const failed = await home.bakeserv(['jobs', ...words, '--json']);
    assert.equal(failed.status, status, failed.stderr);
    assert.match((JSON.parse(failed.stderr) as { error: string }).error, says);
  }
});
