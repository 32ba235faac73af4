import { StorageError } from '../../../errors.ts';
import type { Logger } from '../../../log.ts';
import { StoreFigures } from '../../../meter/store-figures.ts';
import type { Binding } from './binding.ts';
import { LOCK_WAIT_MS } from './busy.ts';

/** The connection that writes, replaced by another when it is stuck. Only the writer uses it, for one thing at a time. */
export interface WriteConnection {
  readonly current: Binding;
  /** One attempt to write. A connection that has found the file locked for too long is opened again afterwards. */
  attempt<T>(write: (connection: Binding) => Promise<T>): Promise<T>;
  /** Runs `body` in a transaction that holds the write lock; nothing of it is left when it fails. */
  transaction<T>(body: (connection: Binding) => Promise<T>): Promise<T>;
  /** Sets up the connection, and each one that replaces it. */
  prepare(setUp: (connection: Binding) => Promise<void>): Promise<void>;
}

export interface WriteConnectionOptions {
  readonly first: Binding;
  /** Opens another connection. */
  readonly open: () => Promise<Binding>;
  readonly log: Logger;
  /** It is stuck in a transaction, and no other could be opened. */
  readonly onFatal: (error: StorageError) => void;
  /** Counts commits. */
  readonly figures?: StoreFigures;
  /** How long every attempt may find the file locked; REOPEN_AFTER_MS if undefined. */
  readonly reopenAfterMs: number | undefined;
}

/**
 * No well-behaved program holds the lock for longer than others wait for it: after that, perhaps our own connection is
 * stuck, because SQLite refuses every write of one that sees an old state of the file. If another program does hold the lock
 * for so long, opening a connection again does no harm.
 */
const REOPEN_AFTER_MS = 1.5 * LOCK_WAIT_MS;

export function createWriteConnection(options: WriteConnectionOptions): WriteConnection {
  const { open, log, onFatal, figures = new StoreFigures(), reopenAfterMs = REOPEN_AFTER_MS } = options;
  const preparations: ((connection: Binding) => Promise<void>)[] = [];
  let current = options.first;
  /** Since when every attempt has been refused for a lock; null after any other result. */
  let busySince: number | null = null;

  async function noteFailure(error: unknown): Promise<void> {
    if (!(error instanceof StorageError) || error.code !== 'storage-busy') {
      busySince = null;
      return;
    }
    const now = performance.now();
    busySince ??= now;
    if (now - busySince < reopenAfterMs) return;
    busySince = now;
    try {
      await reopen();
      log.warn('every write found the database locked for too long: the connection that writes was opened again');
    } catch (failure) {
      log.debug('the connection that writes could not be opened again', { error: failure });
    }
  }

  async function reopen(): Promise<void> {
    const fresh = await open();
    try {
      for (const setUp of preparations) await setUp(fresh);
    } catch (error) {
      await fresh.close();
      throw error;
    }
    const stuck = current;
    current = fresh;
    await stuck.close().catch((error) => log.debug('the stuck connection could not be closed', { error }));
  }

  async function rollBack(): Promise<void> {
    try {
      await current.run('ROLLBACK');
    } catch {
      // SQLite rolls back by itself after a full disk or an I/O error, or there was no transaction. Make sure: one that is
      // left open would block us.
      try {
        await current.exec('BEGIN; ROLLBACK').catch(reopen);
      } catch (error) {
        onFatal(new StorageError('storage-io', 'the database connection is stuck in a transaction', error));
      }
    }
  }

  return {
    get current() {
      return current;
    },
    async attempt(write) {
      try {
        const result = await write(current);
        busySince = null;
        return result;
      } catch (error) {
        await noteFailure(error);
        throw error;
      }
    },
    async transaction(body) {
      try {
        // IMMEDIATE: what a write depends on is read under the write lock, so another process cannot change it in between.
        await current.run('BEGIN IMMEDIATE');
        const result = await body(current);
        const began = performance.now();
        await current.run('COMMIT');
        figures.commitSeconds.observe((performance.now() - began) / 1000);
        return result;
      } catch (error) {
        await rollBack();
        throw error;
      }
    },
    async prepare(setUp) {
      await setUp(current);
      preparations.push(setUp);
    },
  };
}
