import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { connectHashClient, parseAddress } from '../../lib/index.ts';
import { digits, openSite, outcome } from './client-helpers.ts';
import { METHOD } from './helpers.ts';

const ROOT = path.join(import.meta.dirname, '../..');

/** A server that knows unihashes 1 to 4, and a folder with objects of 1, 2 and 9. */
async function site(t: { after(fn: () => unknown): void }) {
  const opened = await openSite(['--sstate-dir', 'sstate']);
  t.after(() => opened.close());
  const server = await connectHashClient(parseAddress(opened.address));
  t.after(() => server.close());
  for (const number of [1, 2, 3, 4]) {
    const [unihash, taskhash] = [digits(number), digits(number + 100)];
    const PN = number === 4 ? '=cmd()\u202e' : 'zlib';
    const fields = { PN, PV: '1.3.1', PR: 'r0', task: 'do_package' };
    await server.report({ method: METHOD, taskhash, outhash: digits(number + 200), unihash, ...fields });
  }
  const sstate = path.join(opened.folder, 'sstate');
  const fileOf = (number: number) => {
    const unihash = digits(number);
    const name = `sstate:zlib:core2-64-poky-linux:1.3.1:r0:core2-64:12:${unihash}_package.tar.zst`;
    return path.join(sstate, unihash.slice(0, 2), unihash.slice(2, 4), name);
  };
  for (const number of [1, 2, 9]) {
    fs.mkdirSync(path.dirname(fileOf(number)), { recursive: true });
    for (const suffix of ['', '.siginfo']) fs.writeFileSync(fileOf(number) + suffix, 'object');
  }
  return { ...opened, server, sstate, fileOf };
}

test('insights shared-state tells what is missing and what nobody names, and the commands that it proposes put it right', async (t) => {
  const { hash, folder, sstate, server, fileOf } = await site(t);
  const ask = ['insights', 'shared-state', '--sstate-dir', sstate, '--min-age', '0'];
  const found = JSON.parse((await hash([...ask, '--json', '--fix'])).stdout);
  assert.deepEqual(
    [found.unihashes, found.present, found.missing, found.orphans, found.orphan_bytes],
    [4, 2, 2, 1, 'object'.length],
  );
  const [zlib] = found.recipes.filter(({ PN }: { PN: string }) => PN === 'zlib');
  assert.deepEqual([zlib.task, zlib.unihashes, zlib.missing, zlib.orphans], ['package', 3, 1, 1]);

  const csv = (await hash([...ask, '--csv'])).stdout.split('\n');
  assert.equal(csv.length, 5);
  assert.match(csv[1]!, new RegExp(`^orphan,zlib,,,package,${digits(9)},,,6,/.*tar\\.zst$`));
  assert.match(csv.slice(2).join('\n'), new RegExp(`^missing,zlib,1\\.3\\.1,r0,package,${digits(3)},20..-`, 'm'));
  assert.match(csv.slice(2).join('\n'), /^missing,'=cmd\(\)\\u202e,/m, 'neither a formula nor a hidden character');

  const since = found.recipes[0].missing_since;
  const text = await hash([...ask, '--fix']);
  assert.match(text.stdout, /Unihashes: 4, with an object 2, without 2\nObjects that no unihash names: 1 \(6 B\)/);
  assert.ok(text.stdout.includes(since.slice(0, 16).replace('T', ' ')), 'since when is remembered');

  // What is proposed is for a shell, and does what it says; the pager is left out.
  const commands = (found.fix as { commands: string[] }[]).flatMap((each) => each.commands);
  assert.equal(commands.length, 5);
  const bin = path.join(folder, 'bin');
  fs.mkdirSync(bin);
  const program = `#!/bin/sh\nexec '${process.execPath}' '${path.join(ROOT, 'dist/bin/bakeserv-hashclient.js')}' "$@"\n`;
  fs.writeFileSync(path.join(bin, 'bakeserv-hashclient'), program, { mode: 0o755 });
  const script = commands
    .map((line) => line.replace('--orphans', '--min-age 0 --orphans').replace('| less', ''))
    .join('\n');
  const env = { PATH: `${bin}:${process.env.PATH}`, HOME: folder };
  const run = await outcome(spawn('sh', ['-ec', script], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] }));
  assert.equal(run.status, 0, run.stderr);
  assert.deepEqual(
    await server.unihashesExist([1, 2, 3, 4].map(digits)),
    [true, true, false, false],
    'what has no object is forgotten',
  );
  assert.deepEqual(
    [1, 2, 9].map((number) => fs.existsSync(fileOf(number))),
    [true, true, false],
  );
  assert.equal(fs.existsSync(`${fileOf(9)}.siginfo`), false);
  assert.match((await hash([...ask, '--fix'])).stdout, /Both are in step: there is nothing to do/);
});

