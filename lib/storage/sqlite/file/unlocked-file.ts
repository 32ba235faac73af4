import { stat } from 'node:fs/promises';

/** A writer moves its rows into the file a second after writing at the earliest: this interval notices it before. */
const LOOK_EVERY_MS = 500;

/** A file that is read without locks, and watched for others that start to write. */
export interface UnlockedFile {
  /** Looks now. Resolves once the file has been opened again, if that was needed. */
  look(): Promise<void>;
  close(): void;
}

/**
 * Watches a file by its size, its times, and whether a write-ahead log appears: nothing else tells a reader without
 * locks that somebody writes, and it would go on with pages that are out of date.
 * @param opened how the file looked before it was opened
 * @param reopen opens the file as it is now; if it rejects, because the file cannot be read, it is called again
 */
export function watchUnlocked(file: string, opened: string, reopen: () => Promise<void>): UnlockedFile {
  let seen = opened;
  let looking: Promise<void> | null = null;

  async function look(): Promise<void> {
    const now = await appearance(file);
    if (now === seen) return;
    // Set only afterwards: if the file cannot be opened now, it is tried again.
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
