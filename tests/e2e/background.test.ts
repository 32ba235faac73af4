import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { createHome, type Home, output, ROOT } from './home-helpers.ts';
import { oldPrServer } from './old-pr-server.ts';

const AT = 'unix://./s';
const program = (home: Home, name: string, args: readonly string[]) =>
  home.run(process.execPath, [path.join(ROOT, `dist/bin/${name}.js`), ...args]);
const hash = (home: Home, ...args: readonly string[]) =>
  program(home, 'bakeserv-hashclient', ['--address', AT, ...args]);
const pr = (home: Home, ...args: readonly string[]) => program(home, 'bakeserv-prclient', ['--server', AT, ...args]);

async function running(t: TestContext): Promise<Home> {
  const home = createHome(t);
  await output(home.start(['serve', '--bind', AT]), /listening/);
  return home;
}

/** Waits for the job that a command has started. */
async function waited(home: Home, { status, stdout, stderr }: Awaited<ReturnType<typeof hash>>, kind: string) {
  assert.equal(status, 0, stderr + stdout);
  const id = Number(/^(?:job |\{"id": )(\d+)/.exec(stdout)?.[1]);
  assert.ok(id > 0, stdout);
  const shown = await home.bakeserv(['jobs', 'wait', String(id), '--json']);
  const job = JSON.parse(shown.stdout) as { kind: string; state: string; result: unknown; address: string };
  assert.deepEqual([job.kind, job.state], [kind, 'done'], shown.stdout);
  return job;
}

test('--background has the server do it as a job: as a client what a client may, as the owner what is of files', async (t) => {
  const home = await running(t);
  const where = ['-w', 'taskhash', 't1'];
  await waited(home, await hash(home, 'gc-mark', 'nightly', ...where, '--background'), 'gc-mark');
  const swept = await waited(home, await hash(home, '--json', 'gc-sweep', 'nightly', '--background'), 'gc-sweep');
  assert.deepEqual(swept.result, { count: 0 });
  await waited(home, await hash(home, 'clean-unused', '0', '--background'), 'clean-unused');
  await waited(home, await hash(home, 'remove', ...where, '--background'), 'remove-hashes');
  const exported = await waited(home, await hash(home, 'export', 'hashes.jsonl', '--background'), 'export-hashes');
  assert.equal(exported.address, 'control socket');
  assert.ok(fs.existsSync(path.join(home.folder, 'hashes.jsonl')), 'a name means the folder of the command');
  await waited(home, await hash(home, 'import', 'hashes.jsonl', '--background'), 'import-hashes');

  await pr(home, 'import-one', 'a-1-r0', 'core2', 'c1', '7');
  await waited(home, await pr(home, 'export', '--history', 'prs.jsonl', '--background'), 'export-prs');
  assert.match(fs.readFileSync(path.join(home.folder, 'prs.jsonl'), 'utf8'), /"a-1-r0"/);
  const removed = await waited(home, await pr(home, 'remove', '--version', 'a-1-r0', '--background'), 'remove-prs');
  assert.deepEqual(removed.result, { count: 1 });
  const imported = await waited(home, await pr(home, 'import', 'prs.jsonl', '--background'), 'import-prs');
  assert.deepEqual(imported.result, { stored: 1, present: 0 });

  await waited(home, await home.bakeserv(['backup', 'copies', '--keep', '2', '--background']), 'backup');
  const [copy] = fs.readdirSync(path.join(home.folder, 'copies'));
  const into = ['copy', `copies/${copy}`, 'copied.db', '--background'];
  const copied = await waited(home, await home.bakeserv([...into, '--dry-run', '--json']), 'copy');
  assert.equal((copied.result as { dry_run: boolean }).dry_run, true);
  assert.equal(fs.existsSync(path.join(home.folder, 'copied.db')), false);
  await waited(home, await home.bakeserv(into), 'copy');
  assert.ok(fs.existsSync(path.join(home.folder, 'copied.db')));
  await waited(home, await home.bakeserv(['check', `copies/${copy}`, '--background', '--json']), 'check');
});

test('--background that makes no sense is refused in words, before anything is done', async (t) => {
  const home = await running(t);
  const old = await oldPrServer([]);
  t.after(old.close);
  const nobody = ['--address', 'unix://./none'];
  for (const [run, status, says] of [
    [() => hash(home, 'export', '--background'), 2, /name one file; the server has no standard input and output/],
    [() => hash(home, 'export', 'x', '--resume', '--background'), 2, /the job has no --resume/],
    [() => hash(home, 'remove', '-w', 'method', 'm', '--dry-run', '--background'), 2, /the job has no --dry-run/],
    [() => pr(home, 'export', 'prs.inc', '--background'), 2, /say --history, and FILE\.jsonl/],
    [
      () => program(home, 'bakeserv-hashclient', [...nobody, 'import', 'x', '--background']),
      1,
      /no server of this user/,
    ],
    [
      () => pr(home, '--server', old.address, 'remove', '--version', 'a', '--background'),
      1,
      /this server runs no jobs/,
    ],
    [() => home.bakeserv(['backup', 'copies', '--prserv-db', 'x', '--background']), 2, /the job has no --prserv-db/],
    [() => home.bakeserv(['check', 'x', '--pid', '1']), 2, /--pid is of no use without --background/],
    [() => home.bakeserv(['copy', 'a.db', 'b.db', '--pid', '1']), 2, /--pid is of no use without --background/],
    [
      () => home.bakeserv(['copy', AT, 'b.db', '--background']),
      2,
      /FROM is a running server, .*bakeserv pull --background takes/,
    ],
    [() => home.bakeserv(['copy', 'a.db', AT, '--background']), 2, /TO is a running server: /],
    [() => home.bakeserv(['copy', 'a.db', 'b.db', '--in-use', '--background']), 2, /the job has no --in-use/],
    [() => home.bakeserv(['copy', 'a.db', 'hashserv.db', '--background']), 1, /is a database of this server/],
  ] as const) {
    const outcome = await run();
    assert.match(outcome.stderr, says);
    assert.equal(outcome.status, status, outcome.stderr);
  }
  assert.match((await home.bakeserv(['jobs', 'list'])).stdout, /^no jobs/);
});
