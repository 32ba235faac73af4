import type { Binding } from './binding.ts';

const FOREIGN_POLL_MS = 100;

/**
 * Notices other connections' commits by `PRAGMA data_version`, which changes with each of them. Queried on
 * the writer it shows those of other processes, because our other connections do not write.
 */
export function pollForeignCommits(run: (job: (connection: Binding) => Promise<void>) => Promise<void>) {
  const listeners: (() => void)[] = [];
  let known: number | null = null;
  /** Versions of different connections cannot be compared. */
  let askedOf: Binding | null = null;
  let asking = false;
  let seenAt = Number.NEGATIVE_INFINITY;
  const look = async () => {
    if (asking || listeners.length === 0) return;
    asking = true;
    try {
      await run(async (connection) => {
        const began = performance.now();
        const [row] = await connection.all<{ data_version: number }>('PRAGMA data_version');
        // The first look counts as a change too: nobody saw what has happened since the start.
        if (known !== row!.data_version || askedOf !== connection) for (const listener of listeners) listener();
        known = row!.data_version;
        askedOf = connection;
        seenAt = began;
      });
    } catch {
      // Closing, or the file is gone: there is nothing left to notice.
    } finally {
      asking = false;
    }
  };
  const timer = setInterval(look, FOREIGN_POLL_MS);
  timer.unref();
  return {
    listen: (listener: () => void) => void listeners.push(listener),
    look: () => void look(),
    seenAt: () => seenAt,
    close: () => clearInterval(timer),
  };
}
