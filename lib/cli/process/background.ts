import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AddressError, BakeservError, ConfigError, type ErrorCode, errorText, reasonOf } from '../../errors.ts';
import type { ServerStatus } from './control.ts';

type StartReport = { readonly ready: ServerStatus } | { readonly failed: string; readonly code: ErrorCode | null };

/** Longer than an old server takes to end plus the check of a large database after a crash. */
export const START_MS = 60_000;
const MAX_LOG_BYTES = 1024 * 1024;

/** Where the launcher is, seen from here: in dist/bin/parts, where programs are built into, as it was compiled alone, or in the sources. */
const LAUNCHERS = ['../launch.cjs', '../../../bin/launch.cjs', '../../../bin/launch.cts'];

/** The command line of this program as it runs now: built, or from its sources. */
export function selfCommand(): string[] {
  const files = LAUNCHERS.map((launcher) => fileURLToPath(new URL(launcher, import.meta.url)));
  return [process.execPath, ...process.execArgv, files.find((file) => fs.existsSync(file))!];
}

/**
 * Starts a program of ours in the background, out of reach of this terminal's signals, and waits until it answers.
 * @param log where its output goes
 * @returns the status it reports, or its exit status if it ended without one
 * @throws BakeservError when it does not start, with its own message
 */
export async function startInBackground(
  args: readonly string[],
  log: string,
  folder: string,
): Promise<ServerStatus | number> {
  const [program, ...before] = selfCommand();
  const output = openLog(log);
  let child: ChildProcess;
  try {
    child = spawn(program!, [...before, ...args], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', output, output, 'ipc'],
    });
  } finally {
    fs.closeSync(output);
  }
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new AddressError(`the server did not answer within ${START_MS / 1000} s; its log is ${log}`));
    }, START_MS);
    const settle = () => {
      clearTimeout(timer);
      if (child.connected) child.disconnect();
      child.unref();
    };
    child.once('message', (report: StartReport) => {
      settle();
      if ('ready' in report) resolve(report.ready);
      else reject(new BakeservError(report.code ?? 'address-error', report.failed));
    });
    child.once('exit', (code) => {
      const end = () => {
        settle();
        resolve(code ?? 1);
      };
      // Its last message may still be in the channel.
      if (child.connected) child.once('disconnect', end);
      else end();
    });
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

function openLog(log: string): number {
  try {
    const size = fs.statSync(log, { throwIfNoEntry: false })?.size ?? 0;
    if (size > MAX_LOG_BYTES) fs.renameSync(log, `${log}.1`);
    return fs.openSync(log, 'a', 0o640);
  } catch (error) {
    throw new ConfigError(`cannot write the log ${log}: ${reasonOf(error)}`, error);
  }
}

/** Reports an error to the command that started this process in the background, if it still waits. */
export function reportFailure(error: unknown): void {
  report({ failed: errorText(error), code: error instanceof BakeservError ? error.code : null });
}

/** Reports to the command that started this process in the background, if it still waits, that the server answers. */
export function reportReady(ready: ServerStatus): void {
  report({ ready });
}

function report(what: StartReport): void {
  if (!process.connected) return;
  process.send!(what, undefined, undefined, () => {
    if (process.connected) process.disconnect();
  });
}
