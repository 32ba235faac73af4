import fs from 'node:fs';
import { InvokeError, reasonOf } from '../../errors.ts';
import { countLines } from '../../files/lines.ts';
import { readTasks, TASK } from '../client/task-lines.ts';

/** Tasks (`method taskhash`) in groups, in bounded memory; their number where it can be known in advance. */
export interface TaskSource {
  readonly total: number | null;
  groups(): AsyncGenerator<string[]>;
  /** Must be called, however it went. */
  close(): Promise<void>;
}

/** How many tasks one group has. */
const GROUP_TASKS = 8192;

/**
 * The tasks of a file, or of standard input for `-`.
 * @throws InvokeError when the file cannot be read; while reading, as `readTasks`
 */
export async function tasksOfFile(file: string): Promise<TaskSource> {
  try {
    if (file !== '-') fs.accessSync(file, fs.constants.R_OK);
    if (file !== '-' && fs.statSync(file).isDirectory()) throw new Error('it is a folder');
  } catch (error) {
    throw new InvokeError(`cannot read ${file}: ${reasonOf(error)}`, error);
  }
  const total = await countLines(file);
  return {
    total,
    async *groups() {
      let group: string[] = [];
      for await (const tasks of readTasks(file)) {
        for (const task of tasks) {
          if (group.push(task) < GROUP_TASKS) continue;
          yield group;
          group = [];
        }
      }
      if (group.length > 0) yield group;
    },
    close: async () => {},
  };
}

/**
 * All tasks of another hash equivalence database, opened read-only.
 * @throws StorageError when it is not such a database
 */
export async function tasksOfDatabase(file: string): Promise<TaskSource> {
  // Loaded only when needed: other client commands do not need the server.
  const { openTaskPages } = await import('../../server.ts');
  const { total, pages, close } = await openTaskPages(file);
  return {
    total,
    async *groups() {
      // A value that cannot be a line of a stream cannot occur in a build either.
      for await (const page of pages()) yield page.filter((task) => TASK.test(task));
    },
    close,
  };
}
