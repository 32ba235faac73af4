import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { AddressError } from '../../errors.ts';
import { START_MS, startInBackground } from '../background.ts';
import { askStatus, askStop, type ServerStatus } from '../control.ts';
import { type AutoPlace, makeFolder } from './place.ts';

/** The exit status of a server that found another one in its place. */
export const STATUS_ALREADY_RUNNING = 75;

const STOP_MS = 15_000;
const RETRY_MS = 50;

/**
 * Finds the running server of a build folder, or starts one and waits until it answers.
 * @param args the command line of `bakeserv` that runs it in the foreground
 * @throws BakeservError when it does not start; the message is the server's own
 */
export async function ensureRunning(
  place: AutoPlace,
  args: readonly string[],
): Promise<{ status: ServerStatus; started: boolean }> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    const running = await askStatus(place.control);
    if (running) return { status: running, started: false };
    makeFolder(place);
    const outcome = await startInBackground(args, place.log, place.folder);
    if (typeof outcome === 'object') return { status: outcome, started: true };
    // Another call was quicker; or its server ended again, then the next round starts ours.
    if (outcome !== STATUS_ALREADY_RUNNING || performance.now() > deadline)
      throw new AddressError(`the server ended at once with status ${outcome}; its log is ${place.log}`);
  }
}

/**
 * Stops the server of a build folder and waits until it has ended.
 * @returns what it was, or null when there is none
 */
export async function stopRunning(place: AutoPlace): Promise<ServerStatus | null> {
  const deadline = performance.now() + STOP_MS;
  for (;;) {
    const stopped = await askStop(place.control, STOP_MS);
    if (stopped) return stopped;
    // No answer and a lock that is held: a server that starts or is about to end.
    if (!fs.existsSync(place.lock)) return null;
    const { tryLock } = await import('../../lock.ts');
    const lock = await tryLock(place.lock);
    await lock?.release();
    if (lock) return null;
    if (performance.now() > deadline)
      throw new AddressError(`the server of ${place.folder} neither answers nor ends; its log is ${place.log}`);
    await pause(RETRY_MS);
  }
}
