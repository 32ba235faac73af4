import { StorageError } from '../../../errors.ts';

/** How long a writer waits for a lock that another program holds. */
export const LOCK_WAIT_MS = 10_000;

/** Waiting inside SQLite blocks a thread of the pool: only this long there, the rest in JavaScript. */
export const BUSY_TIMEOUT_MS = 50;

/**
 * Repeats `attempt` while the database is locked by another program, until `deadline` (in `performance.now()` time;
 * called each time, because a stopping server has less patience). It is tried at least once. `attempt` must
 * leave nothing behind when it fails. `meanwhile` runs between two tries.
 */
export async function retryWhileBusy<T>(
  attempt: () => Promise<T>,
  deadline: () => number,
  meanwhile?: () => Promise<void>,
): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'storage-busy') throw error;
      if (performance.now() >= deadline()) throw error;
      await meanwhile?.();
      // Jitter, so that two servers on one file do not keep in step.
      await new Promise((resolve) => setTimeout(resolve, 2 + Math.random() * 18));
    }
  }
}
