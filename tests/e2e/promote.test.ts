import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { Client } from '../../lib/asyncrpc/client/client.ts';
import { askJobs } from '../../lib/cli/process/control-client.ts';
import { controlFolder, controlSocket } from '../../lib/cli/process/control-folder.ts';
import {
  type Context,
  getPr,
  hash,
  LAUNCHER,
  METHOD,
  pause,
  report,
  runToEnd,
  type ServerProcess,
  serve,
  storedUnihash,
  temporaryFolder,
} from './helpers.ts';

/** Tasks of the package that is promoted while servers die. */
const TASKS = 4000;
const PAGE = 1000;
const BUSYBOX = 'busybox-1.36-r0';

const taskhash = (n: number) => n.toString(16).padStart(64, '0');
/** Every two tasks share a unihash. */
const unihash = (n: number) => taskhash(1_000_000 + Math.floor(n / 2));

/** Runs a command as a shell at a terminal would. */
function onTerminal(args: readonly string[]): ChildProcess {
  const pretend = 'for (const stream of [process.stdin, process.stderr]) stream.isTTY = true;';
  const preload = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`];
  return spawn(process.execPath, [...preload, LAUNCHER, ...args], { stdio: 'pipe' });
}

/** Resolves when a stream has said a text so many times. */
async function said(stream: Readable, what: string, times: number): Promise<void> {
  let heard = '';
  for await (const piece of stream.iterator({ destroyOnReturn: false })) {
    heard += piece;
    if (heard.split(what).length > times) return;
  }
  throw new Error(`never said: ${what}; but: ${heard}`);
}

async function two(t: Context) {
  const folder = temporaryFolder(t);
  for (const name of ['source', 'target']) fs.mkdirSync(path.join(folder, name));
  const start = (name: string) => serve(t, { folder: path.join(folder, name) });
  return {
    start,
    source: await start('source'),
    target: await start('target'),
    from: `unix://${folder}/source/s`,
    into: `unix://${folder}/target/s`,
  };
}

test('what is promoted is the list that was shown: where it has changed before the answer, the new one is shown and asked about', async (t) => {
  const { source, target, from, into } = await two(t);
  const [hashes, prs] = [await source.hash(), await source.pr()];
  const first = await report(hashes, 'first', { PN: 'busybox' });
  await getPr(prs, BUSYBOX, 'a');
  const child = onTerminal(['promote', from, 'busybox', '--address', into]);
  const stdout = text(child.stdout!);
  const ended = once(child, 'close');
  await said(child.stderr!, 'Promote these packages? [y/N]', 1);
  const second = await report(hashes, 'second', { PN: 'busybox' });
  child.stdin!.write('y\n');
  await said(child.stderr!, 'Promote these packages? [y/N]', 1);
  const there = await target.hash();
  assert.equal(await storedUnihash(there, 'first'), null, 'nothing of the old list was done');
  child.stdin!.end('y\n');
  child.stderr!.resume();
  assert.deepEqual(await ended, [0, null]);
  const lists = (await stdout).match(/^tasks: .*$/gm);
  assert.deepEqual(lists, [
    'tasks: 1 new, 0 here already',
    'tasks: 2 new, 0 here already',
    'tasks: 2 new, 0 here already',
  ]);
  assert.equal(await storedUnihash(there, 'first'), first);
  assert.equal(await storedUnihash(there, 'second'), second);

  await report(hashes, 'third', { PN: 'busybox' });
  const refused = onTerminal(['promote', from, 'busybox', '--address', into]);
  refused.stdin!.end('n\n');
  refused.stderr!.resume();
  refused.stdout!.resume();
  assert.deepEqual(await once(refused, 'close'), [1, null]);
  assert.equal(await storedUnihash(there, 'third'), null);
});

