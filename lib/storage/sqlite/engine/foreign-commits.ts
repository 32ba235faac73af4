import type { Binding } from './binding.ts';

/** The first look, which fills what is in memory, comes by itself so long after the start; again until one succeeds. */
const FIRST_LOOK_MS = 100;
/** A look that failed is not made again at once, however many ask. */
const RETRY_MS = 40;

/** Tells of commits by other processes, when somebody asks. */
export interface ForeignCommits {
  /** Called at the first look, and at each that finds that others have committed. */
  listen(listener: () => void): void;
  /** Looks now, unless a look is under way. */
  look(): void;
  /** Every commit of others before this moment, as performance.now() tells it, has been told of. */
  seenAt(): number;
  close(): void;
}

/**
 * Notices other connections' commits by `PRAGMA data_version`, which changes with each of them. Queried on
 * the writer it shows those of other processes, because our other connections do not write.
 *
 * It is queried only when somebody asks: a server that is left alone must cost nothing. So whoever answers from memory
 * compares `seenAt` with the clock first, and asks for a look where that was too long ago.
 */
export function createForeignCommits(
  run: (job: (connection: Binding) => Promise<void>) => Promise<void>,
): ForeignCommits {
  const listeners: (() => void)[] = [];
  let known: number | null = null;
  /** Versions of different connections cannot be compared. */
  let askedOf: Binding | null = null;
  let asking = false;
  let seenAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let first: NodeJS.Timeout | null = null;

  async function look(): Promise<void> {
    if (asking || performance.now() - triedAt < RETRY_MS) return;
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
        clearInterval(first ?? undefined);
      });
    } catch {
      // Closing, or the file cannot be read: nothing counts as seen, and whoever asks next tries again.
      triedAt = performance.now();
    } finally {
      asking = false;
    }
  }

  return {
    listen(listener) {
      listeners.push(listener);
      first ??= setInterval(look, FIRST_LOOK_MS).unref();
    },
    look: () => void look(),
    seenAt: () => seenAt,
    close: () => clearInterval(first ?? undefined),
  };
}
