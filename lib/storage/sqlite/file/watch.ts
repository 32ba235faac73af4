import fs from 'node:fs';
import { createTicker } from '../../../asyncrpc/ticker.ts';
import { StorageError } from '../../../errors.ts';

const LOOK_EVERY_MS = 500;

/** Notices that a file was removed or replaced. */
export interface FileWatch {
  /** Must be called before each write. Null while the file is looked at; after a rest, a promise of a look at it. */
  beforeWrite(): Promise<void> | null;
  close(): void;
}

/** Calls back when the system notices something about the file. Null where it cannot be asked to. */
export type Notices = (file: string, onNotice: () => void) => { close(): void } | null;

/**
 * Notices within a second that the file was removed or replaced: writes would go to a file that nobody can open any more.
 * `stat` only: closing a descriptor of our own on the file would drop SQLite's locks (docs/architecture.md).
 *
 * While somebody writes, the file is looked at twice a second: each page that a checkpoint moves would be a notice. At rest
 * the system gives notice, which costs nothing until then; a folder above that is renamed is only seen before the next write.
 * @param onChange the error to refuse writes with, or null when the very same file is back
 */
export function watchFile(
  file: string,
  onChange: (missing: StorageError | null) => void,
  notices: Notices = systemNotices,
): FileWatch {
  const opened = fs.statSync(file);
  let lost = false;
  let written = false;
  let closed = false;
  /** At rest: what will wake us. */
  let notice: { close(): void } | null = null;

  const ticker = createTicker(LOOK_EVERY_MS, () => {
    // Before the look: nothing that happens after it goes unnoticed.
    if (!written && !lost) notice = notices(file, wake);
    written = false;
    void look();
    return notice === null;
  });

  function wake(): void {
    notice?.close();
    notice = null;
    if (!closed) ticker.wake();
  }

  async function look(): Promise<void> {
    const now = await appearance(file);
    if (!now || closed) return;
    const same = now !== 'none' && now.ino === opened.ino && now.dev === opened.dev;
    if (same === !lost) return;
    lost = !same;
    // The notices were of a file that has gone, or of another.
    if (lost) wake();
    const what = `the database file was ${now === 'none' ? 'removed' : 'replaced by another file'} while the server ran`;
    onChange(
      lost ? new StorageError('storage-missing', `${what}: ${file}; restart the server`, undefined, what) : null,
    );
  }

  ticker.wake();
  return {
    beforeWrite() {
      written = true;
      if (!notice) return null;
      wake();
      return look();
    },
    close() {
      closed = true;
      notice?.close();
      notice = null;
      ticker.close();
    },
  };
}

/** How the file looks, or null when that cannot be told. */
async function appearance(file: string): Promise<fs.Stats | 'none' | null> {
  try {
    return await fs.promises.stat(file);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'none' : null;
  }
}

/** On Linux alone: elsewhere the file would be opened for it, and closing that would drop SQLite's locks. */
function systemNotices(file: string, onNotice: () => void): { close(): void } | null {
  if (process.platform !== 'linux') return null;
  try {
    return fs.watch(file, { persistent: false }, onNotice).on('error', onNotice);
  } catch {
    // All notices that the system allows are taken, or the file is gone.
    return null;
  }
}
