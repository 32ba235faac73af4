import type { SliceLimits, Source, Target } from './ends.ts';
import type { Part } from './parts.ts';

export interface CopyOptions {
  readonly source: Source;
  readonly target: Target;
  readonly parts: readonly Part[];
  /** Compares, and writes nothing. */
  readonly dryRun: boolean;
  /** Goes on without rows that the target cannot hold. */
  readonly skipUnstorable: boolean;
  /** Ends it after the slice under way. */
  readonly signal: AbortSignal;
  /** What is read and written in one step; SLICE if absent. */
  readonly limits?: SliceLimits;
  /** Is told of rows that were copied, and once all are, of rows that were checked. */
  readonly onRows: (phase: 'copy' | 'check', rows: number) => Promise<void>;
}
