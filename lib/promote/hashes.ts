import type { HashStore, RowValues } from '../hashserv/store.ts';
import type { SpooledTask, TaskSpool } from '../hashserv/task-spool.ts';
import { ROW_COLUMNS } from '../hashserv/where.ts';
import type { Finder } from './gather.ts';
import type { PromotionList } from './list.ts';

export interface Promotion {
  readonly store: HashStore;
  readonly spool: TaskSpool;
  readonly finder: Finder;
  readonly list: PromotionList;
  /** Compares, and stores nothing. */
  readonly dryRun: boolean;
  /** Told of each task that may have got a unihash, as a line of a stream. */
  readonly onStored: (task: string) => void;
  readonly signal: AbortSignal;
}

export interface PromotedHashes {
  /** Of all tasks; of these, how many only share a unihash with those of the packages. */
  readonly tasks: { new: number; equal: number; differing: number; equivalent: number };
  readonly reports: { new: number; equal: number };
}

export function nothingPromoted(): PromotedHashes {
  return { tasks: { new: 0, equal: 0, differing: 0, equivalent: 0 }, reports: { new: 0, equal: 0 } };
}

const OTHER_COLUMNS = ROW_COLUMNS.outhashes.slice(3).map(() => null);

/**
 * Stores tasks, and then their reports, in slices: the first unihash of a task wins, and the first is ours. Unihashes come
 * first, as a task of which there is a report alone would get another unihash at its next report. Yields the rows done since the last time.
 */
export async function* promoteHashes(promotion: Promotion, counts: PromotedHashes): AsyncGenerator<number, void> {
  for await (const page of promotion.spool.tasks()) {
    await takeTasks(promotion, page, counts);
    yield page.length;
  }
  yield* takeReports(promotion, counts);
}

async function takeTasks(
  { store, list, dryRun, onStored }: Promotion,
  page: readonly SpooledTask[],
  counts: PromotedHashes,
): Promise<void> {
  const rows = page.map(({ method, taskhash, unihash }): RowValues => [method, taskhash, unihash]);
  const found = [...(await compare(store, rows))];
  const missing = found.flatMap((each, i) => (each === null ? [i] : []));
  if (!dryRun && missing.length > 0) {
    const stored = await store.importRows(
      'unihashes',
      missing.map((i) => rows[i]!),
    );
    for (const i of missing) onStored(`${page[i]!.method} ${page[i]!.taskhash}`);
    // Somebody else was there first: what is stored now tells.
    if (stored < missing.length) {
      const now = await compare(
        store,
        missing.map((i) => rows[i]!),
      );
      for (const [n, i] of missing.entries()) if (now[n]?.includes('unihash')) found[i] = now[n]!;
    }
  }
  const differing: SpooledTask[] = [];
  for (const [i, task] of page.entries()) {
    const state = found[i] === null ? 'new' : found[i]!.includes('unihash') ? 'differing' : 'equal';
    counts.tasks[state]++;
    if (!task.isOwn) counts.tasks.equivalent++;
    list.addTask(task, state);
    if (state === 'differing') differing.push(task);
  }
  if (differing.length > 0) await nameDiffering(store, list, differing);
}

async function nameDiffering(store: HashStore, list: PromotionList, tasks: readonly SpooledTask[]): Promise<void> {
  if (!list.takesDiffering) return list.leaveOut('differing_tasks', tasks.length);
  const keys = tasks.map(({ method, taskhash }) => [method, taskhash] as const);
  const limits = { rows: keys.length, bytes: Number.MAX_SAFE_INTEGER, brief: true };
  const { rows } = await store.findRows({ table: 'unihashes', by: 'task', keys }, null, limits);
  const ours = new Map(rows.map(([method, taskhash, unihash]) => [JSON.stringify([method, taskhash]), unihash!]));
  for (const { method, taskhash, PN, task, unihash } of tasks)
    list.addDiffering({
      method,
      taskhash,
      recipe: PN,
      task,
      unihash,
      ours: ours.get(JSON.stringify([method, taskhash])) ?? null,
    });
}

async function* takeReports(promotion: Promotion, counts: PromotedHashes): AsyncGenerator<number, void> {
  const { store, spool, finder, dryRun, signal } = promotion;
  async function* missing() {
    for await (const page of spool.reports()) {
      signal.throwIfAborted();
      const found = await store.compareRows(
        'outhashes',
        page.map((key) => [...key, ...OTHER_COLUMNS]),
      );
      const fresh = page.filter((_, i) => found[i] === null);
      counts.reports.equal += page.length - fresh.length;
      if (dryRun) counts.reports.new += fresh.length;
      if (fresh.length > 0) yield fresh;
    }
  }
  if (dryRun) {
    for await (const fresh of missing()) yield fresh.length;
    return;
  }
  for await (const rows of finder.wholeReports(missing())) {
    // Others may have been reported since the list was made.
    const wanted = await spool.hasReports(rows.map(([method, taskhash, outhash]) => [method!, taskhash!, outhash!]));
    const taken = rows.filter((_, i) => wanted[i]);
    const stored = taken.length > 0 ? await store.importRows('outhashes', taken) : 0;
    counts.reports.new += stored;
    yield stored;
  }
}

/** Marks are none of a promotion's business: whatever they are, the row is there. */
function compare(store: HashStore, rows: readonly RowValues[]) {
  return store.compareRows(
    'unihashes',
    rows.map((row) => [...row, '']),
  );
}
