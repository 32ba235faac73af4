import { errorText } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { PrStore } from './store.ts';

/** The first client of a day that comes so long after the first of all: a server that serves one build, and ends, writes nothing of it. */
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
  /** From then on a moment is missing; never on a read-only server. No timer waits for it: a server that is left alone rests. */
  let dueAt = store.readOnly ? Number.POSITIVE_INFINITY : 0;
  /** When the first client came since. */
  let firstAt: number | null = null;

  async function note(): Promise<void> {
    firstAt = null;
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
      const at = now();
      if (at < dueAt) return;
      firstAt ??= at;
      if (at - firstAt >= AFTER_MS) void note();
    },
    close() {
      dueAt = Number.POSITIVE_INFINITY;
    },
  };
}
