import { errorText } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { PrStore } from './store.ts';

/** So long after the first client of a day: a server that serves one build, and ends, writes nothing of it. */
const AFTER_MS = 60_000;
/** A database that could not be written is tried again after this. */
const AGAIN_MS = 3_600_000;

/** Has the store note a moment on each day that clients come, so that insights can tell which values are new. */
export interface DailyNote {
  /** A client has come. Cheap enough for each. */
  client(): void;
  close(): void;
}

/** @param now in milliseconds since 1970 */
export function createDailyNote(
  store: Pick<PrStore, 'readOnly' | 'noteMoment'>,
  log: Logger,
  now: () => number = Date.now,
): DailyNote {
  /** From then on a moment is missing; never on a read-only server. */
  let dueAt = store.readOnly ? Number.POSITIVE_INFINITY : 0;
  let timer: NodeJS.Timeout | null = null;

  async function note(): Promise<void> {
    timer = null;
    const moment = new Date(now());
    dueAt = Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth(), moment.getUTCDate() + 1);
    try {
      await store.noteMoment(moment.toISOString());
    } catch (error) {
      log.debug(`no moment is noted from which PR values are new: ${errorText(error)}`);
      dueAt = moment.getTime() + AGAIN_MS;
    }
  }

  return {
    client() {
      if (timer === null && now() >= dueAt) timer = setTimeout(() => void note(), AFTER_MS).unref();
    },
    close() {
      clearTimeout(timer ?? undefined);
      dueAt = Number.POSITIVE_INFINITY;
    },
  };
}
