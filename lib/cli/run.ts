import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { reasonOf } from '../errors.ts';
import { ensureRunning, stopRunning } from './auto/ensure.ts';
import { variables } from './auto/place.ts';
import { PRIVATE_OPTIONS, placeOf } from './auto-options.ts';
import { UsageError } from './main.ts';
import { parseFlags } from './options.ts';

const USAGE = `bakeserv run [options] -- COMMAND [ARGUMENT...]

Runs a command with a private server: sets BB_HASHSERVE and PRSERV_HOST (and lets BitBake see them),
stops the server afterwards, and exits with the command's status.`;

const EXAMPLES = [['bakeserv run -- bitbake core-image-minimal', 'a build with its own server']] as const;

/** As a shell says it (POSIX, 2.8.2). */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
const SIGNALLED = 128;

/** `bakeserv run`. */
export async function run(args: readonly string[]): Promise<number> {
  const cut = args.indexOf('--');
  const own = cut < 0 ? args : args.slice(0, cut);
  const flags = await parseFlags(USAGE, PRIVATE_OPTIONS, own, EXAMPLES);
  if (!flags) return 0;
  const [program, ...rest] = cut < 0 ? [] : args.slice(cut + 1);
  if (program === undefined)
    throw new UsageError('run: no command; write it behind --, as: bakeserv run -- bitbake world');
  const place = placeOf(flags, process.env);
  const server = ['auto', '--foreground', '--idle', '0', '--parent', String(process.pid), ...own];
  const { status, started } = await ensureRunning(place, server);
  try {
    return await runCommand(program, rest, withVariables(process.env, variables(status)));
  } finally {
    // One that ran before belongs to somebody else.
    if (started) await stopRunning(place);
  }
}

function withVariables(environment: NodeJS.ProcessEnv, values: Record<string, string>): NodeJS.ProcessEnv {
  const passed = new Set((environment.BB_ENV_PASSTHROUGH_ADDITIONS ?? '').split(/\s+/).filter(Boolean));
  for (const name of Object.keys(values)) passed.add(name);
  return { ...environment, ...values, BB_ENV_PASSTHROUGH_ADDITIONS: [...passed].join(' ') };
}

/** Runs it with our terminal; the status a shell would give. */
function runCommand(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'inherit', env });
    const release = forwardSignals((signal) => child.kill(signal));
    const end = (status: number) => {
      release();
      resolve(status);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      process.stderr.write(`bakeserv: cannot run ${program}: ${reasonOf(error)}\n`);
      end(error.code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE);
    });
    child.once('exit', (code, signal) => end(code ?? SIGNALLED + os.constants.signals[signal!]));
  });
}

/**
 * Signals go to the command, and we live until it ends. Those of the terminal's keys reach it without us when we are
 * in the foreground: sent twice, Ctrl-C would make BitBake drop its running tasks.
 */
function forwardSignals(send: (signal: NodeJS.Signals) => void): () => void {
  const handlers = (['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => {
    const ofTerminal = signal === 'SIGINT' || signal === 'SIGQUIT';
    const handler = () => {
      if (!ofTerminal || !inForeground()) send(signal);
    };
    process.on(signal, handler);
    return () => process.removeListener(signal, handler);
  });
  return () => {
    for (const remove of handlers) remove();
  };
}

/** Whether our process group is the one that the terminal's keys are for (fields 5 and 8 of proc_pid_stat(5)). */
function inForeground(): boolean {
  try {
    const stat = fs.readFileSync('/proc/self/stat', 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[2] === fields[5];
  } catch {
    return process.stdin.isTTY === true;
  }
}
