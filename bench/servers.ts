import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

const HERE = import.meta.dirname;
const START_LIMIT_MS = 60_000;

/** A server under measurement, in a process of its own. */
export interface Server {
  /** As the load generator takes it. */
  readonly address: string;
  readonly pid: number;
  /** From the start of the process to its `listening` line. */
  readonly startMs: number;
  /** Resident memory now, and at its highest so far. */
  residentBytes(): { now: number; peak: number };
  /** Processor time of its main thread since it started. */
  mainThreadMs(): number;
  /** Ends it and waits for it. */
  stop(): Promise<void>;
}

export interface ServeOptions {
  /** For the socket, the PR database and the log. */
  readonly folder: string;
  readonly database: string;
  /** Further options of `bakeserv serve`. */
  readonly extra?: readonly string[];
  /** Hard and soft limit of open files. */
  readonly descriptors?: number;
  /** Write a CPU profile there. */
  readonly profileFolder?: string;
}

/** The ceiling: answers every line of a stream with the same hash. */
export async function startEcho(folder: string): Promise<Server> {
  const socket = path.join(folder, 'echo.sock');
  const child = spawn(process.execPath, [path.join(HERE, 'echo.mjs'), socket], { stdio: 'inherit' });
  const began = performance.now();
  while (!fs.existsSync(socket)) {
    if (child.exitCode !== null || performance.now() - began > START_LIMIT_MS)
      throw new Error('echo.mjs did not start');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return server(child, socket, performance.now() - began);
}

/**
 * `bakeserv serve` as built in dist/, with its defaults (every answer fsynced) but for what `extra` says.
 * @throws Error with the end of its log when it does not start
 */
export async function startBakeserv(options: ServeOptions): Promise<Server> {
  const { folder, database, extra = [], descriptors, profileFolder } = options;
  const socket = path.join(folder, 'bakeserv.sock');
  const log = path.join(folder, 'bakeserv.log');
  const node = [
    process.execPath,
    ...(profileFolder ? ['--cpu-prof', '--cpu-prof-interval=200', `--cpu-prof-dir=${profileFolder}`] : []),
    path.join(HERE, '../dist/bin/launch.cjs'),
    'serve',
    `--bind=unix://${socket}`,
    `--hashserv-db=${database}`,
    `--prserv-db=${path.join(folder, 'prserv.sqlite3')}`,
    '--log-level=warn',
    ...extra,
  ];
  const command = descriptors ? ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh', ...node] : node;
  const descriptor = fs.openSync(log, 'a');
  const began = performance.now();
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', descriptor] });
  fs.closeSync(descriptor);
  try {
    await listening(child, 1 + extra.filter((option) => option.startsWith('--bind=')).length);
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`bakeserv did not start: ${fs.readFileSync(log, 'utf8').slice(-2000)}`, { cause: error });
  }
  return server(child, socket, performance.now() - began);
}

/** Resolves when it says of each of its addresses that it listens there. */
function listening(child: ChildProcess, addresses: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error('no `listening` line')), START_LIMIT_MS);
    const exited = () => reject(new Error('it exited'));
    child.once('exit', exited);
    const lines = createInterface({ input: child.stdout! });
    let left = addresses;
    lines.on('line', (line) => {
      if (!line.startsWith('listening ') || --left > 0) return;
      clearTimeout(limit);
      child.off('exit', exited);
      resolve();
    });
  });
}

function server(child: ChildProcess, socket: string, startMs: number): Server {
  // A benchmark that ends early, on a signal or an error, leaves no server behind.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const field = (status: string, name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
  return {
    address: `unix:${socket}`,
    pid: child.pid!,
    startMs,
    residentBytes() {
      const status = fs.readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return { now: field(status, 'VmRSS'), peak: field(status, 'VmHWM') };
    },
    mainThreadMs: () => Number(fs.readFileSync(`/proc/${child.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6,
    async stop() {
      child.kill('SIGTERM');
      const guard = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await exited;
      clearTimeout(guard);
      process.off('exit', kill);
    },
  };
}
