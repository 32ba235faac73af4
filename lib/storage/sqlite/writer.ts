import { Fifo } from '../../asyncrpc/fifo.ts';
import { StorageError } from '../../errors.ts';
import { type Binding, isConstraintError, isIoError } from './binding.ts';
import { LOCK_WAIT_MS, retryWhileBusy } from './busy.ts';

/** A kind of write: how a batch of such operations is applied. */
export interface WriteKind<Op, Result> {
  /** Applies the operations in order, inside a transaction that holds the write lock. Results in the same order. */
  apply(connection: Binding, ops: readonly Op[]): Promise<readonly Result[]>;
  /**
   * The same without a transaction around it, for a kind that needs one writing statement only: that statement is the
   * transaction, which saves two thread hops. Resolves to null when it could not be done that way.
   */
  applyAlone?(connection: Binding, ops: readonly Op[]): Promise<readonly Result[] | null>;
}

interface Submission {
  readonly kind: WriteKind<unknown, unknown>;
  readonly ops: readonly unknown[];
  readonly bytes: number;
  readonly since: number;
  readonly resolve: (results: readonly unknown[]) => void;
  readonly reject: (error: Error) => void;
}

interface Job {
  readonly run: () => Promise<void>;
}

const MAX_BATCH_OPS = 256;
const MAX_BATCH_BYTES = 1024 * 1024;

/**
 * The one writer of a database file. There is no timer: while a transaction runs, operations queue; then all of them
 * (up to a bound) form the next one. An operation is answered after its commit, so nothing answered is lost.
 */
export interface Writer {
  /** Applies operations of one kind in one transaction, all or none. `bytes` is their approximate size. */
  submit<Op, Result>(kind: WriteKind<Op, Result>, ops: readonly Op[], bytes: number): Promise<readonly Result[]>;
  /** Runs `job` in a transaction of its own, between two batches. For maintenance, in slices. */
  slice<T>(job: (connection: Binding) => Promise<T>): Promise<T>;
  /** Runs `job` while no transaction runs. */
  between<T>(job: (connection: Binding) => Promise<T>): Promise<T>;
  /** Refuses writes with this error until called with null. */
  block(reason: StorageError | null): void;
  /** Operations that wait for their transaction. */
  readonly queued: number;
  /** Applies what is queued, then refuses more. After `deadlineMs` what is left fails. */
  drain(deadlineMs: number): Promise<void>;
}

export interface WriterOptions {
  readonly connection: Binding;
  /** After a commit. */
  readonly onCommit: () => void;
  /** The write path failed in a way that must end the server: corruption, or a failed write or sync. */
  readonly onFatal: (error: StorageError) => void;
}

