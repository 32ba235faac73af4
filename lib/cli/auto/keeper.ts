import { setTimeout as pause } from 'node:timers/promises';
import { BakeservError, errorText } from '../../errors.ts';
import type { ServerStatus } from '../process/control.ts';
import { type HeldLease, holdLease } from '../process/control-client.ts';
import { STOP_MS, takeServer } from './ensure.ts';
import { type AutoPlace, variables } from './place.ts';

/** A private server that is kept alive: if it dies, it is started again at the same addresses. */
export interface KeptServer {
  readonly status: ServerStatus;
  /** Releases it; when nobody else needs it, waits until it has ended. */
  release(): Promise<void>;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;
/** A server that lived this long died of another cause than the one before. */
const SETTLED_MS = 60_000;

/**
 * Holds the private server of a build folder for this process; starts it if necessary.
 * @param args the command line of `bakeserv` that runs it in the foreground
 * @param say is told what happens to it, for the person watching the build
 * @throws BakeservError when it does not start
 */
export async function keepServer(
  place: AutoPlace,
  args: readonly string[],
  say: (text: string) => void,
): Promise<KeptServer> {
  const leave = new AbortController();
  const take = () => takeServer(place, args, () => holdLease(place.control, process.pid));
  let lease: HeldLease = await take();
  const { status } = lease;

  async function watch(): Promise<void> {
    let waitMs = FIRST_PAUSE_MS;
    for (;;) {
      const since = performance.now();
      const how = await lease.ended;
      if (how === 'stopped') say('the server was stopped by somebody else: the build goes on without it');
      if (how !== 'lost' || leave.signal.aborted) return;
      if (performance.now() - since > SETTLED_MS) waitMs = FIRST_PAUSE_MS;
      say(`the server ended while the build was running, and is started again; its log is ${place.log}`);
      const revived = await again();
      if (!revived) return;
      lease = revived;
      tellChange(status, lease.status, say);
    }

    async function again(): Promise<HeldLease | null> {
      while (!leave.signal.aborted) {
        try {
          await pause(waitMs, undefined, { signal: leave.signal, ref: false });
          waitMs = Math.min(2 * waitMs, LONGEST_PAUSE_MS);
          return await take();
        } catch (error) {
          if (leave.signal.aborted) return null;
          say(`the server did not start again: ${errorText(error)}`);
          if (error instanceof BakeservError && isFinal(error)) return null;
        }
      }
      return null;
    }
  }

  const watching = watch();
  return {
    status,
    async release() {
      leave.abort();
      await lease.release(STOP_MS);
      await watching;
      // It was being started at that moment.
      await lease.release(STOP_MS);
    },
  };
}

/** Starting it again would not help. */
function isFinal({ code }: BakeservError): boolean {
  return code === 'storage-corrupt' || code === 'config-error';
}

function tellChange(before: ServerStatus, now: ServerStatus, say: (text: string) => void): void {
  const [told, real] = [variables(before), variables(now)];
  for (const name of ['BB_HASHSERVE', 'PRSERV_HOST'] as const)
    if (told[name] !== real[name])
      say(`${name} is now ${real[name]}: this build was told ${told[name]}, where nobody answers`);
}
