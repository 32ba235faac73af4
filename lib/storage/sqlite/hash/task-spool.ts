import type { NamedTask, ReportKey, SpooledTask, TaskSpool } from '../../../hashserv/task-spool.ts';
import { ROW_COLUMNS } from '../../../hashserv/where.ts';
import { type Binding, openBinding } from '../engine/binding.ts';

/** Rows of a page. */
const PAGE_ROWS = 1000;
/** What is above this goes to the disk. */
const CACHE_KIB = 8 * 1024;

const SET_UP = `PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; PRAGMA cache_size = -${CACHE_KIB};
CREATE TABLE tasks (method TEXT NOT NULL, taskhash TEXT NOT NULL, unihash TEXT, own INTEGER NOT NULL, pn TEXT, task TEXT,
  PRIMARY KEY (method, taskhash)) WITHOUT ROWID;
CREATE TABLE classes (method TEXT NOT NULL, unihash TEXT NOT NULL, PRIMARY KEY (method, unihash)) WITHOUT ROWID;
CREATE TABLE reports (method TEXT NOT NULL, taskhash TEXT NOT NULL, outhash TEXT NOT NULL,
  PRIMARY KEY (method, taskhash, outhash)) WITHOUT ROWID`;

const ADD_TASKS = `INSERT INTO tasks SELECT q.value->>0, q.value->>1, NULL, 1, q.value->>2, q.value->>3
  FROM json_each(?) q WHERE true ON CONFLICT DO NOTHING`;
const SET_UNIHASHES = `UPDATE tasks SET unihash = q.value->>2 FROM json_each(?) q
  WHERE tasks.method = q.value->>0 AND tasks.taskhash = q.value->>1`;
const ADD_EQUIVALENTS = `INSERT INTO tasks SELECT q.value->>0, q.value->>1, q.value->>2, 0, NULL, NULL FROM json_each(?) q
  WHERE EXISTS (SELECT 1 FROM classes c WHERE c.method = q.value->>0 AND c.unihash = q.value->>2) ON CONFLICT DO NOTHING`;
const ADD_REPORTS = `INSERT INTO reports SELECT q.value->>0, q.value->>1, q.value->>2 FROM json_each(?) q
  WHERE EXISTS (SELECT 1 FROM tasks t WHERE t.method = q.value->>0 AND t.taskhash = q.value->>1) ON CONFLICT DO NOTHING`;
const NAME_TASKS = `UPDATE tasks SET pn = q.value->>3, task = q.value->>4 FROM json_each(?) q
  WHERE tasks.method = q.value->>0 AND tasks.taskhash = q.value->>1 AND tasks.pn IS NULL AND tasks.task IS NULL`;
const HAS_REPORTS = `SELECT q.key AS i FROM json_each(?) q WHERE EXISTS
  (SELECT 1 FROM reports r WHERE r.method = q.value->>0 AND r.taskhash = q.value->>1 AND r.outhash = q.value->>2)`;

const [PN, TASK] = ['PN', 'task'].map((column) => ROW_COLUMNS.outhashes.indexOf(column)) as [number, number];

type TaskRow = {
  method: string;
  taskhash: string;
  unihash: string;
  own: number;
  pn: string | null;
  task: string | null;
};

/** A database that SQLite keeps in a file without a name, in memory as long as it is small: a kill leaves nothing behind. */
export async function openTaskSpool(): Promise<TaskSpool> {
  const binding = await openBinding('', 'create');
  try {
    await binding.exec(SET_UP);
  } catch (error) {
    await binding.close();
    throw error;
  }
  const run = (sql: string, rows: readonly unknown[]) => binding.run(sql, [JSON.stringify(rows)]);
  return {
    async addTasks(tasks) {
      await run(
        ADD_TASKS,
        tasks.map(({ method, taskhash, PN: pn, task }) => [method, taskhash, pn, task]),
      );
    },
    async *unknown() {
      for await (const page of pagesOf<TaskRow>(binding, 'tasks', TASK_KEY, 'unihash IS NULL'))
        yield page.map((row) => named(row));
    },
    async setUnihashes(rows) {
      await run(SET_UNIHASHES, rows);
    },
    async settle() {
      const left = await binding.run('DELETE FROM tasks WHERE unihash IS NULL');
      await binding.run(
        'INSERT INTO classes SELECT DISTINCT method, unihash FROM tasks WHERE true ON CONFLICT DO NOTHING',
      );
      return left;
    },
    async *classes() {
      for await (const page of pagesOf<{ method: string; unihash: string }>(binding, 'classes', ['method', 'unihash']))
        yield page.map(({ method, unihash }) => [method, unihash] as const);
    },
    async addEquivalents(rows) {
      await run(ADD_EQUIVALENTS, rows);
    },
    async addReports(rows) {
      const keys = rows.map((row) => [row[0], row[1], row[2], row[PN], row[TASK]]);
      await run(ADD_REPORTS, keys);
      await run(NAME_TASKS, keys);
    },
    async *tasks() {
      for await (const page of pagesOf<TaskRow>(binding, 'tasks', TASK_KEY))
        yield page.map((row): SpooledTask => ({ ...named(row), unihash: row.unihash, isOwn: row.own === 1 }));
    },
    async *reports() {
      for await (const page of pagesOf<Record<(typeof REPORT_KEY)[number], string>>(binding, 'reports', REPORT_KEY))
        yield page.map(({ method, taskhash, outhash }): ReportKey => [method, taskhash, outhash]);
    },
    async hasReports(keys) {
      const found = new Set((await binding.all<{ i: number }>(HAS_REPORTS, [JSON.stringify(keys)])).map(({ i }) => i));
      return keys.map((_, i) => found.has(i));
    },
    async counts() {
      const sql = 'SELECT (SELECT count(*) FROM tasks) AS tasks, (SELECT count(*) FROM reports) AS reports';
      return (await binding.all<{ tasks: number; reports: number }>(sql))[0]!;
    },
    close: () => binding.close(),
  };
}

const TASK_KEY = ['method', 'taskhash'] as const;
const REPORT_KEY = ['method', 'taskhash', 'outhash'] as const;

const named = ({ method, taskhash, pn, task }: TaskRow): NamedTask => ({ method, taskhash, PN: pn, task });

/** A table in the order of its primary key, which begins with no empty text. */
async function* pagesOf<Row extends object>(
  binding: Binding,
  table: string,
  key: readonly (keyof Row & string)[],
  condition = 'true',
): AsyncGenerator<readonly Row[]> {
  const columns = key.join(', ');
  const sql = `SELECT * FROM ${table} WHERE (${columns}) > (${key.map(() => '?').join(', ')}) AND ${condition}
    ORDER BY ${columns} LIMIT ${PAGE_ROWS}`;
  for (let after: readonly string[] = key.map(() => ''); ; ) {
    const page = await binding.all<Row>(sql, after);
    if (page.length > 0) yield page;
    if (page.length < PAGE_ROWS) return;
    after = key.map((column) => page.at(-1)![column] as string);
  }
}