export function createWriter({ connection, onCommit, onFatal }: WriterOptions): Writer {
  const submissions = new Fifo<Submission>();
  let queuedOps = 0;
  const jobs = new Fifo<Job>();
  let running = false;
  let blocked: StorageError | null = null;
  let closing = false;
  let latestDeadline = Number.POSITIVE_INFINITY;
  let onIdle: (() => void) | null = null;

  async function loop(): Promise<void> {
    // Jobs and batches take turns: neither a long sweep nor a flood of reports keeps the other waiting.
    while (!submissions.isEmpty || !jobs.isEmpty) {
      if (!submissions.isEmpty) await runBatch(takeBatch());
      await jobs.take()?.run();
    }
    running = false;
    onIdle?.();
  }

  function wake(): void {
    if (running) return;
    running = true;
    // What other connections sent in the same moment is read before an immediate runs: it joins the transaction.
    setImmediate(loop);
  }

  function takeBatch(): Submission[] {
    let ops = 0;
    let bytes = 0;
    let count = 0;
    for (let next = submissions.at(0); next; next = submissions.at(count)) {
      if (count > 0 && (ops + next.ops.length > MAX_BATCH_OPS || bytes + next.bytes > MAX_BATCH_BYTES)) break;
      ops += next.ops.length;
      bytes += next.bytes;
      count++;
    }
    queuedOps -= ops;
    return submissions.takeMany(count);
  }

  async function runBatch(batch: Submission[]): Promise<void> {
    const refused = blocked ?? tooLate();
    if (refused) {
      for (const submission of batch) submission.reject(refused);
      return;
    }
    try {
      const since = Math.min(...batch.map((submission) => submission.since));
      const results = await retryWhileBusy(() => attempt(batch), deadlineFrom(since));
      for (const [i, submission] of batch.entries()) submission.resolve(results[i]!);
      onCommit();
    } catch (error) {
      if (isConstraintError(error) && batch.length > 1) {
        // Validation should have kept such a row out; its neighbours must not pay for it.
        for (const submission of batch) await runBatch([submission]);
        return;
      }
      const failure = failed(error);
      for (const submission of batch) submission.reject(failure);
    }
  }

  function deadlineFrom(since: number): () => number {
    return () => Math.min(since + LOCK_WAIT_MS, latestDeadline);
  }

  async function attempt(batch: readonly Submission[]): Promise<(readonly unknown[])[]> {
    const groups = groupByKind(batch);
    if (groups.length === 1 && groups[0]!.kind.applyAlone) {
      const alone = await groups[0]!.kind.applyAlone(connection, groups[0]!.ops);
      if (alone) return distribute(batch, groups, [alone]);
    }
    return transaction(async () => {
      const results: (readonly unknown[])[] = [];
      for (const group of groups) results.push(await group.kind.apply(connection, group.ops));
      return distribute(batch, groups, results);
    });
  }

  async function transaction<T>(body: () => Promise<T>): Promise<T> {
    // IMMEDIATE: what a write depends on is read under the write lock, so another process cannot change it in between.
    await connection.run('BEGIN IMMEDIATE');
    try {
      const result = await body();
      await connection.run('COMMIT');
      return result;
    } catch (error) {
      await rollBack();
      throw error;
    }
  }

  async function rollBack(): Promise<void> {
    try {
      await connection.run('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself after a full disk or an I/O error. Make sure: a transaction left open wedges us.
      try {
        await connection.exec('BEGIN; ROLLBACK');
      } catch (error) {
        const fatal = new StorageError('storage-io', 'the database connection is stuck in a transaction', error);
        blocked = fatal;
        onFatal(fatal);
      }
    }
  }

  function failed(error: unknown): Error {
    if (!(error instanceof StorageError)) return error as Error;
    // After a failed write or sync nobody knows what is on the disk: answering on would promise what may be lost.
    if (error.code === 'storage-corrupt' || isIoError(error)) {
      blocked ??= error;
      onFatal(error);
    }
    return error;
  }

  function refusal(): StorageError | null {
    return blocked ?? (closing ? stopping() : null);
  }

  function stopping(): StorageError {
    return new StorageError('storage-closed', 'the server is stopping');
  }

  /** After the drain's deadline nothing more is tried: with a locked file a long queue takes 50 ms a batch to fail. */
  function tooLate(): StorageError | null {
    return performance.now() >= latestDeadline ? stopping() : null;
  }

  function addJob<T>(run: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      jobs.push({ run: () => run().then(resolve, (error) => reject(failed(error))) });
      wake();
    });
  }

  return {
    submit<Op, Result>(kind: WriteKind<Op, Result>, ops: readonly Op[], bytes: number) {
      const refused = refusal();
      if (refused) return Promise.reject(refused);
      return new Promise<readonly Result[]>((resolve, reject) => {
        submissions.push({
          kind: kind as WriteKind<unknown, unknown>,
          ops,
          bytes,
          since: performance.now(),
          resolve: resolve as (results: readonly unknown[]) => void,
          reject,
        });
        queuedOps += ops.length;
        wake();
      });
    },
    slice(job) {
      const refused = refusal();
      if (refused) return Promise.reject(refused);
      const since = performance.now();
      return addJob(async () => {
        const late = tooLate();
        if (late) throw late;
        const result = await retryWhileBusy(() => transaction(() => job(connection)), deadlineFrom(since));
        onCommit();
        return result;
      });
    },
    between: (job) => addJob(() => job(connection)),
    block(reason) {
      blocked = reason;
    },
    get queued() {
      return queuedOps;
    },
    async drain(deadlineMs) {
      closing = true;
      latestDeadline = performance.now() + deadlineMs;
      if (!running) return;
      await new Promise<void>((resolve) => {
        onIdle = resolve;
      });
    },
  };
}

interface Group {
  readonly kind: WriteKind<unknown, unknown>;
  readonly ops: unknown[];
}

/**
 * Operations by kind, in order of arrival within a kind. Requests in flight together come from different connections
 * (or are of one kind), so the order between kinds is free.
 */
function groupByKind(batch: readonly Submission[]): Group[] {
  const groups = new Map<unknown, Group>();
  for (const { kind, ops } of batch) {
    const group = groups.get(kind);
    if (group) for (const op of ops) group.ops.push(op);
    else groups.set(kind, { kind, ops: [...ops] });
  }
  return [...groups.values()];
}

/** Gives each submission its part of its group's results. */
function distribute(batch: readonly Submission[], groups: readonly Group[], results: readonly (readonly unknown[])[]) {
  const next = new Map(groups.map((group, i) => [group.kind as unknown, { results: results[i]!, at: 0 }]));
  return batch.map(({ kind, ops }) => {
    const cursor = next.get(kind)!;
    cursor.at += ops.length;
    return cursor.results.slice(cursor.at - ops.length, cursor.at);
  });
}
