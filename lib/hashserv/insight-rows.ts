/** How far a slice of reading came; null at the end. */
export interface Slice<Position> {
  readonly next: Position | null;
}

/** Reports of a month, as a slice found them. */
export interface MonthCount {
  /** `2026-11`; null where the time of a row is none. */
  readonly month: string | null;
  readonly reports: number;
  /** How many of them have a signature text. */
  readonly texts: number;
  /** Of these texts. */
  readonly textBytes: number;
  /** Of all other texts of the rows. */
  readonly bytes: number;
}

export interface MonthSlice extends Slice<number> {
  readonly months: readonly MonthCount[];
}

/** Reports of a month whose task has no unihash. */
export interface UnusedCount {
  readonly month: string | null;
  readonly reports: number;
  /** Those that are older than what was asked for, and the bytes of their texts. */
  readonly older: number;
  readonly olderBytes: number;
}

/** A task; the first ones of all have no method. */
export interface TaskPosition {
  readonly method: string;
  readonly taskhash: string;
}

export interface UnusedSlice extends Slice<TaskPosition> {
  /** Reports gone through. */
  readonly looked: number;
  readonly months: readonly UnusedCount[];
}

export interface UnihashSlice extends Slice<number> {
  readonly rows: number;
  readonly bytes: number;
  /** Of the mark that was asked for. */
  readonly marked: number;
}

export const FIRST_TASK: TaskPosition = { method: '', taskhash: '' };

/**
 * What insights read, slice by slice on a connection of its own: nothing else waits for it. What changes meanwhile may be seen
 * or not. Sizes are those of texts in bytes, without indexes.
 */
export interface HashInsightRows {
  /** Rows of each table as far as the database knows without counting: for the progress. */
  readonly estimate: { readonly unihashes: number; readonly outhashes: number };
  /** On the disk, with its indexes; null where it is not known. */
  databaseBytes(): Promise<number | null>;
  /** The mark of a garbage collection in progress. */
  currentMark(): Promise<string | null>;
  /** Reports by month, in the order they were stored, behind an id (0 at first). */
  months(after: number): Promise<MonthSlice>;
  /**
   * Reports whose task has no unihash, in the order of their tasks.
   * @param before as `created` is stored
   */
  unused(after: TaskPosition, before: string): Promise<UnusedSlice>;
  /** Rows of unihashes behind an id. */
  unihashes(after: number, mark: string): Promise<UnihashSlice>;
  close(): Promise<void>;
}