test('insights shared-state asks a mirror, and writes what a garbage collection must keep', async (t) => {
  const { hash, sstate, folder, server } = await site(t);
  const seen = new Set<string>();
  const mirror = http.createServer((request, response) => {
    seen.add(`${request.method} ${request.headers.authorization}`);
    response.statusCode = fs.existsSync(path.join(sstate, decodeURIComponent(request.url!).slice('/pub'.length)))
      ? 200
      : 404;
    response.end();
  });
  await new Promise<void>((resolve) => mirror.listen(0, '127.0.0.1', resolve));
  t.after(() => mirror.close());
  const { port } = mirror.address() as { port: number };
  const url = `http://user:secret@127.0.0.1:${port}/pub`;
  const ask = ['insights', 'shared-state', '--sstate-mirror', url, '--pkgarch', 'core2-64', '--min-age', '0'];
  const keep = path.join(folder, 'keep.txt');
  const { stdout, stderr, status } = await hash([...ask, '--keep', keep, '--fix']);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /Unihashes: 4, with an object 2, without 2\n/);
  assert.match(stdout, /4 requests, 0 answers of earlier runs/);
  assert.doesNotMatch(stdout + stderr, /secret/);
  assert.deepEqual([...seen], [`HEAD Basic ${Buffer.from('user:secret').toString('base64')}`]);
  assert.deepEqual(fs.readFileSync(keep, 'utf8').trim().split('\n').sort(), [digits(1), digits(2)].sort());
  assert.match((await hash(ask)).stdout, /0 requests, 4 answers of earlier runs/);
  const collected = await hash(['gc', '--keep-from', keep]);
  assert.equal(collected.status, 0, collected.stderr);
  assert.deepEqual(await server.unihashesExist([1, 3].map(digits)), [true, false]);
});

test('insights shared-state tells what it found, and fails, where the mirror does not answer', async (t) => {
  const { hash } = await site(t);
  const gone = http.createServer();
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
  const { port } = gone.address() as { port: number };
  await new Promise((resolve) => gone.close(resolve));
  const url = `http://user:secret@127.0.0.1:${port}/pub`;
  const ask = ['insights', 'shared-state', '--sstate-mirror', url, '--pkgarch', 'core2-64', '--min-age', '0'];
  const { stdout, stderr, status } = await hash([...ask, '--mirror-timeout', '1']);
  assert.equal(status, 1);
  assert.match(stdout, /Unihashes: 4, with an object 0, without 0, not known 4\n/);
  assert.match(stderr, /ERROR: the mirror http:\/\/127\.0\.0\.1:\d+\/pub\/? cannot be reached: /);
  assert.doesNotMatch(stdout + stderr, /secret/);
});

test('insights shared-state shows what the server itself found last, in its job', async (t) => {
  const { hash, server, sstate } = await site(t);
  const { id } = (await server.invoke('job-start', { kind: 'shared-state' })) as { id: number };
  for (let state = 'waiting'; state !== 'done'; await new Promise((resolve) => setImmediate(resolve))) {
    const job = (await server.invoke('job-show', { id })) as { state: string; error: string | null };
    state = job.state;
    assert.equal(job.error, null);
  }
  const { stdout, status } = await hash(['insights', 'shared-state']);
  assert.equal(status, 0);
  assert.match(stdout, /^As the server found it at 20.*Z\n3 objects in \d+ folders\nUnihashes: 4, with an object 2/);
  assert.ok(!stdout.includes(sstate));
});

