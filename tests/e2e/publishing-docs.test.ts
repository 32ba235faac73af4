import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { outcome } from './client-helpers.ts';
import { LAUNCHER, temporaryFolder } from './helpers.ts';

const ROOT = path.join(import.meta.dirname, '../..');

const PAGE = fs.readFileSync(path.join(ROOT, 'docs/publishing.md'), 'utf8');

/** The commands of the page's ```console blocks, each with what it prints. */
function examples(): { command: string; expected: string[] }[] {
  const found: { command: string; expected: string[] }[] = [];
  for (const [, block] of PAGE.matchAll(/^```console\n([\s\S]*?)^```/gm))
    for (const line of block!.trimEnd().split('\n')) {
      if (line.startsWith('$ ')) found.push({ command: line.slice(2), expected: [] });
      else found.at(-1)!.expected.push(line);
    }
  return found;
}

describe('the walk of docs/publishing.md', () => {
  const servers: ChildProcess[] = [];
  // Before the folder goes, which says what runs.
  after(async () => {
    // Where the walk ended early, the server of its stage is still there.
    const stage = path.join(folder, 'stages/pr-1234');
    const words = ['discard', 'pr-1234', '--stages-dir', path.dirname(stage), '--yes', '--force'];
    if (fs.existsSync(stage)) await outcome(spawn('bakeserv', words, { cwd: folder, env }));
    // The walk starts the server of the site by itself.
    const site = path.join(folder, 'site.pid');
    if (fs.existsSync(site)) await ended(Number(fs.readFileSync(site, 'utf8')));
    for (const server of servers) {
      if (server.exitCode !== null || server.signalCode !== null) continue;
      const ended = new Promise((resolve) => server.once('close', resolve));
      server.kill('SIGTERM');
      await ended;
    }
  });

  const folder = temporaryFolder({ after });
  const bin = path.join(folder, 'bin');
  // A control folder of their own: other servers of this user may run.
  const env = { PATH: `${bin}:${process.env.PATH}`, HOME: folder, TMPDIR: path.join(folder, 'tmp') };
  before(async () => {
    for (const name of [bin, env.TMPDIR]) fs.mkdirSync(name);
    const clients = ['bakeserv-hashclient', 'bakeserv-prclient'];
    const programs = {
      bakeserv: LAUNCHER,
      ...Object.fromEntries(clients.map((name) => [name, path.join(ROOT, `dist/bin/${name}.js`)])),
    };
    for (const [name, file] of Object.entries(programs))
      fs.writeFileSync(path.join(bin, name), `#!/bin/sh\nexec '${process.execPath}' '${file}' "$@"\n`, { mode: 0o755 });
    fs.writeFileSync(path.join(folder, 'build.jsonl'), /^```jsonl\n([\s\S]*?)^```/m.exec(PAGE)![1]!);
    for (const name of ['nightly', 'stable']) await startServer(name);
  });

  async function startServer(name: string): Promise<void> {
    const files = ['--hashserv-db', `${name}-hash.db`, '--prserv-db', `${name}-pr.db`, '--jobs-db', `${name}-jobs.db`];
    const child = spawn('bakeserv', ['serve', '--bind', `unix://./${name}.sock`, ...files], { cwd: folder, env });
    servers.push(child);
    fs.writeFileSync(path.join(folder, `${name}.pid`), `${child.pid}\n`);
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.stdout.on('data', (text) => {
        said += text;
        if (said.includes('listening ')) resolve();
      });
      child.once('close', () => reject(new Error(`the server ${name} did not start`)));
    });
  }

  /** Ends a process that is no child of this one. */
  async function ended(pid: number): Promise<void> {
    try {
      for (process.kill(pid, 'SIGTERM'); ; await new Promise((resolve) => setTimeout(resolve, 50)))
        process.kill(pid, 0);
    } catch {}
  }

  const all = examples();
  for (const [i, { command, expected }] of all.entries())
    test(`${i + 1}: $ ${command}`, { timeout: 120_000 }, async () => {
      const child = spawn('sh', ['-c', `{ ${command}\n} 2>&1`], { cwd: folder, env });
      child.stdin.end();
      assert.deepEqual((await outcome(child)).stdout.split('\n').slice(0, -1), expected);
    });

  test('there are commands', () => {
    assert.ok(all.length > 6);
  });
});
