import { stat } from 'node:fs/promises';

/** A writer moves its rows into the file a second after writing at the earliest: a look so often notices it before. */
const LOOK_EVERY_MS = 500;

/** A file that is read without locks, and looked at before a read in case others start to write. */
export interface UnlockedFile {
  /** Looks now. Resolves once the file has been opened again, if that was needed. */
  look(): Promise<void>;
  /** Whether it was looked at so short a time ago that it can be read as it is. */
  readonly isRecent: boolean;
  /** It need not be looked at any more. */
  close(): void;
}

/**
 * Watches a file by its size, its times, and whether a write-ahead log appears: nothing else tells a reader without
 * locks that somebody writes, and it would go on with pages that are out of date. Nobody looks while nobody reads.
 * @param opened how the file looked before it was opened
 * @param reopen opens the file as it is now; if it rejects, because the file cannot be read, it is called again
 */
export function watchUnlocked(file: string, opened: string, reopen: () => Promise<void>): UnlockedFile {
  let seen = opened;
  let seenAt = performance.now();
  let looking: Promise<void> | null = null;
  let closed = false;

  async function look(): Promise<void> {
    seenAt = performance.now();
    const now = await appearance(file);
    if (now === seen) return;
    await reopen();
    // Set only afterwards: if the file cannot be opened now, it is tried again.
    seen = now;
  }

  return {
    look() {
      if (closed) return Promise.resolve();
      looking ??= look()
        .catch(() => {})
        .finally(() => {
          looking = null;
        });
      return looking;
    },
    get isRecent() {
      return closed || (!looking && performance.now() - seenAt < LOOK_EVERY_MS);
    },
    close() {
      closed = true;
    },
  };
}

/** How a file and its log look from outside. `stat` only: docs/architecture.md says why. */
export async function appearance(file: string): Promise<string> {
  const one = async (name: string) => {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(name, { bigint: true });
      return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
    } catch {
      return 'none';
    }
  };
  return `${await one(file)}, ${await one(`${file}-wal`)}`;
}