test('insights say which options are of no use, and where objects are must be said', async (t) => {
  const { hash, sstate } = await site(t);
  const errorOf = async (args: readonly string[]) => {
    const { status, stderr } = await hash(['insights', ...args]);
    return `${status} ${stderr}`;
  };
  assert.match(await errorOf(['shared-state']), /^1 .*the server has not compared yet: name --sstate-dir DIR/);
  assert.match(await errorOf(['shared-state', '--list', 'x']), /^2 .*--list is of no use here/);
  assert.match(await errorOf(['shared-state', '--fix']), /^2 .*--fix needs --sstate-dir DIR or --sstate-mirror URL/);
  assert.match(await errorOf(['age', '--sstate-dir', sstate]), /^2 .*insights age: --sstate-dir is of no use here/);
  assert.match(
    await errorOf(['shared-state', '--sstate-dir', sstate, '--max-age', '7']),
    /^2 .*insights shared-state: --max-age is of no use here/,
  );
  assert.match(await errorOf(['shared-state', '--sstate-mirror', 'ftp://x/']), /^1 .*must begin with http/);
  assert.match(
    await errorOf(['shared-state', '--sstate-mirror', 'http://x/', '--orphans', 'x']),
    /^2 .*--orphans: what a mirror has/,
  );
  assert.match(
    await errorOf(['shared-state', '--sstate-mirror', 'http://x/', '--sstate-name', '{PN}']),
    /^2 .*\{unihash\} must be in it/,
  );
});

test('insights are JSON and CSV for programs, and what is wrong is an error on stderr with a status', async (t) => {
  const { hash } = await site(t);
  const json = await hash(['insights', 'equivalences', '--json']);
  assert.deepEqual([json.status, json.stderr], [0, ''], 'nothing is drawn into a pipe');
  const found = JSON.parse(json.stdout) as { never: { PN: string; reports: number }[]; total: { found: number } };
  assert.deepEqual(
    [found.total.found, found.never.map(({ PN, reports }) => [PN, reports])],
    [0, [['zlib', 3]]],
    'of one report nothing can be said',
  );
  const csv = await hash(['insights', 'equivalences', '--csv', '--list', 'never']);
  assert.deepEqual([csv.status, csv.stderr], [0, '']);
  assert.match(csv.stdout, /^zlib,do_package,3$/m);
  const failed = await hash(['insights', 'unstable', '--diff', digits(999)]);
  assert.deepEqual([failed.status, failed.stdout], [1, '']);
  assert.match(failed.stderr, /^ERROR: .*no output of a task/);
  for (const wrong of [['nothing'], ['age', '--csv', '--json'], ['age', '--list', 'none'], []]) {
    const { status, stdout, stderr } = await hash(['insights', ...wrong]);
    assert.deepEqual([status, stdout], [2, ''], stderr);
    assert.notEqual(stderr, '');
  }
});

test('bakeserv-prclient insights churn shows which packages never stand still', async (t) => {
  const { pr, hash } = await site(t);
  for (const checksum of ['a', 'b', 'c']) await pr(['get-pr', 'zlib-1-r0', 'all', checksum]);
  await pr(['get-pr', '=x-1-r0', 'all', 'a']);
  const { stdout } = await pr(['insights', 'churn', '--sort', 'values']);
  assert.match(stdout, /zlib +all +1 +3 +- +0 +2 +999,999,997\n/);
  assert.match(stdout, /4 values of 2 packages\. Which of them are new is not known/);
  assert.match((await pr(['insights', 'churn', '--csv', '--limit', '9'])).stdout, /^'=x,all,1,1,,0,0,999999999$/m);
  assert.equal((await hash(['insights', 'churn'])).status, 2, 'they are of the PR service');
});
