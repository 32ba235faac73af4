import type { Binding } from './binding.ts';

/** A kind of write: how a batch of such operations is applied. */
export interface WriteKind<Op, Result> {
  /** Applies the operations in order, inside a transaction that holds the write lock. Results in the same order. */
  apply(connection: Binding, ops: readonly Op[]): Promise<readonly Result[]>;
  /**
   * The same without a transaction around it, for a kind that needs only one writing statement: that statement is the
   * transaction, which saves two thread hops. Resolves to null if it could not be done that way.
   */
  applyAlone?(connection: Binding, ops: readonly Op[]): Promise<readonly Result[] | null>;
  /** Called when the transaction of the last `apply` is committed, before anything else is applied; not if it was rolled back. */
  committed?(): void;
}

/** Operations of one kind that wait for their transaction. */
export interface Submission {
  readonly kind: WriteKind<unknown, unknown>;
  readonly ops: readonly unknown[];
  readonly bytes: number;
  readonly since: number;
  readonly resolve: (results: readonly unknown[]) => void;
  readonly reject: (error: Error) => void;
}

/** How many operations they hold. */
export function countOf(batch: readonly Submission[]): number {
  let count = 0;
  for (const { ops } of batch) count += ops.length;
  return count;
}

interface Group {
  readonly kind: WriteKind<unknown, unknown>;
  readonly ops: unknown[];
}

/** The group of a batch that has one kind only, if that kind needs no transaction around it; otherwise null. */
export function aloneKind(groups: readonly Group[]): Group | null {
  return groups.length === 1 && groups[0]!.kind.applyAlone ? groups[0]! : null;
}

/**
 * Operations by kind, in order of arrival within a kind. Requests in flight together come from different connections
 * (or are of one kind), so the order between kinds is free.
 */
export function groupByKind(batch: readonly Submission[]): Group[] {
  const groups = new Map<unknown, Group>();
  for (const { kind, ops } of batch) {
    const group = groups.get(kind);
    if (group) for (const op of ops) group.ops.push(op);
    else groups.set(kind, { kind, ops: [...ops] });
  }
  return [...groups.values()];
}

/** Gives each submission its part of its group's results. */
export function distribute(
  batch: readonly Submission[],
  groups: readonly Group[],
  results: readonly (readonly unknown[])[],
): (readonly unknown[])[] {
  const next = new Map(groups.map((group, i) => [group.kind as unknown, { results: results[i]!, at: 0 }]));
  return batch.map(({ kind, ops }) => {
    const cursor = next.get(kind)!;
    cursor.at += ops.length;
    return cursor.results.slice(cursor.at - ops.length, cursor.at);
  });
}

/** Where no more are under way, what a commit costs in itself is much of it: one of all takes hardly longer than one of half of them. */
const MOST_GATHERED = 32;
/** Those whom a batch has answered are waited for, but no longer than for this part of what it took, and … */
const GATHER_SHARE = 0.25;
/** … than for this. */
const MOST_GATHER_MS = 1;

/**
 * Clients that wait for each answer are back with their next write in a moment. If that is not waited for, they find a batch of
 * the others under way, and from then on each commit is for half of them.
 */
export class Gatherer {
  private expected = 0;
  private until = 0;
  private readonly now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  /**
   * A batch is about to be answered.
   * @param queued operations that wait already
   * @param tookMs how long the batch took
   */
  answers(ops: number, queued: number, tookMs: number): void {
    const all = ops + queued;
    this.expected = all <= MOST_GATHERED ? all : 0;
    this.until = this.now() + Math.min(GATHER_SHARE * tookMs, MOST_GATHER_MS);
  }

  /** Whether more are likely to join those that are queued if the next batch waits for a turn. */
  waits(queued: number): boolean {
    if (queued >= this.expected || this.now() >= this.until) this.expected = 0;
    return this.expected > 0;
  }
}
