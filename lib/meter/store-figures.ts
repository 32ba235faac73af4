import { COUNTS, Histogram } from './histogram.ts';

/** How the write-ahead log is moved into the database file. */
export const CHECKPOINTS = ['passive', 'restart', 'truncate'] as const;
export type CheckpointMode = (typeof CHECKPOINTS)[number];

/** Checkpoints of one mode. */
export class CheckpointFigures {
  /** Those that moved all that was there … */
  done = 0;
  /** … and those that a reader or another program kept from it. */
  held = 0;
  readonly seconds = new Histogram();
}

/** What the writing of one database file counts. */
export class StoreFigures {
  /** Of each batch that was committed: operations, and the time from its first attempt, with waiting for locks. */
  readonly batchOperations = new Histogram(COUNTS);
  readonly batchSeconds = new Histogram();
  /** What was committed with a statement of its own, or a statement that is its own transaction. */
  readonly commitSeconds = new Histogram();
  /** Syncs of the write-ahead log that we make ourselves. */
  readonly syncSeconds = new Histogram();
  readonly checkpoints: { readonly [mode in CheckpointMode]: CheckpointFigures } = {
    passive: new CheckpointFigures(),
    restart: new CheckpointFigures(),
    truncate: new CheckpointFigures(),
  };
  /** Operations that were refused or failed, by the code of the error. */
  readonly failures = new Map<string, number>();

  /** Notes operations that were not stored. */
  fail(error: unknown, operations: number): void {
    const code = codeOf(error);
    this.failures.set(code, (this.failures.get(code) ?? 0) + operations);
  }
}

/** Every error of a store has a code; an operation may also be refused for what it says. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' && code.startsWith('storage-') ? code : 'other';
}

/** What a cache was asked. */
export class CacheFigures {
  hits = 0;
  misses = 0;
}

/** A cache, as it is now. */
export interface CacheState {
  readonly hits: number;
  readonly misses: number;
  readonly entries: number;
  readonly bytes: number;
}
