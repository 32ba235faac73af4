import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { reasonOf } from '../../errors.ts';
import { createWitness } from './terminal-witness.ts';

/** The exit statuses of a shell (POSIX, 2.8.2). */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
const SIGNALLED = 128;

/** Runs a program on our terminal, and passes our signals on to it. Resolves to the status a shell would give. */
export function runCommand(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve) => {
    // Before it runs: a signal that came in between would end us, and not the command.
    const release = forwardSignals((signal) => child.kill(signal));
    const child = spawn(program, args, { stdio: 'inherit', env });
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
 * Passes signals on to the command; we live until it ends. Signals of terminal keys reach it without us: a second Ctrl-C
 * would make BitBake drop its running tasks. The same signal sent only to us, by a supervisor for example, must be
 * passed on.
 */
function forwardSignals(send: (signal: NodeJS.Signals) => void): () => void {
  const witness = inForeground() ? createWitness() : null;
  const handlers = (['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => {
    const ofTerminal = signal === 'SIGINT' || signal === 'SIGQUIT';
    const handler = async () => {
      if (ofTerminal && witness && (await witness.reached())) return;
      send(signal);
    };
    process.on(signal, handler);
    return () => process.removeListener(signal, handler);
  });
  return () => {
    for (const remove of handlers) remove();
    witness?.close();
  };
}

/** Whether we are in the foreground process group of the terminal (fields 5 and 8 of proc_pid_stat(5)). */
function inForeground(): boolean {
  try {
    const stat = fs.readFileSync('/proc/self/stat', 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[2] === fields[5];
  } catch {
    return process.stdin.isTTY === true;
  }
}
