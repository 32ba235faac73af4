/**
 * How a mirror is: it has not run to its end since the start; it was level when it last ran; its source did not answer then;
 * or it answered, and the run failed all the same, as at a conflict or for want of a right.
 */
export type MirrorState = 'waiting' | MirrorEnd;

/** What came of a run: it was level, or why not. */
export type MirrorEnd = 'level' | 'away' | 'refused';
export const MIRROR_ENDS: readonly MirrorEnd[] = ['level', 'away', 'refused'];

/** What a mirror has taken, by what it is. */
export interface MirrorRows {
  readonly unihashes: number;
  readonly outhashes: number;
  /** Rows of PR values. */
  readonly values: number;
}
export const MIRROR_ROW_KINDS: readonly (keyof MirrorRows)[] = ['unihashes', 'outhashes', 'values'];

/** How a mirror is, as `bakeserv status --json` has it. Counts are since the start of the server; times are ISO 8601, UTC. */
export interface MirrorStatus {
  /** The address of the server that is mirrored. */
  readonly source: string;
  readonly every_seconds: number;
  readonly state: MirrorState;
  readonly running: boolean;
  /** What that server had then is here; null: not since the start. */
  readonly level_at: string | null;
  /** Since then, or since the start. */
  readonly lag_seconds: number;
  /** When the first of the runs began that have failed one after the other; null after one that was level. */
  readonly failing_since: string | null;
  readonly error: string | null;
  /** Rows of PR values that stayed out at the last run that was level, as they are in conflict with ours. */
  readonly conflicts: number;
  /** What was new here. */
  readonly rows: MirrorRows;
  readonly runs: { readonly [end in MirrorEnd]: number };
}
