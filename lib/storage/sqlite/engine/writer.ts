import { Fifo } from '../../../asyncrpc/fifo.ts';
import { StorageError } from '../../../errors.ts';
import { StoreFigures } from '../../../meter/store-figures.ts';
import type { Binding } from './binding.ts';
import { LOCK_WAIT_MS, retryWhileBusy } from './busy.ts';
import type { DiskRoom } from './disk-room.ts';
import type { Doubt } from './doubt.ts';
import { isConstraintError, isWriteFailure } from './errors.ts';
import type { Submission, WriteKind } from './submissions.ts';
import { aloneKind, countOf, distribute, Gatherer, groupByKind } from './submissions.ts';
import type { WriteConnection } from './write-connection.ts';

const MAX_BATCH_OPS = 256;
const MAX_BATCH_BYTES = 1024 * 1024;
/** A batch while somebody prepares for a turn between batches, which is as long as what the last one wrote. */
const SHORT_BATCH_OPS = 64;
const NOTHING_TO_ANSWER = () => {};

/**
 * The one writer of a database file. There is no timer: while a transaction runs, operations queue; then all of them
 * (up to a limit) form the next one. An operation is answered after its commit, so nothing answered is lost.
 */
export interface Writer {
  /** Applies operations of one kind in one transaction, all or none. `bytes` is their approximate size. */
  submit<Op, Result>(kind: WriteKind<Op, Result>, ops: readonly Op[], bytes: number): Promise<readonly Result[]>;
  /**
   * Runs `job` in a transaction of its own, between two batches. For maintenance, in slices.
   * @param bytes about what it writes to the log, where that is much: without room for it nothing is begun
   */
  slice<T>(job: (connection: Binding) => Promise<T>, bytes?: number): Promise<T>;
  /** Runs `job` while no transaction runs, even while one waits for a lock. It is not interrupted, however long it takes. */
  between<T>(job: (connection: Binding) => Promise<T>): Promise<T>;
  /** Whether batches are kept short for now, because what a turn between two of them does depends on what they write. */
  keepShort(isShort: boolean): void;
  /** Refuses writes with this error until the same blocker passes null. */
  block(by: Blocker, reason: StorageError | null): void;
  /** Operations that wait for their transaction. */
  readonly queued: number;
  /** Whether what runs on the connection may take any length of time. */
  readonly unhurried: boolean;
  /** Applies what is queued, then refuses more. After `deadlineMs` what is left fails. */
  drain(deadlineMs: number): Promise<void>;
}

/** Why writes are refused: a failure for good, a file that is gone, a check. */
export type Blocker = 'failure' | 'file' | 'check';

export interface WriterOptions {
  readonly connection: WriteConnection;
  readonly doubt: Doubt;
  readonly room: DiskRoom;
  /** Before each write: null, or a promise of what must be known first, which never rejects. */
  readonly beforeWrite: () => Promise<void> | null;
  /** After a commit. */
  readonly onCommit: () => void;
  /** Writing or syncing failed in a way that must end the server. */
  readonly onFatal: (error: StorageError) => void;
  /** Counts what is written. */
  readonly figures?: StoreFigures;
}

