import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type Client, connectClient } from '../../lib/asyncrpc/client/client.ts';
import { type Address, parseAddress } from '../../lib/asyncrpc/transport/address.ts';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';

/** What `npm run build` makes of bin/launch.cts. */
export const LAUNCHER = fileURLToPath(new URL('../../dist/bin/launch.cjs', import.meta.url));

export interface Context {
  after(fn: () => void | Promise<void>): void;
}

type CleanUp = () => void | Promise<void>;
const cleanUps = new WeakMap<Context, CleanUp[]>();

/** Does this after the test, the last one asked for first: a server ends before its folder goes. */
export function afterwards(t: Context, cleanUp: CleanUp): void {
  const known = cleanUps.get(t);
  if (known) return void known.push(cleanUp);
  const mine = [cleanUp];
  cleanUps.set(t, mine);
  t.after(async () => {
    for (const each of mine.reverse()) await each();
  });
}

/** A folder that is removed when the test is over. */
export function temporaryFolder(t: Context): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-e2e-'));
  afterwards(t, () => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A server process. */
export interface ServerProcess {
  readonly child: ChildProcess;
  /** The addresses of its `listening` lines. */
  readonly addresses: readonly Address[];
  /** Lines on stdout so far. */
  readonly stdout: readonly string[];
  /** Everything on stderr so far. */
  stderr(): string;
  /** Resolves once stderr matches. */
  logged(pattern: RegExp): Promise<void>;
  readonly ended: Promise<Ended>;
  hash(): Promise<Client>;
  pr(): Promise<Client>;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

export interface ServeOptions {
  /** Where databases and socket are. */
  readonly folder: string;
  /** Where the databases are, when elsewhere. */
  readonly databases?: string;
  /** The options that name the databases, where they are not files there. */
  readonly files?: readonly string[];
  readonly args?: readonly string[];
  /** A command that runs the server, as `strace`. */
  readonly under?: readonly string[];
  /** Name of the socket file in the folder. */
  readonly socket?: string;
}

/** The arguments of a server on one socket, with both databases in its folder. */
export function serveArgs({ folder, databases = folder, files, args = [], socket = 's' }: ServeOptions): string[] {
  const own = ['--hashserv-db', path.join(databases, 'hashserv.db'), '--prserv-db', path.join(databases, 'prserv.db')];
  return ['serve', '--bind', `unix://${path.join(folder, socket)}`, ...(files ?? own), ...args];
}

/** Starts a server and resolves when it listens. Rejects with what it said when it ends first. Killed after the test. */
export async function serve(t: Context, options: ServeOptions): Promise<ServerProcess> {
  const [command, ...rest] = [...(options.under ?? []), process.execPath, LAUNCHER, ...serveArgs(options)];
  const child = spawn(command!, rest, {
    cwd: options.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: cleanEnvironment(),
  });
  const stdout: string[] = [];
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stderr!.setEncoding('utf8').on('data', (said) => {
    stderr += said;
    for (const watcher of watchers) watcher();
  });
  const ended = once(child, 'close').then(([status, signal]): Ended => ({ status, signal }));
  const clients: Client[] = [];
  afterwards(t, async () => {
    for (const client of clients) client.close();
    child.kill('SIGKILL');
    await ended;
  });
  const wanted = 1 + (options.args ?? []).filter((arg) => arg === '--bind').length;
  const lines = createInterface({ input: child.stdout! });
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      stdout.push(line);
      if (stdout.filter((each) => listening(each)).length === wanted) resolve();
    });
    void ended.then(({ status }) => reject(new Error(`the server ended with status ${status}: ${stderr}`)));
  });
  const addresses = stdout
    .map(listening)
    .filter((text) => text !== null)
    .map(parseAddress);
  const connect = async (protocol: string) => {
    const client = await connectClient(addresses[0]!, { protocol });
    clients.push(client);
    return client;
  };
  return {
    child,
    addresses,
    stdout,
    ended,
    stderr: () => stderr,
    logged: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!pattern.test(stderr)) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
        void ended.then(() => reject(new Error(`the server ended without logging ${pattern}: ${stderr}`)));
      }),
    hash: () => connect('OEHASHEQUIV 1.1'),
    pr: () => connect('PRSERVICE 1.0'),
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}

/** The address in a `listening` line, text or JSON. */
function listening(line: string): string | null {
  if (line.startsWith('{')) return JSON.parse(line).listening ?? null;
  return line.startsWith('listening ') ? line.slice('listening '.length) : null;
}

