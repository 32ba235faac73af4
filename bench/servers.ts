import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

const HERE = import.meta.dirname;
const START_LIMIT_MS = 60_000;
/** 10,000,000 hashes take half a minute beside nothing else. */
const FILL_LIMIT_MS = 300_000;
/** A server that takes less of the processor than this in a quarter of a second is at rest. */
const RESTING_MS = 5;
/** With how many, and in how many milliseconds. */
const FILLED = /unihashes are in memory.*?\brows=(\d+).*?\bms=(\d+)/;

/** A server under measurement, in a process of its own. */
export interface Server {
  /** As the load generator takes it. */
  readonly address: string;
  readonly pid: number;
  /** Its HTTP listener, when it has one. */
  readonly url: string | null;
  /** From the start of the process to its `listening` line. */
  readonly startMs: number;
  /** Resolves when it has read its unihashes into memory and says so, and is at rest again. Not before: until then it is another server. */
  filled(): Promise<{ rows: number; ms: number }>;
  /** What all its threads have done so far. */
  work(): { switches: number; cpuMs: number };
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
  /** Where PR values are; a file in the folder otherwise. */
  readonly prDatabase?: string;
  /** Further options of `bakeserv serve`. */
  readonly extra?: readonly string[];
  /** Hard and soft limit of open files. */
  readonly descriptors?: number;
  /** The program; that in dist/ otherwise. */
  readonly launcher?: string;
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
    await pause(5);
  }
  return server(child, socket, performance.now() - began);
}

/**
 * `bakeserv serve` as built in dist/, with its defaults (every answer fsynced) but for what `extra` says.
 * @throws Error with the end of its log when it does not start
 */
export async function startBakeserv(options: ServeOptions): Promise<Server> {
  const { folder, database, extra = [], descriptors, profileFolder } = options;
  const launcher = options.launcher ?? path.join(HERE, '../dist/bin/launch.cjs');
  const prDatabase = options.prDatabase ?? path.join(folder, 'prserv.sqlite3');
  const socket = path.join(folder, 'bakeserv.sock');
  const log = path.join(folder, 'bakeserv.log');
  const node = [
    process.execPath,
    ...(profileFolder ? ['--cpu-prof', '--cpu-prof-interval=200', `--cpu-prof-dir=${profileFolder}`] : []),
    launcher,
    'serve',
    `--bind=unix://${socket}`,
    `--hashserv-db=${database}`,
    `--prserv-db=${prDatabase}`,
    '--log-level=info',
    ...extra,
  ];
  const command = descriptors ? ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh', ...node] : node;
  const descriptor = fs.openSync(log, 'a');
  const began = performance.now();
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', descriptor] });
  fs.closeSync(descriptor);
  let lines: readonly string[];
  try {
    lines = await listening(child, 1 + extra.filter((option) => option.startsWith('--bind=')).length);
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`bakeserv did not start: ${fs.readFileSync(log, 'utf8').slice(-2000)}`, { cause: error });
  }
  const url = /http:\/\/\S*?:\d+/.exec(lines.join('\n'))?.[0] ?? null;
  return server(child, socket, performance.now() - began, log, url);
}

/**
 * The private server of a build folder, as built in dist/, in the foreground; its folder of databases is `cache`. Its build is this
 * process, so it also sees whether that goes on.
 */
export async function startPrivate(folder: string): Promise<Server> {
  const launcher = path.join(HERE, '../dist/bin/launch.cjs');
  const args = [launcher, 'auto', '--foreground', `--dir=${folder}`, `--parent=${process.pid}`];
  const log = path.join(folder, 'private.log');
  const descriptor = fs.openSync(log, 'a');
  const began = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', descriptor] });
  fs.closeSync(descriptor);
  const socket = path.join(folder, 'hashserve.sock');
  while (!fs.existsSync(socket)) {
    if (child.exitCode !== null || performance.now() - began > START_LIMIT_MS)
      throw new Error(`the private server did not start: ${fs.readFileSync(log, 'utf8').slice(-2000)}`);
    await pause(5);
  }
  return server(child, socket, performance.now() - began, log);
}

/** Resolves to what it says of each of its addresses, once it listens there. */
function listening(child: ChildProcess, addresses: number): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error('no `listening` line')), START_LIMIT_MS);
    const exited = () => reject(new Error('it exited'));
    child.once('exit', exited);
    const lines = createInterface({ input: child.stdout! });
    const said: string[] = [];
    lines.on('line', (line) => {
      if (!line.startsWith('listening ') || said.push(line) !== addresses) return;
      clearTimeout(limit);
      child.off('exit', exited);
      resolve(said);
    });
  });
}

/**
 * @param log of a server that reads its unihashes into memory; null for one that has none
 * @param url of its HTTP listener
 */
function server(
  child: ChildProcess,
  socket: string,
  startMs: number,
  log: string | null = null,
  url: string | null = null,
): Server {
  // A benchmark that ends early, on a signal or an error, leaves no server behind.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const field = (status: string, name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
  return {
    address: `unix:${socket}`,
    pid: child.pid!,
    url,
    startMs,
    async filled() {
      const began = performance.now();
      let line: RegExpExecArray | null = null;
      for (;;) {
        const said = log ? fs.readFileSync(log, 'utf8') : '';
        line = FILLED.exec(said);
        if (line) break;
        if (child.exitCode !== null || performance.now() - began > FILL_LIMIT_MS)
          throw new Error(`it does not say that its unihashes are in memory: ${said.slice(-2000)}`);
        await pause(50);
      }
      // It compares with the file what it has read, and only then tells what is not there from memory.
      for (let before = -Infinity; ; ) {
        const { cpuMs } = workOf(child.pid!);
        if (cpuMs - before < RESTING_MS || performance.now() - began > FILL_LIMIT_MS)
          return { rows: Number(line[1]), ms: Number(line[2]) };
        before = cpuMs;
        await pause(250);
      }
    },
    work: () => workOf(child.pid!),
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

/** Context switches, voluntary and not, and processor time of all threads of a process: SQLite's and Node's too. */
function workOf(pid: number): { switches: number; cpuMs: number } {
  let switches = 0;
  let cpuMs = 0;
  for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
    const status = fs.readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
    for (const [, count] of status.matchAll(/^(?:non)?voluntary_ctxt_switches:\s+(\d+)/gm)) switches += Number(count);
    cpuMs += Number(fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  }
  return { switches, cpuMs };
}
