import { stat } from 'node:fs/promises';

/** A writer moves its rows into the file a second after it has written at the earliest: this notices it before. */
const LOOK_EVERY_MS = 500;

/** A file that is read without locks, and watched for others who begin to write. */
export interface UnlockedFile {
  /** Looks now. Resolves once the file has been opened again where that was needed. */
  look(): Promise<void>;
  close(): void;
}

/**
 * Watches a file by its size, its times, and whether a write-ahead log appears: nothing else tells a reader without
 * locks that somebody writes, and it would go on with pages that are no longer right.
 * @param opened how the file looked before it was opened
 * @param reopen opens the file as it is now; rejects where it cannot be read, and is then called again
 */
export function watchUnlocked(file: string, opened: string, reopen: () => Promise<void>): UnlockedFile {
  let seen = opened;
  let looking: Promise<void> | null = null;

  async function look(): Promise<void> {
    const now = await appearance(file);
    if (now === seen) return;
    // Noted when it is done: what cannot be opened now is tried again.
    await reopen();
    seen = now;
  }

  const lookOnce = () => {
    looking ??= look()
      .catch(() => {})
      .finally(() => {
        looking = null;
      });
    return looking;
  };
  const timer = setInterval(() => void lookOnce(), LOOK_EVERY_MS);
  timer.unref();
  return { look: lookOnce, close: () => clearInterval(timer) };
}

/** How a file and its log look from outside. `stat` only: see watch.ts. */
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
