import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { fill as fillDatabase } from '../contract/copy-helpers.ts';
import { hash, METHOD, type Served, serve, temporaryFolder, type WireClient } from './helpers.ts';
import { getPr, OWNER, reportOf, runJob, type Source, serveSource, valuesOf } from './pull-helpers.ts';

type Parameters = { readonly [name: string]: Json };
type Row = { readonly [name: string]: Json };

interface PromoteJob {
  readonly id: number;
  readonly state: string;
  readonly error: string | null;
  readonly result: {
    readonly prs: Row | null;
    readonly hashes: { readonly tasks: Row; readonly reports: Row; readonly without_unihash: number } | null;
    readonly list: {
      readonly new_values: Row[];
      readonly equal_values: Row[];
      readonly tasks: Row[];
      readonly differing_tasks: Row[];
      readonly left_out: number;
      readonly cut: { readonly [list: string]: number };
      readonly file?: string;
    } | null;
    readonly confirm: string;
    readonly changed?: true;
  };
}

const promote = (target: Served, parameters: Parameters) => runJob<PromoteJob>(target, 'promote', parameters);
async function promoted(target: Served, parameters: Parameters): Promise<PromoteJob['result']> {
  const job = await promote(target, parameters);
  assert.equal(job.state, 'done', job.error ?? '');
  return job.result;
}

const BUSYBOX = 'busybox-1.36-r0';
const BASH = 'bash-5.2-r0';

/** A report of a recipe with an output. */
const reported = (client: WireClient, n: number, out: number, PN: string, more: Parameters = {}) =>
  client.ask('report', { ...reportOf(n, PN), outhash: hash(50_000 + out), ...more });

/** Four tasks with one unihash, of which two are of busybox, and one of bash alone. */
async function fill({ hashes, prs }: Source): Promise<void> {
  await reported(hashes, 1, 1, 'busybox');
  await reported(hashes, 2, 1, 'busybox', { task: 'do_install' });
  await reported(hashes, 3, 1, 'toybox');
  await hashes.ask('report-equiv', { method: METHOD, taskhash: hash(4), unihash: hash(20_001) });
  await reported(hashes, 5, 5, 'bash');
  await getPr(prs, BUSYBOX, 'a');
  await getPr(prs, BUSYBOX, 'b');
  await getPr(prs, BASH, 'a');
}

/** What a file has of a list. */
function linesOf(file: string): (list: string) => Row[] {
  const lines = fs
    .readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
  return (name) => lines.flatMap(({ list, ...row }) => (list === name ? [row] : []));
}

async function unihashOf(client: WireClient, n: number): Promise<Json> {
  return (
    ((await client.ask('get', { method: METHOD, taskhash: hash(n) })) as { unihash: string } | null)?.unihash ?? null
  );
}