/** Settings of whoever runs the tests must not reach the servers. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(BAKESERV_|NODE_OPTIONS$|NODE_TEST)/.test(name)),
  );
}

/** Runs the command line to its end, which must come within a minute: others load the machine too. */
export async function runToEnd(args: readonly string[], cwd = os.tmpdir()) {
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: cleanEnvironment(),
    timeout: 60_000,
  });
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status: status as number | null, stdout, stderr };
}

/** Asserts that a server does not start: it ends with this status and one line that matches. */
export async function assertRefused(options: ServeOptions, status: number, line: RegExp): Promise<void> {
  const run = await runToEnd(serveArgs(options), options.folder);
  assert.match(run.stderr, line);
  assert.equal(run.status, status, run.stderr);
  assert.equal(run.stdout, '');
  const said = run.stderr.split('\n').filter((each) => each !== '' && !/ (info|warn): /.test(each));
  assert.equal(said.length, 1, `one line was expected, not:\n${run.stderr}`);
}

/** 64 hexadecimal digits that a text stands for. */
export const hash = (text: string) => createHash('sha256').update(text).digest('hex');

export const METHOD = 'oe.sstatesig.OEOuthashBasic';

/** A report of the task `name`: every hash follows from the name. */
export function reportOf(name: string, more: Record<string, Json> = {}): Record<string, Json> {
  return { method: METHOD, taskhash: hash(`t${name}`), outhash: hash(`o${name}`), unihash: hash(`u${name}`), ...more };
}

export async function report(client: Client, name: string, more: Record<string, Json> = {}): Promise<string> {
  return field(await client.invoke('report', reportOf(name, more)), 'unihash');
}

/** The unihash stored for the task `name`, or null. */
export async function storedUnihash(client: Client, name: string): Promise<string | null> {
  const row = await client.invoke('get', { method: METHOD, taskhash: hash(`t${name}`) });
  return row === null ? null : field(row, 'unihash');
}

/**
 * Asks as BitBake's hash client does, on a connection of its own: an invoke-error ends its build, here by rejecting; a
 * connection that is closed does not, it goes on `without` equivalence.
 */
export async function askAsBitBake({ addresses }: ServerProcess, request: Json): Promise<Json | 'without'> {
  const [address] = addresses;
  assert.ok(address?.kind === 'unix', 'the first listener is no Unix socket');
  const socket = net.connect(address.path);
  socket.write(`OEHASHEQUIV 1.1\nneeds-headers: false\n\n${JSON.stringify(request)}\n`);
  try {
    for await (const line of createInterface({ input: socket })) {
      if (line.includes('invoke-error')) throw new Error(`the build ends: ${line}`);
      return JSON.parse(line);
    }
    return 'without';
  } finally {
    socket.destroy();
  }
}

export async function getPr(client: Client, version: string, checksum: string): Promise<string> {
  return field(await client.invoke('get-pr', { version, pkgarch: 'core2-64', checksum, history: false }), 'value');
}

export function field(reply: Json, name: string): string {
  assert.ok(reply !== null && typeof reply === 'object' && !Array.isArray(reply), JSON.stringify(reply));
  return String(reply[name]);
}

/** Calls `attempt` until it does not throw; rejects with its last error after `withinMs`. */
export async function eventually<T>(withinMs: number, attempt: () => Promise<T>): Promise<T> {
  // Tests run without a check of types: swapped, it would try to call a number for ever.
  assert.ok(Number.isFinite(withinMs) && typeof attempt === 'function', 'eventually(withinMs, attempt)');
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause();
    }
  }
}

/** A short turn for others between two looks at something outside this process. */
export const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 10));

/** Pings until stopped, one at a time; resolves to the longest answer time in milliseconds. */
export function pingWhile(client: Client): { stop(): Promise<{ worstMs: number; count: number }> } {
  let stopped = false;
  let worstMs = 0;
  let count = 0;
  const run = (async () => {
    while (!stopped) {
      const started = performance.now();
      await client.invoke('ping', {});
      worstMs = Math.max(worstMs, performance.now() - started);
      count++;
      await pause();
    }
    return { worstMs, count };
  })();
  run.catch(() => {});
  return {
    stop() {
      stopped = true;
      return run;
    },
  };
}

export function mount(t: Context, args: readonly string[], target: string): void {
  const { status, stderr } = spawnSync('mount', [...args, target], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  // Lazily: whatever a killed server still holds must not keep the folder.
  afterwards(t, () => void spawnSync('umount', ['-l', target]));
}
