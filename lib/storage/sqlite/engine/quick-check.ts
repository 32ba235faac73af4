import { StorageError } from '../../../errors.ts';
import type { Logger } from '../../../log.ts';
import { openBinding } from './binding.ts';
import { BUSY_TIMEOUT_MS, LOCK_WAIT_MS, retryWhileBusy } from './busy.ts';
import { interruptWhile } from './connections.ts';
import { isIoErrorCode, isReadFailure } from './errors.ts';

/** When and how a file is checked after a crash. */
export interface CheckOptions {
  /** Smaller files are checked before the server answers, larger ones while it does. */
  readonly besideFromBytes: number;
  /** A statement whose first row's `quick_check` is `ok`, or says what is corrupt. */
  readonly sql: string;
}

/** A check of 256 MiB takes about a second. */
export const CHECK_DEFAULTS: CheckOptions = {
  besideFromBytes: 256 * 1024 * 1024,
  sql: 'PRAGMA quick_check(1)',
};

/** A running check. */
export interface QuickCheck {
  /**
   * Resolves when the file is whole, or the check was aborted. Rejects with storage-corrupt when it is corrupt, with
   * storage-io when it cannot be read.
   */
  readonly done: Promise<void>;
  /** While this is true, the check's read transaction keeps the write-ahead log from being emptied. */
  readonly running: boolean;
  /** Aborts it. Resolves when its connection is closed. */
  stop(): Promise<void>;
}

const WHOLE_AFTER_CRASH = 'the last server on this database did not stop cleanly; the file was checked and is whole';

/** SQLite's text for a page that could not be read at all, as opposed to one with impossible content. */
const UNREADABLE_PAGE = /error code=(\d+)/;

/** What a check found, as an error that says whether the file is corrupt or the disk cannot read it. */
function toDamage(found: string, file: string): StorageError {
  const said = found.slice(0, 200).replaceAll('\n', ' ');
  const code = Number(UNREADABLE_PAGE.exec(found)?.[1] ?? 0);
  return isIoErrorCode(code)
    ? new StorageError('storage-io', `the database file cannot be read (${said}); look at the disk it is on: ${file}`)
    : new StorageError('storage-corrupt', `the database file is damaged (${said}); restore a backup: ${file}`);
}

/**
 * After a crash, or when reads failed: is the file whole? Runs on a connection of its own, because a large file takes minutes and nothing
 * should wait for that. It only reads: closing it neither writes the log into a file that may be corrupt nor removes
 * the log, which tells the next start to check the file.
 */
export function startQuickCheck(file: string, log: Logger, sql: string, whole = WHOLE_AFTER_CRASH): QuickCheck {
  let running = true;
  let stopped = false;
  let interrupt = () => {};

  async function verdict(): Promise<string> {
    const deadline = performance.now() + LOCK_WAIT_MS;
    const connection = await openBinding(file, 'read');
    interrupt = connection.interrupt;
    try {
      await connection.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
      const rows = await retryWhileBusy(
        () => connection.all<{ quick_check: string }>(sql),
        () => (stopped ? 0 : deadline),
      );
      return rows[0]?.quick_check ?? 'no answer';
    } finally {
      interrupt = () => {};
      await connection.close();
    }
  }

  async function damage(): Promise<StorageError | null> {
    try {
      const found = await verdict();
      return found === 'ok' ? null : toDamage(found, file);
    } catch (error) {
      if (isReadFailure(error)) return error;
      throw error;
    }
  }

  async function check(): Promise<void> {
    const started = performance.now();
    try {
      // One failed read proves nothing: the disk may answer the next time.
      const found = (await damage()) && (await damage());
      if (found) throw found;
      log.info(whole, { file, seconds: Math.round(performance.now() - started) / 1000 });
    } catch (error) {
      // Aborted: that says nothing about the file.
      if (!stopped) throw error;
    } finally {
      running = false;
    }
  }

  const done = check();
  return {
    done,
    get running() {
      return running;
    },
    stop() {
      stopped = true;
      return interruptWhile(
        () => running,
        () => interrupt(),
      );
    },
  };
}