describe('a promotion', () => {
  test('takes the values of a package, its tasks, and all that share their unihashes, with their reports; nothing else', async (t) => {
    const source = await serveSource(t);
    const target = await serve(t);
    await fill(source);
    const result = await promoted(target, { source: source.address, packages: ['busybox'] });
    assert.deepEqual(result.hashes, {
      tasks: { new: 4, equal: 0, differing: 0, equivalent: 2 },
      reports: { new: 3, equal: 0 },
      without_unihash: 0,
    });
    const group = { new: 1, equal: 0, differing: 0 };
    assert.deepEqual(result.list!.tasks, [
      { recipe: 'busybox', task: 'do_compile', equivalent: false, ...group },
      { recipe: 'busybox', task: 'do_install', equivalent: false, ...group },
      { recipe: null, task: null, equivalent: true, ...group },
      { recipe: 'toybox', task: 'do_compile', equivalent: true, ...group },
    ]);
    const row = { version: BUSYBOX, pkgarch: 'core2-64' };
    assert.deepEqual(result.list!.new_values, [
      { ...row, checksum: 'a', value: '0' },
      { ...row, checksum: 'b', value: '1' },
    ]);
    const [hashes, prs] = [target.connect(), target.connect('PRSERVICE 1.0')];
    for (const n of [1, 2, 3, 4]) assert.equal(await unihashOf(hashes, n), hash(20_001));
    assert.equal(await unihashOf(hashes, 5), null);
    assert.deepEqual(await valuesOf(prs), [`${BUSYBOX} a 0`, `${BUSYBOX} b 1`]);
    const kept = await hashes.ask('get', { method: METHOD, taskhash: hash(3), all: true });
    assert.equal((kept as Row).PN, 'toybox');
    assert.equal((kept as Row).outhash, hash(50_001));
    const again = await promoted(target, { source: source.address, packages: ['busybox'] });
    assert.deepEqual(again.hashes!.tasks, { new: 0, equal: 4, differing: 0, equivalent: 2 });
    assert.deepEqual(again.hashes!.reports, { new: 0, equal: 3 });
    assert.deepEqual([again.list!.new_values.length, again.list!.equal_values.length], [0, 2]);
  });

  test('a dry run tells what would be done, and does nothing; a task that has a unihash here keeps it, and is named', async (t) => {
    const source = await serveSource(t);
    const target = await serve(t);
    await fill(source);
    const [hashes, prs] = [target.connect(), target.connect('PRSERVICE 1.0')];
    await hashes.ask('report-equiv', { method: METHOD, taskhash: hash(2), unihash: hash(77) });
    const what = { source: source.address, packages: ['busybox'] };
    const shown = await promoted(target, { ...what, dry_run: true });
    assert.equal(await unihashOf(hashes, 1), null);
    assert.deepEqual(await valuesOf(prs), []);
    assert.deepEqual(shown.hashes!.tasks, { new: 3, equal: 0, differing: 1, equivalent: 2 });
    assert.deepEqual(shown.hashes!.reports, { new: 3, equal: 0 });
    assert.deepEqual(shown.list!.differing_tasks, [
      {
        ...{ method: METHOD, taskhash: hash(2), recipe: 'busybox', task: 'do_install' },
        ...{ unihash: hash(20_001), ours: hash(77) },
      },
    ]);
    const done = await promoted(target, { ...what, confirmed: shown.confirm });
    assert.deepEqual(done.list, shown.list);
    assert.deepEqual(done.hashes, shown.hashes);
    assert.equal(await unihashOf(hashes, 2), hash(77));
    assert.equal(await unihashOf(hashes, 1), hash(20_001));
  });

  for (const [what, change, about] of [
    ['a value was given out here', (_: Source, prs: WireClient) => getPr(prs, BUSYBOX, 'ours'), 'PR values'],
    ['a value was given out there', ({ prs }: Source) => getPr(prs, BUSYBOX, 'c'), 'PR values'],
    ['a task was reported there', ({ hashes }: Source) => reported(hashes, 9, 9, 'busybox'), 'tasks and reports'],
    ['a task got its unihash there', ({ hashes }: Source) => reported(hashes, 9, 1, 'zsh'), 'tasks and reports'],
    ['a task has another output there', ({ hashes }: Source) => reported(hashes, 3, 8, 'toybox'), 'tasks and reports'],
  ] as const)
    test(`is not done as confirmed where ${what} since`, async (t) => {
      const source = await serveSource(t);
      const target = await serve(t);
      await fill(source);
      const [hashes, prs] = [target.connect(), target.connect('PRSERVICE 1.0')];
      const parameters = { source: source.address, packages: ['busybox'] };
      const { confirm } = await promoted(target, { ...parameters, dry_run: true });
      await change(source, prs);
      const before = await valuesOf(prs);
      const job = await promote(target, { ...parameters, confirmed: confirm });
      assert.equal(job.state, 'failed');
      assert.match(job.error!, new RegExp(`^the list has changed since it was confirmed \\(${about}\\)`));
      assert.equal(job.result.changed, true);
      assert.deepEqual(await valuesOf(prs), before);
      assert.equal(await unihashOf(hashes, 1), null);
    });

  test('goes on where what has changed is none of its packages, or has come here by itself', async (t) => {
    const source = await serveSource(t);
    const target = await serve(t);
    await fill(source);
    const parameters = { source: source.address, packages: ['busybox'] };
    const { confirm } = await promoted(target, { ...parameters, dry_run: true });
    await reported(source.hashes, 9, 9, 'bash');
    await getPr(source.prs, BASH, 'new');
    await reported(target.connect(), 1, 1, 'busybox');
    const done = await promoted(target, { ...parameters, confirmed: confirm });
    assert.deepEqual(done.hashes!.tasks, { new: 3, equal: 1, differing: 0, equivalent: 2 });
  });

  test('with a conflict nothing comes in, and it is named; keep and raise settle it', async (t) => {
    const source = await serveSource(t);
    const target = await serve(t);
    await fill(source);
    const [hashes, prs] = [target.connect(), target.connect('PRSERVICE 1.0')];
    await getPr(prs, BUSYBOX, 'ours');
    const what = { source: source.address, packages: ['busybox'] };
    const job = await promote(target, what);
    assert.match(job.error!, /^1 row of the source in conflict with PR values here: none was stored/);
    const row = { version: BUSYBOX, pkgarch: 'core2-64', checksum: 'a', value: '0' };
    assert.deepEqual(job.result.prs!.conflict_rows, [{ ...row, kind: 'same-value', against: 'ours' }]);
    assert.equal(await unihashOf(hashes, 1), null);
    const shown = await promoted(target, { ...what, on_conflict: 'raise', dry_run: true });
    const raised = await promoted(target, { ...what, on_conflict: 'raise', confirmed: shown.confirm });
    assert.equal(raised.prs!.raised, 1);
    assert.deepEqual(await valuesOf(prs), [`${BUSYBOX} a 2`, `${BUSYBOX} b 1`, `${BUSYBOX} ours 0`]);
    assert.equal(await unihashOf(hashes, 1), hash(20_001));
  });

  test('by a whole version takes that version alone, also of reports', async (t) => {
    const source = await serveSource(t);
    const target = await serve(t);
    await reported(source.hashes, 1, 1, 'busybox', { PV: '1.36' });
    await reported(source.hashes, 2, 2, 'busybox', { PV: '1.37' });
    await getPr(source.prs, BUSYBOX, 'a');
    await getPr(source.prs, 'busybox-1.37-r0', 'a');
    const { hashes, prs } = await promoted(target, { source: source.address, packages: [BUSYBOX] });
    assert.deepEqual([hashes!.tasks.new, prs!.new], [1, 1]);
    assert.equal(await unihashOf(target.connect(), 1), hash(20_001));
  });

  test('of one service, of architectures', async (t) => {
    const source = await serveSource(t);
    await fill(source);
    for (const [parameters, tasks, values] of [
      [{ hashes: true }, 4, null],
      [{ prs: true }, null, 2],
      [{ pkgarch: 'all' }, 4, 0],
    ] as const) {
      const what = { source: source.address, packages: ['busybox'], ...(parameters as Parameters) };
      const { hashes, prs } = await promoted(await serve(t), what);
      assert.deepEqual([hashes?.tasks.new ?? null, prs?.new ?? null], [tasks, values]);
    }
  });

  test('an unknown package is an error that names it, and one that is near; the others do not come in', async (t) => {
    const source = await serveSource(t);
    const target = await serve(t);
    await fill(source);
    const job = await promote(target, { source: source.address, packages: ['busybox', 'bsh', 'busy*', 'x\'"%_'] });
    assert.equal(job.state, 'failed');
    assert.ok(
      job.error!.endsWith(
        `has no package "bsh" (did you mean bash?), "busy*", "x'\\"%_"; names are whole here, patterns are for bakeserv pull`,
      ),
      job.error!,
    );
    assert.equal(await unihashOf(target.connect(), 1), null);
  });

  test('a recipe whose name looks like a pattern is that recipe', async (t) => {
    const source = await serveSource(t);
    const target = await serve(t);
    await fill(source);
    await reported(source.hashes, 8, 8, 'b*');
    const { hashes } = await promoted(target, { source: source.address, packages: ['b*'] });
    assert.equal(hashes!.tasks.new, 1);
    assert.equal(await unihashOf(target.connect(), 8), hash(20_008));
  });

  test('of 10,000 packages is one job, whose list of names is shortened where jobs are listed', async (t) => {
    const source = await serveSource(t);
    const target = await serve(t);
    await fill(source);
    const packages = Array.from({ length: 9999 }, (_, n) => `python3-some-package-${n}`);
    const job = await promote(target, { source: source.address, packages: ['busybox', ...packages] });
    assert.match(job.error!, /has no package "python3-some-package-0", .* and 9979 more$/);
    const listed = (await target.app.jobs.list(OWNER, { states: null, before: null, limit: 10 })) as unknown as {
      jobs: { parameters: { packages: string[] } }[];
    };
    assert.deepEqual(listed.jobs[0]!.parameters.packages.slice(-2), ['python3-some-package-18', 'and 9980 more']);
  });

  test('tells where its lists are cut, and writes all of them into a file that is named for it', async (t) => {
    const folder = temporaryFolder(t);
    const ROWS = 10_007;
    const numbers = Array.from({ length: ROWS }, (_, n) => n);
    const source = await fillDatabase(path.join(folder, 'source.db'), {
      values: numbers.map((n) => [BUSYBOX, 'core2-64', `c${n}`, String(n)]),
      unihashes: numbers.map((n) => [METHOD, `t${n}`, hash(n), '']),
      outhashes: numbers.map((n) => [
        METHOD,
        `t${n}`,
        `o${n}`,
        '2026-11-21T19:00:00',
        null,
        'busybox',
        '1.36',
        'r0',
        `do_${n}`,
        null,
      ]),
    });
    const own = path.join(folder, 'own');
    fs.mkdirSync(own);
    const differing = numbers.slice(0, 5003).map((n) => [METHOD, `t${n}`, hash(n + 90_000), ''] as const);
    await fillDatabase(path.join(own, 'hashserv.db'), { unihashes: differing }, [
      'users',
      'unihashes',
      'outhashes',
      'config',
    ]);
    const target = await serve(t, { folder: own });
    const file = path.join(folder, 'list.jsonl');
    const asked = { source, packages: ['busybox'], dry_run: true };
    const { list } = await promoted(target, { ...asked, list_file: file });
    const cut = { new_values: 7, tasks: 7, differing_tasks: 3 };
    assert.deepEqual([list!.cut, list!.left_out, list!.file], [cut, 17, file]);
    const of = linesOf(file);
    assert.deepEqual([of('new_values').length, of('tasks').length, of('differing_tasks').length], [ROWS, ROWS, 5003]);
    assert.equal(new Set(of('new_values').map(({ checksum }) => checksum)).size, ROWS);
    assert.deepEqual(
      of('tasks').find(({ taskhash }) => taskhash === 't7'),
      {
        ...{ recipe: 'busybox', task: 'do_7', equivalent: false, state: 'differing' },
        ...{ method: METHOD, taskhash: 't7', unihash: hash(7) },
      },
    );
    assert.equal(of('differing_tasks').find(({ taskhash }) => taskhash === 't7')!.ours, hash(90_007));

    fs.rmSync(file);
    const failed = await promote(target, { ...asked, packages: ['none'], list_file: file });
    assert.deepEqual([failed.state, fs.existsSync(file), fs.existsSync(`${file}.part`)], ['failed', false, false]);
    const start = (parameters: Parameters) => target.app.jobs.start(OWNER, 'promote', { ...asked, ...parameters });
    await assert.rejects(start({ list_file: path.join(own, 'hashserv.db') }), /is a database of this server/);
    await assert.rejects(start({ list_file: 'list.jsonl' }), /must be a full path/);
    await assert.rejects(start({ list_file: file, dry_run: false }), /list_file goes with dry_run/);
  });

  test('tells of names as long as they may be only as many as make a few megabytes', async (t) => {
    const folder = temporaryFolder(t);
    const long = 'v'.repeat(1000);
    const values = Array.from(
      { length: 5000 },
      (_, n) => [`${long}-1-r0`, 'core2-64', `${long}${n}`, String(n)] as const,
    );
    const source = await fillDatabase(path.join(folder, 'source.db'), { values }, ['values']);
    const job = await promote(await serve(t), { source, packages: [long], prs: true, dry_run: true });
    assert.equal(job.state, 'done', job.error ?? '');
    const { new_values: told, cut } = job.result.list!;
    assert.equal(told.length + cut.new_values!, 5000);
    assert.ok(told.length > 1000 && JSON.stringify(job.result).length < 5 * 1024 * 1024, `${told.length} are told`);
  });

  test('names its conflicts in that file too', async (t) => {
    const source = await serveSource(t);
    const target = await serve(t);
    await fill(source);
    await getPr(target.connect('PRSERVICE 1.0'), BUSYBOX, 'ours');
    const file = path.join(temporaryFolder(t), 'list.jsonl');
    const { prs } = await promoted(target, {
      ...{ source: source.address, packages: ['busybox'], prs: true, on_conflict: 'raise' },
      ...{ dry_run: true, list_file: file },
    });
    for (const list of ['conflict_rows', 'raised_rows'] as const) {
      assert.ok((prs![list] as Row[]).length > 0, list);
      assert.deepEqual(linesOf(file)(list), prs![list]);
    }
  });

  test('is for the user of the server alone', async (t) => {
    const target = await serve(t);
    for (const protocol of ['OEHASHEQUIV 1.1', 'PRSERVICE 1.0']) {
      const reply = await target
        .connect(protocol)
        .ask('job-start', { kind: 'promote', parameters: { source: '/etc/passwd', packages: ['a'] } });
      assert.match(JSON.stringify(reply), /only the user that the server runs as may start it/);
    }
  });
});