test('a pull that finds nothing of what was chosen says how choices are read', async (t) => {
  const { source, from, into } = await two(t);
  await getPr(await source.pr(), BUSYBOX, 'a');
  const pull = (...more: string[]) => runToEnd(['pull', from, '--address', into, '--prs', ...more]);
  const nothing = await pull('--packages', '[bz]usybox');
  assert.equal(nothing.status, 0);
  assert.equal(
    nothing.stderr,
    'nothing new in the source is of that choice (--packages): in patterns * stands for any characters, ? for one, all else for itself\n',
  );
  assert.equal((await pull('--packages', 'busy*')).stderr, '');
  assert.equal((await pull()).stderr, '', 'what is here already is of the choice');
});

/** A package of many tasks, and one task of another. */
async function fill(client: Client): Promise<void> {
  const columns = ['method', 'taskhash', 'outhash', 'created', 'owner', 'PN', 'PV', 'PR', 'task', 'outhash_siginfo'];
  for (let at = 0; at < TASKS; at += PAGE) {
    const numbers = Array.from({ length: PAGE }, (_, n) => at + n);
    const unihashes = numbers.map((n) => [METHOD, taskhash(n), unihash(n)]);
    await client.invoke('import-rows', {
      table: 'unihashes',
      columns: ['method', 'taskhash', 'unihash'],
      rows: unihashes,
    });
    const rows = numbers.map((n) => [
      ...[METHOD, taskhash(n), unihash(n), '2026-11-21T12:00:00.000000+00:00', null],
      ...['busybox', '1.36', 'r0', 'do_compile', null],
    ]);
    await client.invoke('import-rows', { table: 'outhashes', columns, rows });
  }
  await report(client, 'other', { PN: 'bash' });
}

test('a source that dies in the middle ends a promotion with an error; one whose own server is killed goes on, and ends right', async (t) => {
  const { start, source, target, from } = await two(t);
  await fill(await source.hash());
  await getPr(await source.pr(), BUSYBOX, 'a');
  interface Job {
    readonly id: number;
    readonly state: string;
    readonly error: string | null;
    readonly progress: { readonly done: number; readonly total: number | null };
  }
  const ask = (server: ServerProcess, command: string, args: { [name: string]: string | number | object }) =>
    askJobs(
      controlSocket(controlFolder(), server.child.pid!),
      command,
      args as never,
    ) as Promise<unknown> as Promise<Job>;
  const parameters = { source: from, packages: ['busybox'] };
  /** How a job is once it has ended, or is in the middle of what it stores. */
  async function middle(id: number): Promise<Job> {
    for (;;) {
      const job = await ask(target, 'job-show', { id });
      const { done, total } = job.progress;
      if (!/waiting|running/.test(job.state) || (total !== null && done > total - 1.5 * TASKS)) return job;
      await pause();
    }
  }
  const ended = async (server: ServerProcess, id: number): Promise<Job> => {
    for (;;) {
      const job = await ask(server, 'job-show', { id });
      if (!/waiting|running/.test(job.state)) return job;
      await pause();
    }
  };
  const { id: first } = await ask(target, 'job-start', { kind: 'promote', parameters });
  assert.equal((await middle(first)).state, 'running');
  await source.stop('SIGKILL');
  const failed = await ended(target, first);
  assert.equal(failed.state, 'failed');
  assert.match(failed.error!, /source\/s/);

  await start('source');
  const { id: second } = await ask(target, 'job-start', { kind: 'promote', parameters });
  await middle(second);
  await target.stop('SIGKILL');
  const again = await start('target');
  const done = await ended(again, second);
  assert.equal(done.state, 'done', done.error ?? '');
  const client = await again.hash();
  const { usage } = (await client.invoke('get-db-usage', {})) as { usage: { [table: string]: { rows: number } } };
  assert.deepEqual([usage.unihashes_v3!.rows, usage.outhashes_v2!.rows], [TASKS, TASKS]);
  for (const n of [0, 1, TASKS - 1])
    assert.deepEqual(await client.invoke('get', { method: METHOD, taskhash: taskhash(n) }), {
      ...{ method: METHOD, taskhash: taskhash(n), unihash: unihash(n) },
    });
  assert.equal(await client.invoke('get', { method: METHOD, taskhash: hash('other') }), null);
  assert.equal(await getPr(await again.pr(), BUSYBOX, 'a'), '0');
});
