import fs from 'node:fs';
import { StorageError } from '../../../errors.ts';

const LOOK_EVERY_MS = 500;

/**
 * Notices within a second that the file was removed or replaced: writes would go to a file that nobody can open any more.
 * `stat` only: closing a descriptor of our own on the file would drop SQLite's locks (docs/architecture.md).
 * @param onChange the error to refuse writes with, or null when the very same file is back
 */
export function watchFile(file: string, onChange: (missing: StorageError | null) => void): { close: () => void } {
  const opened = fs.statSync(file);
  let lost = false;
  const timer = setInterval(() => {
    fs.stat(file, (error, now) => {
      if (error && error.code !== 'ENOENT') return;
      const same = !error && now.ino === opened.ino && now.dev === opened.dev;
      if (same === !lost) return;
      lost = !same;
      const what = `the database file was ${error ? 'removed' : 'replaced by another file'} while the server ran`;
      onChange(
        lost ? new StorageError('storage-missing', `${what}: ${file}; restart the server`, undefined, what) : null,
      );
    });
  }, LOOK_EVERY_MS);
  timer.unref();
  return { close: () => clearInterval(timer) };
}
