import { StorageError } from '../../../errors.ts';
import type { Logger } from '../../../log.ts';
import { isReadFailure } from './errors.ts';
import { CHECK_DEFAULTS, type QuickCheck, startQuickCheck } from './quick-check.ts';

/**
 * Handles failed reads. SQLite reports a single bad answer of the disk in the same way as a corrupt file, so the file
 * is read again. If that fails too the file is checked, with writes refused meanwhile; the check decides.
 */
export interface Doubt {
  /** Runs `task`, and once more if a read in it failed: it must leave nothing behind when it fails. */
  again<T>(task: () => Promise<T>): Promise<T>;
  /** Runs `task` again after a read in it failed with this error. */
  retry<T>(error: StorageError, task: () => Promise<T>): Promise<T>;
  /** Aborts a running check. */
  stop(): Promise<void>;
}

export interface DoubtOptions {
  readonly file: string;
  readonly log: Logger;
  /** CHECK_DEFAULTS if absent. */
  readonly checkSql: string | undefined;
  /** Refuses writes with this error until called with null. */
  readonly hold: (reason: StorageError | null) => void;
  /** The file is corrupt, or cannot be read. */
  readonly onFatal: (error: StorageError) => void;
}

export function createDoubt({ file, log, checkSql = CHECK_DEFAULTS.sql, hold, onFatal }: DoubtOptions): Doubt {
  let check: QuickCheck | null = null;
  let stopped = false;
  /** A check has found nothing wrong: another one would not find more. */
  let cleared = false;

  async function raise(error: StorageError): Promise<void> {
    if (check?.running || stopped) return;
    if (cleared) return onFatal(persistent(error));
    hold(new StorageError('storage-io', `${file} is being checked`, error, 'the database file is being checked'));
    log.error('reading the database failed twice: the file is being checked, and writes are refused', { error });
    check = startQuickCheck(file, log, checkSql, 'the database file was checked');
    try {
      await check.done;
    } catch (found) {
      if (!stopped) onFatal(found instanceof StorageError ? found : error);
      return;
    }
    if (stopped) return;
    cleared = true;
    log.warn('the check found the database file whole: writes go on; look at the disk it is on', { file });
    hold(null);
  }

  function persistent(error: StorageError): StorageError {
    const text = `reading the database keeps failing although a check found it whole; look at the disk it is on`;
    return new StorageError('storage-io', `${text} (${error.message})`, error);
  }

  async function retry<T>(error: StorageError, task: () => Promise<T>): Promise<T> {
    try {
      const result = await task();
      log.warn('reading the database failed, and did not when it was tried again; look at the disk it is on', {
        error,
      });
      return result;
    } catch (second) {
      if (isReadFailure(second)) void raise(second);
      throw second;
    }
  }

  return {
    retry,
    async again(task) {
      try {
        return await task();
      } catch (error) {
        if (isReadFailure(error)) return retry(error, task);
        throw error;
      }
    },
    async stop() {
      stopped = true;
      await check?.stop();
    },
  };
}
