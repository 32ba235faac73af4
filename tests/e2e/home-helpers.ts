import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { connectUnixSocket } from '../../lib/asyncrpc/transport/unix/path.ts';
import type { ServerStatus } from '../../lib/cli/process/control.ts';
import { askStatus } from '../../lib/cli/process/control-client.ts';
import { LAUNCHER } from './helpers.ts';

export { LAUNCHER };

export const ROOT = path.join(import.meta.dirname, '../..');

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A home of its own for what a test starts: a build folder, a temporary folder, a clean environment. */
export interface Home {
  /** The build folder, and the current folder of every command. */
  readonly folder: string;
  readonly tmp: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs a program to its end. */
  run(program: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Outcome>;
  /** Runs `bakeserv` to its end. */
  bakeserv(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Outcome>;
  /** Starts `bakeserv` and leaves it running. */
  start(args: readonly string[], env?: NodeJS.ProcessEnv): ChildProcess;
  /** What `bakeserv status` finds. */
  servers(): Promise<ServerStatus[]>;
}

/** What is left running is ended when the test is over. */
export function createHome(t: TestContext): Home {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-test-'));
  const folder = path.join(base, 'build');
  const tmp = path.join(base, 'tmp');
  for (const each of [folder, tmp]) fs.mkdirSync(each);
  const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: base, TMPDIR: tmp };
  const spawnHere = (program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
    spawn(program, args, { cwd: folder, env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] });
  const started: ChildProcess[] = [];
  const home: Home = {
    folder,
    tmp,
    env,
    run: (program, args, more) => outcome(spawnHere(program, args, more)),
    bakeserv: (args, more) => home.run(process.execPath, [LAUNCHER, ...args], more),
    start(args, more) {
      const child = spawnHere(process.execPath, [LAUNCHER, ...args], more);
      started.push(child);
      return child;
    },
    async servers() {
      return JSON.parse((await home.bakeserv(['status', '--json'])).stdout);
    },
  };
  t.after(async () => {
    for (const child of started) child.kill('SIGKILL');
    for (const pid of await serversIn(tmp)) process.kill(pid, 'SIGKILL');
    fs.rmSync(base, { recursive: true, force: true });
  });
  return home;
}

/** The servers with a control socket in that temporary folder; asked from here, as a command would take longer than most tests. */
async function serversIn(tmp: string): Promise<number[]> {
  const folder = path.join(tmp, `bakeserv-${process.getuid!()}`);
  const sockets = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.endsWith('.sock')) : [];
  const found = await Promise.all(sockets.map((name) => askStatus(path.join(folder, name)).catch(() => null)));
  return found.flatMap((status) => status?.pid ?? []);
}

async function outcome(child: ChildProcess): Promise<Outcome> {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]!.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { status, ...texts };
}

/** Resolves to a process's standard output (or error) once it holds what is looked for; fails when it ends without. */
export function output(child: ChildProcess, wanted: RegExp, name: 'stdout' | 'stderr' = 'stdout'): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child[name]!.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      if (wanted.test(text)) resolve(text);
    });
    child[name]!.once('end', () => reject(new assert.AssertionError({ message: `${wanted} not in ${name}: ${text}` })));
  });
}

/** Resolves when the process behind a control socket has ended. Call it while the process is there. */
export function ended(control: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connectUnixSocket(control);
    socket.on('connect', () => socket.on('close', () => resolve()));
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? resolve() : reject(error)));
  });
}

/** What `export NAME='value'` lines would have a shell know. */
export function variablesOf(text: string): Record<string, string> {
  const { stdout } = spawnSync('sh', ['-c', 'eval "$1"; env -0', 'sh', text], { encoding: 'utf8', env: {} });
  const all = stdout
    .split('\0')
    .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]);
  return Object.fromEntries(all.filter(([name]) => /^(BB_|PRSERV_)/.test(name!)));
}
