import type { Binding } from './binding.ts';

const FOREIGN_POLL_MS = 100;

/**
 * Notices commits of others by `PRAGMA data_version`, which changes for every commit of another connection. Asked on
 * the writer it tells those of other processes; our own maintenance connection does not write.
 */
export function pollForeignCommits(run: (job: (connection: Binding) => Promise<void>) => Promise<void>) {
  const listeners: (() => void)[] = [];
  let known: number | null = null;
  /** The version says nothing beside that of another connection. */
  let askedOf: Binding | null = null;
  let asking = false;
  const timer = setInterval(async () => {
    if (asking || listeners.length === 0) return;
    asking = true;
    try {
      await run(async (connection) => {
        const [row] = await connection.all<{ data_version: number }>('PRAGMA data_version');
        // The first look counts as a change too: what happened since the start was seen by nobody.
        if (known !== row!.data_version || askedOf !== connection) for (const listener of listeners) listener();
        known = row!.data_version;
        askedOf = connection;
      });
    } catch {
      // Closing, or the file is gone: nothing to notice any more.
    } finally {
      asking = false;
    }
  }, FOREIGN_POLL_MS);
  timer.unref();
  return {
    listen: (listener: () => void) => void listeners.push(listener),
    close: () => clearInterval(timer),
  };
}
