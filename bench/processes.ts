import { execFile, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { LoadResult } from './generator.ts';
import type { Mode } from './requests.ts';
import type { Shape } from './rows.ts';

const HERE = import.meta.dirname;
const ROW_SECONDS = 15;

export interface LoadRequest {
  readonly mode: Mode;
  readonly shape: Shape;
  readonly oneShot?: boolean;
  readonly offset: number;
  readonly keys: number;
  readonly requests: number;
  readonly seconds?: number;
  /** The server only echoes. */
  readonly unchecked?: boolean;
}

/**
 * Runs the load generator in a process of its own.
 * @param generator the C load generator, compiled; null for ours
 * @throws Error when an answer was not the one to its own request: the rate of such a server says nothing
 */
export async function load(address: string, generator: string | null, request: LoadRequest): Promise<LoadResult> {
  const { mode, shape, oneShot = false, offset, keys, requests, seconds = ROW_SECONDS } = request;
  const numbers = { c: shape.connections, d: shape.depth, n: requests, k: keys, o: offset };
  const args = [address, mode, ...Object.entries(numbers).flatMap(([name, value]) => [`-${name}`, String(value)])];
  if (oneShot) args.push('-1');
  const [file, before] = generator
    ? [generator, []]
    : [process.execPath, ['--import', 'tsx', path.join(HERE, 'load.ts')]];
  if (!generator) args.push('-t', String(seconds));
  if (!generator && request.unchecked) args.push('-u');
  const { stdout } = await promisify(execFile)(file, [...before, ...args]);
  const result: LoadResult = JSON.parse(stdout);
  if (!request.unchecked) requireOwnAnswers(result);
  return result;
}

/** The C generator looks at every eighth answer, and an old one at none. */
function requireOwnAnswers({ wrong, requests }: LoadResult): void {
  if (wrong === undefined)
    throw new Error('this load generator does not check answers: compile the loadgen.c of today');
  if (wrong > 0) throw new Error(`${wrong} of ${requests} answers belong to other requests`);
}

/** What the holder of connections says. */
export interface Held {
  /** Clients that were connected, and answered, all at once. */
  readonly held: number;
  readonly seconds: number;
}

/** Connects `count` clients from one process and keeps them until `release` is called. */
export async function hold(address: string, count: number): Promise<Held & { release(): Promise<void> }> {
  const child = spawn(process.execPath, ['--import', 'tsx', path.join(HERE, 'hold.ts'), address, String(count)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const line = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', () => reject(new Error('hold.ts ended before it had connected')));
  });
  const held = JSON.parse(await line) as Held;
  return {
    ...held,
    async release() {
      child.stdin.end();
      await exited;
    },
  };
}

/** Seconds of processor time, user and system, that a command takes. */
export async function cpuSeconds(command: readonly string[]): Promise<number> {
  const script = 'TIMEFORMAT="%U %S"; time "$@" >/dev/null';
  const { stderr } = await promisify(execFile)('bash', ['-c', script, 'bash', ...command]);
  const [user, system] = stderr.trim().split('\n').at(-1)!.split(' ').map(Number);
  return user! + system!;
}