export function createWriter(options: WriterOptions): Writer {
  const { connection, doubt, room, beforeWrite, onCommit, onFatal, figures = new StoreFigures() } = options;
  const submissions = new Fifo<Submission>();
  const gatherer = new Gatherer();
  let queuedOps = 0;
  const slices = new Fifo<() => Promise<void>>();
  const betweens = new Fifo<() => Promise<void>>();
  const blocks = new Map<Blocker, StorageError>();
  let running = false;
  let unhurried = false;
  let mostOps = MAX_BATCH_OPS;
  let closing = false;
  let latestDeadline = Number.POSITIVE_INFINITY;
  let onIdle: (() => void) | null = null;

  async function loop(): Promise<void> {
    // All take turns, so that neither a long sweep nor a flood of reports keeps the other waiting.
    while (!submissions.isEmpty || !slices.isEmpty || !betweens.isEmpty) {
      // Who is answered goes on when this function waits: the thread has the next batch by then, and need not wait for
      // what hundreds of answers take here.
      while (gatherer.waits(queuedOps)) await new Promise(setImmediate);
      if (!submissions.isEmpty) (await runBatch(takeBatch()))();
      if (!betweens.isEmpty) await betweens.take()!();
      if (!slices.isEmpty) await slices.take()!();
    }
    running = false;
    onIdle?.();
  }

  function wake(): void {
    if (running) return;
    running = true;
    // What other connections sent at the same moment is read before an immediate runs, so it joins the transaction.
    setImmediate(loop);
  }

  function takeBatch(): Submission[] {
    let ops = 0;
    let bytes = 0;
    let count = 0;
    for (let next = submissions.at(0); next; next = submissions.at(count)) {
      if (count > 0 && (ops + next.ops.length > mostOps || bytes + next.bytes > MAX_BATCH_BYTES)) break;
      ops += next.ops.length;
      bytes += next.bytes;
      count++;
    }
    queuedOps -= ops;
    return submissions.takeMany(count);
  }

  /** Applies a batch, which its thread has when this returns unless something must be waited for. Resolves to what answers it. */
  async function runBatch(batch: readonly Submission[]): Promise<() => void> {
    const look = beforeWrite();
    if (look) await look;
    const refused = blocked() ?? tooLate();
    if (refused) return refuse(batch, refused);
    const began = performance.now();
    try {
      const since = Math.min(...batch.map((submission) => submission.since));
      const results = await patiently(since, () => attempt(batch));
      figures.batchOperations.observe(countOf(batch));
      const tookMs = performance.now() - began;
      figures.batchSeconds.observe(tookMs / 1000);
      gatherer.answers(countOf(batch), queuedOps, tookMs);
      onCommit();
      return () => {
        for (const [i, submission] of batch.entries()) submission.resolve(results[i]!);
      };
    } catch (error) {
      if (isConstraintError(error) && batch.length > 1) {
        // Validation should have refused such a row; the rest of the batch must not pay for it.
        for (const submission of batch) (await runBatch([submission]))();
        return NOTHING_TO_ANSWER;
      }
      const failure = failed(error);
      const early = failure instanceof StorageError && failure.code === 'storage-busy' ? withTimeLeft(batch) : [];
      refuse(early.length > 0 ? batch.filter((submission) => !early.includes(submission)) : batch, failure);
      return early.length > 0 ? runBatch(early) : NOTHING_TO_ANSWER;
    }
  }

  function roomFor(batch: readonly Submission[]): Promise<void> | null {
    let bytes = 0;
    let ops = 0;
    for (const submission of batch) {
      bytes += submission.bytes;
      ops += submission.ops.length;
    }
    return room.need(connection.current, bytes, ops);
  }

  /** Submissions that have not yet waited for the lock for as long as they may: they go on waiting. */
  function withTimeLeft(batch: readonly Submission[]): readonly Submission[] {
    const now = performance.now();
    return batch.filter((submission) => submission.since + LOCK_WAIT_MS > now);
  }

  function refuse(batch: readonly Submission[], error: Error): () => void {
    figures.fail(error, countOf(batch));
    for (const submission of batch) submission.reject(error);
    return NOTHING_TO_ANSWER;
  }

  /** Tries until it gets the lock, but no longer than a write that came at `since` may wait. */
  function patiently<T>(since: number, write: () => Promise<T>): Promise<T> {
    const deadline = () => (blocked() ? 0 : Math.min(since + LOCK_WAIT_MS, latestDeadline));
    const once = () => connection.attempt(() => doubt.again(write));
    // The look for foreign commits must not wait for a lock that other processes hold.
    return retryWhileBusy(once, deadline, async () => betweens.take()?.());
  }

  async function attempt(batch: readonly Submission[]): Promise<(readonly unknown[])[]> {
    const room = roomFor(batch);
    if (room) await room;
    const groups = groupByKind(batch);
    const only = aloneKind(groups);
    if (only) {
      const began = performance.now();
      const results = await only.kind.applyAlone!(connection.current, only.ops);
      if (results) {
        figures.commitSeconds.observe((performance.now() - began) / 1000);
        return distribute(batch, groups, [results]);
      }
    }
    const results: (readonly unknown[])[] = [];
    await connection.transaction(async (current) => {
      for (const group of groups) results.push(await group.kind.apply(current, group.ops));
    });
    for (const group of groups) group.kind.committed?.();
    return distribute(batch, groups, results);
  }

  function failed(error: unknown): Error {
    // After a failed write or sync nobody knows what is on the disk: further answers would promise what may be lost.
    if (isWriteFailure(error)) {
      if (!blocks.has('failure')) blocks.set('failure', error);
      onFatal(error);
    }
    return error as Error;
  }

  function blocked(): StorageError | null {
    return blocks.size === 0 ? null : (blocks.get('failure') ?? [...blocks.values()][0]!);
  }

  function refusal(): StorageError | null {
    return blocked() ?? (closing ? stopping() : null);
  }

  function stopping(): StorageError {
    return new StorageError('storage-closed', 'the server is stopping');
  }

  /** After the drain's deadline nothing more is tried: with a locked file, each batch of a long queue would take 50 ms to fail. */
  function tooLate(): StorageError | null {
    return performance.now() >= latestDeadline ? stopping() : null;
  }

  function queueJob<T>(queue: Fifo<() => Promise<void>>, run: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      queue.push(() => run().then(resolve, (error) => reject(failed(error))));
      wake();
    });
  }

  async function unhurriedly<T>(job: () => Promise<T>): Promise<T> {
    unhurried = true;
    try {
      return await job();
    } finally {
      unhurried = false;
    }
  }

  return {
    submit<Op, Result>(kind: WriteKind<Op, Result>, ops: readonly Op[], bytes: number) {
      const refused = refusal();
      if (refused) {
        figures.fail(refused, ops.length);
        return Promise.reject(refused);
      }
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
    slice(job, bytes = 0) {
      const refused = refusal();
      if (refused) return Promise.reject(refused);
      const since = performance.now();
      return queueJob(slices, async () => {
        await beforeWrite();
        const refused = blocked() ?? tooLate();
        if (refused) throw refused;
        const result = await patiently(since, async () => {
          if (bytes === 0) return connection.transaction(job);
          await room.need(connection.current, bytes, 0);
          // Its COMMIT may have to sync a log of hundreds of megabytes.
          return unhurriedly(() => connection.transaction(job));
        });
        onCommit();
        return result;
      });
    },
    between: (job) => queueJob(betweens, () => unhurriedly(() => job(connection.current))),
    keepShort(isShort) {
      mostOps = isShort ? SHORT_BATCH_OPS : MAX_BATCH_OPS;
    },
    block(by, reason) {
      if (reason) blocks.set(by, reason);
      else blocks.delete(by);
    },
    get queued() {
      return queuedOps;
    },
    get unhurried() {
      return unhurried;
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
