import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { AddressError } from '../../errors.ts';
import { type Lock, tryLock } from '../../lock.ts';
import type { Settings } from '../../settings/settings.ts';
import { reportFailure, reportReady } from '../background.ts';
import { askStatus } from '../control.ts';
import { type Running, runServer } from '../run-server.ts';
import { STATUS_ALREADY_RUNNING } from './ensure.ts';
import { type AutoPlace, prepare } from './place.ts';

/** When the private server ends by itself. */
export interface EndOptions {
  /** Seconds without any client; 0: never. */
  readonly idleSeconds: number;
  /** A process to end with, or null. */
  readonly parent: number | null;
}

/** An old server drains for at most 10 s. */
const LOCK_WAIT_MS = 15_000;
const RETRY_MS = 50;
const LONGEST_TICK_MS = 1000;

/** Runs the private server of a build folder in this process; the exit status. */
export async function serveAuto(place: AutoPlace, load: () => Promise<Settings>, end: EndOptions): Promise<number> {
  let lock: Lock | null = null;
  let unwatch = () => {};
  try {
    const settings = await load();
    prepare(place);
    lock = await waitForLock(place);
    if (!lock) return STATUS_ALREADY_RUNNING;
    const held = lock;
    const parentStart = end.parent === null ? null : processStart(end.parent);
    return await runServer({
      command: 'auto',
      settings,
      controls: () => [place.control],
      onListening(running) {
        unwatch = endByItself(running, end, parentStart);
        reportReady(running.status());
      },
      onStopping: () => unwatch(),
      onClosed: () => held.release(),
    });
  } catch (error) {
    reportFailure(error);
    await lock?.release();
    throw error;
  }
}

/** The lock, or null once another server answers in this place. */
async function waitForLock(place: AutoPlace): Promise<Lock | null> {
  const deadline = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    const lock = await tryLock(place.lock);
    if (lock) return lock;
    if (await askStatus(place.control)) return null;
    if (performance.now() > deadline)
      throw new AddressError(`another server holds ${place.lock} and does not answer; its log is ${place.log}`);
    await pause(RETRY_MS);
  }
}

function endByItself({ server, stop }: Running, { idleSeconds, parent }: EndOptions, parentStart: string | null) {
  const idleMs = idleSeconds * 1000;
  const tick = () => {
    if (idleMs > 0 && server.hub.idleMs >= idleMs) stop(`no client for ${idleSeconds} s`);
    else if (parent !== null && processStart(parent) !== parentStart) stop(`the end of process ${parent}`);
  };
  const timer = setInterval(tick, idleMs > 0 ? Math.min(LONGEST_TICK_MS, idleMs / 4) : LONGEST_TICK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * What tells a process from a later one of the same number: its start time where /proc says it (field 22 of
 * proc_pid_stat(5)); null when there is no such process, or it is only waiting to be buried.
 */
function processStart(pid: number): string | null {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : fields[19]!;
  } catch {
    return fs.existsSync('/proc/self/stat') ? null : answersSignals(pid);
  }
}

function answersSignals(pid: number): string | null {
  try {
    process.kill(pid, 0);
    return 'alive';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'alive' : null;
  }
}
