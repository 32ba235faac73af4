import { Fifo } from '../../../asyncrpc/fifo.ts';
import { StorageError } from '../../../errors.ts';
import type { StoreFigures } from '../../../meter/store-figures.ts';
import { isRefusal } from './errors.ts';
import type { Session } from './pool.ts';
import type { CommitProof } from './transaction.ts';

/** A kind of write: how a batch of such operations is applied in a transaction. Doing it twice must give the same result. */
export interface WriteKind<Op, Result> {
  /** Results in the order of the operations. */
  apply(session: Session, ops: readonly Op[]): Promise<readonly Result[]>;
}

/** Runs a transaction to its end, until a time of `performance.now()`. */
export type Transact = <T>(
  work: (session: Session) => Promise<T>,
  untilMs: number,
  proof: CommitProof | null,
) => Promise<T>;

/**
 * One writing transaction at a time, as two of one server would mostly conflict with each other; what is submitted
 * meanwhile is the next one.
 */
export interface Writer {
  /** Resolves when it is committed. */
  submit<Op, Result>(kind: WriteKind<Op, Result>, ops: readonly Op[], bytes: number): Promise<readonly Result[]>;
  /**
   * A transaction of its own, done exactly once.
   * @param forMs how long it may take, with what it waits for
   */
  slice<T>(work: (session: Session) => Promise<T>, forMs?: number): Promise<T>;
  /** Operations that wait for their commit. */
  readonly queued: number;
  /** Refuses what comes from now on; resolves when what came before is done. */
  close(): Promise<void>;
}

interface Waiting {
  readonly kind: WriteKind<unknown, unknown> | null;
  readonly ops: readonly unknown[];
  readonly bytes: number;
  readonly untilMs: number;
  /** What is done alone, in its own transaction. */
  readonly alone: ((session: Session) => Promise<unknown>) | null;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_OPS = 256;
const MAX_BYTES = 8 * 1024 * 1024;
/** How long a write may wait for its commit, in all. */
const WRITE_MS = 10_000;

/** @param proof for what is not the same when it is done twice */
export function createWriter(transact: Transact, proof: CommitProof, figures: StoreFigures): Writer {
  let queued = 0;
  const waiting = new Fifo<Waiting>();
  let running: Promise<void> | null = null;
  let isClosed = false;

  function add(one: Omit<Waiting, 'resolve' | 'reject' | 'untilMs'>, forMs = WRITE_MS): Promise<unknown> {
    if (isClosed) return Promise.reject(new StorageError('storage-closed', 'the database is closed'));
    queued += one.alone ? 1 : one.ops.length;
    return new Promise((resolve, reject) => {
      waiting.push({ ...one, untilMs: performance.now() + forMs, resolve, reject });
      running ??= work();
    });
  }

  async function work(): Promise<void> {
    // What other connections sent at the same moment joins the first transaction.
    await new Promise((resolve) => setImmediate(resolve));
    while (!waiting.isEmpty) {
      const first = waiting.at(0)!;
      if (first.alone) await doAlone(waiting.takeMany(1)[0]!);
      else await doTogether(takeBatch());
    }
    running = null;
  }

  function takeBatch(): Waiting[] {
    let ops = 0;
    let bytes = 0;
    let count = 0;
    for (let one = waiting.at(0); one && !one.alone; one = waiting.at(count)) {
      ops += one.ops.length;
      bytes += one.bytes;
      if (count > 0 && (ops > MAX_OPS || bytes > MAX_BYTES)) break;
      count++;
    }
    return waiting.takeMany(count);
  }

  async function doAlone({ alone, untilMs, resolve, reject }: Waiting): Promise<void> {
    const began = performance.now();
    try {
      resolve(await transact(alone!, untilMs, proof));
      figures.commitSeconds.observe((performance.now() - began) / 1000);
    } catch (error) {
      figures.fail(error, 1);
      reject(error);
    } finally {
      queued--;
    }
  }

  async function doTogether(batch: readonly Waiting[]): Promise<void> {
    const began = performance.now();
    const operations = batch.reduce((sum, { ops }) => sum + ops.length, 0);
    try {
      const results = await transact((session) => applyAll(session, batch), batch[0]!.untilMs, null);
      figures.batchOperations.observe(operations);
      figures.batchSeconds.observe((performance.now() - began) / 1000);
      queued -= operations;
      for (const [i, { resolve }] of batch.entries()) resolve(results[i]);
    } catch (error) {
      // One that cannot be stored must not take the others with it.
      if (batch.length > 1 && isRefusal(error)) {
        for (const one of batch) await doTogether([one]);
        return;
      }
      queued -= operations;
      figures.fail(error, operations);
      for (const { reject } of batch) reject(error);
    }
  }

  return {
    get queued() {
      return queued;
    },
    submit: (kind, ops, bytes) =>
      add({ kind: kind as WriteKind<unknown, unknown>, ops, bytes, alone: null }) as Promise<never>,
    slice: (alone, forMs) => add({ kind: null, ops: [], bytes: 0, alone }, forMs) as Promise<never>,
    async close() {
      isClosed = true;
      await running;
    },
  };
}

/**
 * Operations by kind, in order of arrival within a kind. Requests under way together come from different connections
 * (or are of one kind), so the order between kinds is free.
 */
async function applyAll(session: Session, batch: readonly Waiting[]): Promise<readonly unknown[][]> {
  const kinds = new Map<
    WriteKind<unknown, unknown>,
    { readonly ops: unknown[]; results: readonly unknown[]; at: number }
  >();
  for (const { kind, ops } of batch) {
    const group = kinds.get(kind!) ?? { ops: [], results: [], at: 0 };
    kinds.set(kind!, group);
    for (const op of ops) group.ops.push(op);
  }
  for (const [kind, group] of kinds) group.results = await kind.apply(session, group.ops);
  return batch.map(({ kind, ops }) => {
    const group = kinds.get(kind!)!;
    group.at += ops.length;
    return group.results.slice(group.at - ops.length, group.at);
  });
}
