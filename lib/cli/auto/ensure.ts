import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { AddressError } from '../../errors.ts';
import { START_MS, startInBackground } from '../process/background.ts';
import type { ServerStatus } from '../process/control.ts';
import { askStatus, askStop } from '../process/control-client.ts';
import { type AutoPlace, isAt, makeFolder, requireOwn } from './place.ts';

/** The exit status of a server that found another one already running there. */
export const STATUS_ALREADY_RUNNING = 75;

export const STOP_MS = 15_000;
const RETRY_MS = 50;

/**
 * Joins the running server of a build folder, or starts one, waits until it answers, and joins that.
 * @param args the command line of `bakeserv` that runs it in the foreground
 * @param take joins or leases the server; null when it ended, or is about to
 * @throws BakeservError when it does not start; the message is the server's own
 */
export async function takeServer<Taken>(
  place: AutoPlace,
  args: readonly string[],
  take: () => Promise<Taken | null>,
): Promise<Taken> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    makeFolder(place);
    const running = await askStatus(place.control);
    // The build folder was moved while its server ran: the addresses it reports lead nowhere.
    if (running && !isAt(running, place)) await askStop(place.control, STOP_MS);
    const taken = running && (await take());
    if (taken) return taken;
    const outcome = running ?? (await startInBackground(args, place.log, process.cwd()));
    if (performance.now() > deadline)
      throw new AddressError(`no server of ${place.folder} stays; its log is ${place.log}`);
    // Another call may have been faster; if its server has ended since, the next round starts ours.
    if (typeof outcome === 'number' && outcome !== STATUS_ALREADY_RUNNING)
      throw new AddressError(`the server ended at once with status ${outcome}; its log is ${place.log}`);
    if (running) await pause(RETRY_MS);
  }
}

/**
 * Stops the server of a build folder and waits until it has ended.
 * @returns its status before the stop, or null when there is none
 * @throws ConfigError when it is another user's
 */
export async function stopRunning(place: AutoPlace): Promise<ServerStatus | null> {
  const deadline = performance.now() + STOP_MS;
  if (!requireOwn(place)) return null;
  for (;;) {
    const stopped = await askStop(place.control, STOP_MS);
    if (stopped) return stopped;
    // No answer but a held lock: the server is starting, or about to end.
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
