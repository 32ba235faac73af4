import type { RowValues } from '../../../hashserv/store.ts';
import type { TaskIndex } from '../../../hashserv/task-index.ts';
import { openBinding } from '../engine/binding.ts';

const SET_UP = `
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE tasks (method TEXT NOT NULL, taskhash TEXT NOT NULL, unihash TEXT NOT NULL, PRIMARY KEY (method, taskhash)) WITHOUT ROWID`;

const ADD = `INSERT INTO tasks SELECT q.value->>0, q.value->>1, q.value->>2 FROM json_each(?) q WHERE true ON CONFLICT DO NOTHING`;

const FIND = `SELECT q.key AS i, t.unihash FROM json_each(?) q
  CROSS JOIN tasks t ON t.method = q.value->>0 AND t.taskhash = q.value->>1`;

/** A database that SQLite keeps in a file without a name, in memory as long as it is small: a kill leaves nothing behind. */
export async function openTaskIndex(): Promise<TaskIndex> {
  const binding = await openBinding('', 'create');
  try {
    await binding.exec(SET_UP);
  } catch (error) {
    await binding.close();
    throw error;
  }
  return {
    async add(rows: readonly RowValues[]) {
      await binding.run(ADD, [JSON.stringify(rows)]);
    },
    async unihashesOf(tasks) {
      const found: (string | null)[] = tasks.map(() => null);
      for (const { i, unihash } of await binding.all<{ i: number; unihash: string }>(FIND, [JSON.stringify(tasks)]))
        found[i] = unihash;
      return found;
    },
    close: () => binding.close(),
  };
}
