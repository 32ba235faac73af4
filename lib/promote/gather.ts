import { rowFault } from '../hashserv/commands/row-rule.ts';
import { MAX_FOUND_KEYS } from '../hashserv/find-rows.ts';
import type { RowSearch, RowValues, Table } from '../hashserv/store.ts';
import type { ReportKey, TaskSpool } from '../hashserv/task-spool.ts';
import { ROW_COLUMNS } from '../hashserv/where.ts';
import { followOnward } from '../pull/places.ts';
import type { PullSource } from '../pull/source.ts';
import type { Names } from './names.ts';

const SLICE = { rows: 1000, bytes: 2 * 1024 * 1024 };
/** Of unihashes and tasks, as each may have many rows. */
const KEYS = 200;
const [PN, PV, PR, TASK] = ['PN', 'PV', 'PR', 'task'].map((column) => ROW_COLUMNS.outhashes.indexOf(column)) as [
  number,
  number,
  number,
  number,
];

/** Rows of a source, those that no server takes left out. */
type Pages = AsyncGenerator<readonly RowValues[], void>;

/** How rows are got of a source: by looking them up where it can, otherwise by going through all of them. */
export interface Finder {
  /** Reports of recipes, and maybe others. */
  reportsOf(recipes: readonly string[]): Pages;
  /** method, taskhash and unihash of those tasks that have one. */
  unihashesOf(tasks: readonly { readonly method: string; readonly taskhash: string }[]): Promise<readonly RowValues[]>;
  /** Tasks with the unihashes in a spool, and maybe others. */
  equivalents(spool: TaskSpool): Pages;
  /** Reports of the tasks in a spool, and maybe others; without outhash_siginfo where it can. */
  reportsFor(spool: TaskSpool): Pages;
  /** The whole rows of these reports, and maybe others. */
  wholeReports(keys: AsyncIterable<readonly ReportKey[]>): Pages;
}

export async function finderOf(source: PullSource): Promise<Finder> {
  const canFind = (await source.find?.({ table: 'unihashes', by: 'unihash', keys: ['none'] }, null, true)) ?? null;
  return canFind === null ? byReading(source) : byLookingUp(source);
}

/**
 * Takes the tasks of the named packages into a spool, all tasks that share a unihash with one of them, and the reports of
 * both. A task without a unihash says nothing to a build, and stays out.
 * @returns how many those were; yields the rows read since the last time
 */
export async function* gather(finder: Finder, names: Names, spool: TaskSpool): AsyncGenerator<number, number> {
  for await (const rows of finder.reportsOf(names.recipes)) {
    const wanted = rows.filter((row) => names.takesReport(row[PN]!, row[PV]!, row[PR]!));
    const tasks = wanted.map((row) => ({ method: row[0]!, taskhash: row[1]!, PN: row[PN]!, task: row[TASK]! }));
    if (tasks.length > 0) await spool.addTasks(tasks);
    yield rows.length;
  }
  for await (const tasks of spool.unknown()) {
    const found = await finder.unihashesOf(tasks);
    await spool.setUnihashes(good('unihashes', found));
    yield found.length;
  }
  const left = await spool.settle();
  for await (const rows of finder.equivalents(spool)) {
    if (rows.length > 0) await spool.addEquivalents(rows);
    yield rows.length;
  }
  for await (const rows of finder.reportsFor(spool)) {
    if (rows.length > 0) await spool.addReports(rows);
    yield rows.length;
  }
  return left;
}

/** Rows as a report could have stored them. */
function good(table: Table, rows: readonly RowValues[]): readonly RowValues[] {
  const columns = ROW_COLUMNS[table];
  return rows
    .map((row) => row.slice(0, columns.length))
    .filter((row) => isTexts(row) && rowFault(columns, row) === null);
}

/** In another program's file a key may be anything: what is no UTF-8 is read as U+FFFD, and would be another key. */
function isTexts(row: readonly unknown[]): boolean {
  const keys = row.slice(0, 3) as string[];
  return (
    row.every((value) => value === null || typeof value === 'string') && !keys.some((key) => key?.includes('\ufffd'))
  );
}

/** By the indexes of the source; once through its reports for those of recipes, of which there is none. */
function byLookingUp(source: PullSource): Finder {
  async function* found(search: RowSearch, brief: boolean): Pages {
    const onward = followOnward(source.name);
    for (let after: string | null = null; ; ) {
      const page = await source.find!(search, after, brief);
      if (!page) throw new Error(`${source.name} looks rows up no more`);
      yield good(search.table, page.rows);
      if (page.next === null) return;
      after = page.next;
      onward(after);
    }
  }
  const keyOf = ({ method, taskhash }: { method: string; taskhash: string }) => [method, taskhash] as const;
  return {
    async *reportsOf(recipes) {
      for (const keys of piecesOf(recipes, MAX_FOUND_KEYS)) yield* found({ table: 'outhashes', by: 'PN', keys }, true);
    },
    async unihashesOf(tasks) {
      const rows: RowValues[] = [];
      for await (const page of found({ table: 'unihashes', by: 'task', keys: tasks.map(keyOf) }, true))
        rows.push(...page);
      return rows;
    },
    async *equivalents(spool) {
      for await (const classes of spool.classes())
        for (const some of piecesOf(classes, KEYS)) {
          const keys = [...new Set(some.map(([, unihash]) => unihash))];
          yield* found({ table: 'unihashes', by: 'unihash', keys }, true);
        }
    },
    async *reportsFor(spool) {
      for await (const tasks of spool.tasks())
        for (const some of piecesOf(tasks, KEYS))
          yield* found({ table: 'outhashes', by: 'task', keys: some.map(keyOf) }, true);
    },
    async *wholeReports(keys) {
      for await (const page of keys) {
        const tasks = new Map(
          page.map(([method, taskhash]) => [JSON.stringify([method, taskhash]), [method, taskhash] as const]),
        );
        for (const some of piecesOf([...tasks.values()], KEYS))
          yield* found({ table: 'outhashes', by: 'task', keys: some }, false);
      }
    },
  };
}

/** Of a source that tells all or nothing: each step goes through a table. */
function byReading(source: PullSource): Finder {
  async function* read(table: Table): Pages {
    const onward = followOnward(source.name);
    for (let after: string | null = null; ; ) {
      const slice = await source.slice(table, after, SLICE);
      yield good(table, slice.rows);
      if (slice.next === null) return;
      after = slice.next;
      onward(after);
    }
  }
  return {
    reportsOf: () => read('outhashes'),
    async unihashesOf(tasks) {
      const keys = tasks.map(({ method, taskhash }) => [method, taskhash] as const);
      const unihashes = await source.unihashesOf(keys);
      return keys.flatMap((key, i) => (unihashes[i] === null ? [] : [[...key, unihashes[i]!]]));
    },
    equivalents: () => read('unihashes'),
    reportsFor: () => read('outhashes'),
    async *wholeReports(keys) {
      // They are found in whatever order the source has them: which are wanted is known to whoever gets the rows.
      for await (const _ of keys);
      yield* read('outhashes');
    },
  };
}

function* piecesOf<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size);
}
