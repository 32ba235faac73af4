import { setTimeout as pause } from 'node:timers/promises';
import { StorageError } from '../../../errors.ts';
import { isAway, isConflict, isPoolerError, isReadOnly, tellingOf, toStorageError } from './errors.ts';
import type { ConnectionPool, Session } from './pool.ts';

/** How a transaction that got no answer to its COMMIT is found to have been done, or not. */
export interface CommitProof {
  /** The last statement before the COMMIT: leaves a trace. */
  leave(session: Session): Promise<void>;
  /** Whether the trace is there. Waits for a transaction that is still being committed. */
  find(session: Session): Promise<boolean>;
}

export interface TransactionOptions {
  readonly pool: ConnectionPool;
  /** `SERIALIZABLE`; only a test lowers it, to see its checker notice. */
  readonly isolation: string;
  /** Names the database in errors. */
  readonly database: string;
  /** As `performance.now()`. */
  readonly until: number;
  /** Null where doing it again gives the same result: it reads first what is stored. */
  readonly proof: CommitProof | null;
}

const STATEMENT_MS = 9000;
/** How long it may take to find out what became of a COMMIT, on top. */
const PROOF_MS = 1000;
const FIRST_WAIT_MS = 4;
const MAX_WAIT_MS = 500;

/**
 * Runs a transaction until it is committed: again after a conflict with another server, with growing, random pauses, and
 * again on another connection after one broke.
 * @throws StorageError when that was not possible in time, or the error of `work`
 */
export async function runTransaction<T>(
  work: (session: Session) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const { pool, isolation, database, until, proof } = options;
  let earlier: unknown = null;
  for (let attempt = 0; ; attempt++) {
    let result: { readonly value: T } | null = null;
    try {
      return await pool.use(async (session) => {
        // So that a look-up by key locks that key and not, in a small table, all of it.
        await session.exec(
          `BEGIN ISOLATION LEVEL ${isolation}; SET LOCAL enable_seqscan = off; SET LOCAL statement_timeout = ${STATEMENT_MS}`,
        );
        try {
          const value = await work(session);
          await proof?.leave(session);
          result = { value };
          await session.exec('COMMIT');
          return value;
        } catch (error) {
          if (!isAway(error)) await session.exec('ROLLBACK');
          throw error;
        }
      }, until);
    } catch (error) {
      const cause = error instanceof StorageError ? error.cause : error;
      const broken = isAway(cause);
      // `as`: the compiler does not see that the closure above sets it.
      const sent = result as { readonly value: T } | null;
      if (broken && sent && proof && (await wasDone(proof, options))) return sent.value;
      const again = isConflict(cause) || broken || isReadOnly(cause) || isPoolerError(cause);
      const waitMs = Math.random() * Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt, 10));
      const telling = tellingOf(earlier, error);
      if (!again || performance.now() + waitMs > until) throw toStorageError(telling, database);
      earlier = telling;
      await pause(broken || isReadOnly(cause) ? Math.max(50, waitMs) : waitMs);
    }
  }
}

/** Whether a transaction whose COMMIT got no answer was done. @throws StorageError when that could not be found out in time */
async function wasDone(proof: CommitProof, { pool, database, until }: TransactionOptions): Promise<boolean> {
  for (;;) {
    try {
      return await pool.use((session) => proof.find(session), until + PROOF_MS);
    } catch (error) {
      if (performance.now() > until) {
        const why = 'the database went away while it stored this: it is not known whether it did';
        throw new StorageError('storage-away', `${why}: ${database}`, error);
      }
      await pause(100);
    }
  }
}
