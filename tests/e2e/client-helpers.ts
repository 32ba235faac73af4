import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '../..');
/** The built programs: `npm test` builds before it tests. */
const PROGRAMS = {
  bakeserv: path.join(ROOT, 'dist/bin/launch.cjs'),
  hash: path.join(ROOT, 'dist/bin/bakeserv-hashclient.js'),
  pr: path.join(ROOT, 'dist/bin/bakeserv-prclient.js'),
};

export interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Leaves the option out that names the server. */
  readonly bare?: true;
  readonly stdin?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** A folder with a real server in it, and the clients run against it. */
export interface Site {
  readonly folder: string;
  readonly address: string;
  /** `HOST:PORT` of the same server. */
  readonly tcp: string;
  /** Runs bakeserv-hashclient with `--address` for the server, unless `args` has one. */
  hash(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** Runs bakeserv-prclient with `--server` for the server, unless `args` has one. */
  pr(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** Starts a client and leaves it running. */
  start(program: 'hash' | 'pr', args: readonly string[]): ChildProcess;
  file(name: string, text?: string): string;
  close(): Promise<void>;
}

/**
 * Starts a server; resolves once it listens.
 * @param existing a folder to use, which then stays; without one it has a folder of its own
 */
export async function openSite(serverArgs: readonly string[] = [], existing?: string): Promise<Site> {
  const folder = existing ?? fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-test-'));
  const address = `unix://${path.join(folder, 'bakeserv.sock')}`;
  const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: folder };
  const start = (program: keyof typeof PROGRAMS, args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
    spawn(process.execPath, [PROGRAMS[program], ...args], { cwd: folder, env: { ...env, ...more } });
  const server = start('bakeserv', ['serve', '--bind', address, '--bind', '127.0.0.1:0', ...serverArgs]);
  const tcp = await listening(server);
  const run = (program: 'hash' | 'pr', flag: string, args: readonly string[], options: RunOptions = {}) => {
    const child = start(program, options.bare || args.includes(flag) ? args : [flag, address, ...args], options.env);
    child.stdin.end(options.stdin ?? '');
    return outcome(child);
  };
  return {
    folder,
    address,
    tcp,
    hash: (args, options) => run('hash', '--address', args, options),
    pr: (args, options) => run('pr', '--server', args, options),
    start: (program, args) => start(program, [program === 'hash' ? '--address' : '--server', address, ...args]),
    file(name, text) {
      const file = path.join(folder, name);
      if (text !== undefined) fs.writeFileSync(file, text);
      return file;
    },
    async close() {
      const ended = new Promise((resolve) => server.once('close', resolve));
      server.kill('SIGTERM');
      await ended;
      if (!existing) fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves to the TCP address once both listeners are there. */
function listening(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (text: string) => {
      said += text;
      const found = /^listening (127\.0\.0\.1:\d+)$/m.exec(said);
      if (found) resolve(found[1]!);
    };
    server.stdout!.setEncoding('utf8').on('data', hear);
    server.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    server.once('close', () => reject(new Error(`the server did not start: ${said}`)));
  });
}

export async function outcome(child: ChildProcess): Promise<Outcome> {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  }
  // A client that ends before it has read everything closes the pipe: that is its affair.
  child.stdin?.on('error', () => {});
  const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, by) => resolve([code, by]));
  });
  return { status, signal, ...texts };
}

/** 64 hex digits that are the same for the same number. */
export function digits(number: number): string {
  return number.toString(16).padStart(64, '0');
}
