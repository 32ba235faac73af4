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

/** A task that has more than one output. */
export interface UnstableTask extends TaskPosition {
  readonly PN: string | null;
  readonly task: string | null;
  readonly outputs: number;
  /** How many of the outputs have a signature text. */
  readonly texts: number;
  /** When the first and the last of them were reported, as `created` is stored. */
  readonly first: string | null;
  readonly last: string | null;
  /** Two of those who reported them, and how many there are. */
  readonly owners: readonly string[];
  readonly ownerCount: number;
}

export interface UnstableSlice extends Slice<TaskPosition> {
  readonly looked: number;
  readonly tasks: readonly UnstableTask[];
}

/** An output of a task. */
export interface Output {
  readonly id: number;
  readonly method: string;
  readonly outhash: string;
  readonly created: string | null;
  readonly owner: string | null;
  readonly PN: string | null;
  readonly task: string | null;
  /** Of its signature text, in bytes; null where it has none. */
  readonly textBytes: number | null;
}

/** A row of unihashes, in the order of unihashes, and of one unihash in the order in which they were stored. */
export interface UnihashPosition {
  readonly unihash: string;
  readonly id: number;
}

export interface EqualSlice extends Slice<UnihashPosition> {
  /** Unihash rows gone through. */
  readonly looked: number;
  /** The rows whose unihash an earlier row has too. */
  readonly ids: readonly number[];
}

/** A task that was found equal to an earlier one, with the report of it that was stored first; null where there is none. */
export interface FoundEqual {
  readonly unihash: string;
  readonly PN: string | null;
  readonly task: string | null;
  /** As `created` is stored. */
  readonly created: string | null;
}

export interface RecipeSlice extends Slice<number> {
  readonly looked: number;
  /** Side by side: objects would take several times as long to make and to read. */
  readonly PNs: readonly (string | null)[];
  readonly tasks: readonly (string | null)[];
  readonly reports: readonly number[];
}

/** Names are not longer than this: a name that is is cut, and may then be that of another. */
export const MAX_NAME_CHARS = 256;

export const FIRST_TASK: TaskPosition = { method: '', taskhash: '' };
export const FIRST_UNIHASH: UnihashPosition = { unihash: '', id: 0 };
/** So many tasks that were found equal are asked for at once. */
export const MAX_EQUAL_TASKS = 2000;

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
  /** Tasks with more than one output, in the order of tasks. */
  unstable(after: TaskPosition): Promise<UnstableSlice>;
  /**
   * The outputs of a task, the newest first, at most `limit` of them.
   * @param method null: of each method that has such a task
   * @param outhashes only these; null: all
   */
  outputs(
    method: string | null,
    taskhash: string,
    outhashes: readonly string[] | null,
    limit: number,
  ): Promise<readonly Output[]>;
  /** The signature text of an output, by its id, in pieces that are read on demand. */
  text(id: number): AsyncIterable<string>;
  /** Of the tasks that share a unihash all but the one that had it first, in the order of unihashes. */
  equal(after: UnihashPosition): Promise<EqualSlice>;
  /** What those are, in any order; ids that lie close together are read much faster. MAX_EQUAL_TASKS at most. */
  equalTasks(ids: readonly number[]): Promise<readonly FoundEqual[]>;
  /** Reports by recipe and task, which come several times, in the order they were stored, behind an id. */
  recipes(after: number): Promise<RecipeSlice>;
  /** Rows of unihashes behind an id. */
  unihashes(after: number, mark: string): Promise<UnihashSlice>;
  close(): Promise<void>;
}
