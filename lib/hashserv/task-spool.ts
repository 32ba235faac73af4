import type { RowValues } from './store.ts';

/** A task as a report names it. */
export interface NamedTask {
  readonly method: string;
  readonly taskhash: string;
  /** The recipe of the report, and its name of the task. */
  readonly PN: string | null;
  readonly task: string | null;
}

export interface SpooledTask extends NamedTask {
  readonly unihash: string;
  /** Asked for itself; otherwise it is here because it has the unihash of one that is. */
  readonly isOwn: boolean;
}

/** A report by its key. */
export type ReportKey = readonly [method: string, taskhash: string, outhash: string];

/**
 * Some tasks of a source, with all tasks that share their unihashes, and the reports of all of them: on disk, as there may be
 * more than fit into memory. Pages come in the order of the keys, of a thousand at most, and rows may be added meanwhile. It goes with the process.
 */
export interface TaskSpool {
  /** Tasks that are asked for; one that is there already is left alone. */
  addTasks(tasks: readonly NamedTask[]): Promise<void>;
  /** Tasks whose unihash is not known yet. */
  unknown(): AsyncGenerator<readonly NamedTask[]>;
  /** @param rows method, taskhash, unihash */
  setUnihashes(rows: readonly RowValues[]): Promise<void>;
  /** Ends the first step: tasks without a unihash are left out. Resolves to how many those were. */
  settle(): Promise<number>;
  /** The unihashes of the tasks that are asked for, of each method. */
  classes(): AsyncGenerator<readonly (readonly [method: string, unihash: string])[]>;
  /** Of rows of unihashes, takes those of these classes. */
  addEquivalents(rows: readonly RowValues[]): Promise<void>;
  /** Of reports, takes those of tasks that are here, as by then; a task without a name gets that of its report. */
  addReports(rows: readonly RowValues[]): Promise<void>;
  tasks(): AsyncGenerator<readonly SpooledTask[]>;
  reports(): AsyncGenerator<readonly ReportKey[]>;
  /** Whether each is here. */
  hasReports(keys: readonly ReportKey[]): Promise<readonly boolean[]>;
  counts(): Promise<{ readonly tasks: number; readonly reports: number }>;
  close(): Promise<void>;
}

/** @throws StorageError when there is no room for one */
export type OpenTaskSpool = () => Promise<TaskSpool>;
