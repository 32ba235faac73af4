import type { RowValues } from './store.ts';

/** The unihashes of tasks, on disk, for a source in which they cannot be looked up. It goes with the process. */
export interface TaskIndex {
  /** Rows with the columns of a unihash row, each of them a text. A task that has a unihash keeps it. */
  add(rows: readonly RowValues[]): Promise<void>;
  /** The unihash of each task, or null. */
  unihashesOf(tasks: readonly (readonly [method: string, taskhash: string])[]): Promise<readonly (string | null)[]>;
  close(): Promise<void>;
}
