import { createHash } from 'node:crypto';
import type { Json } from '../asyncrpc/wire/messages.ts';
import type { SpooledTask, TaskSpool } from '../hashserv/task-spool.ts';
import { type PackagePlan, rowsOf } from '../prserv/pull/rules.ts';
import type { ChecksumValue, PackageGroup } from '../prserv/store.ts';
import type { ListFile } from './list-file.ts';

/** How many of each are named in the list; all are counted. */
export const MOST_LISTED = 10_000;
/** Tasks that have another unihash here: as many as conflicts of PR values. */
const MOST_DIFFERING = 5000;

/** Characters of all names in it: others chose them, and a result is stored and sent as one. */
const MOST_CHARACTERS = 4 * 1024 * 1024;

/** What becomes of a task. */
export type TaskState = 'new' | 'equal' | 'differing';

/** Tasks of one name of one recipe. */
export interface TaskGroup {
  readonly recipe: string | null;
  readonly task: string | null;
  /** They are not of the packages that were named: they share unihashes with tasks that are. */
  readonly equivalent: boolean;
  new: number;
  equal: number;
  differing: number;
}

export interface DifferingTask {
  readonly method: string;
  readonly taskhash: string;
  readonly recipe: string | null;
  readonly task: string | null;
  readonly unihash: string;
  readonly ours: string | null;
}

/** The names in a list: PR values by package, tasks by recipe and task. */
export class PromotionList {
  private readonly values: { new_values: Json[]; equal_values: Json[] } = { new_values: [], equal_values: [] };
  private readonly groups = new Map<string, TaskGroup>();
  private readonly differing: DifferingTask[] = [];
  /** By list: names that there was no room for. */
  private readonly cut = new Map<string, number>();
  private readonly all: ListFile | null;
  private characters = 0;

  /** @param all what has room for every name */
  constructor(all: ListFile | null) {
    this.all = all;
  }

  addPlan({ version, pkgarch, rows }: PackageGroup, { fresh, conflicts, raised, lifted }: PackagePlan): void {
    const of = { version, pkgarch };
    const name = ({ checksum, value }: ChecksumValue) => ({ ...of, checksum, value });
    const other = new Set([...fresh, ...conflicts].map(keyOf));
    for (const row of fresh) this.put('new_values', name(row));
    for (const row of rows) if (!other.has(keyOf(row))) this.put('equal_values', name(row));
    if (!this.all) return;
    // In the result they are with the PR values.
    for (const conflict of conflicts) this.all.add('conflict_rows', { ...of, ...conflict });
    for (const each of raised) this.all.add('raised_rows', { ...of, ...each });
    if (lifted) this.all.add('lifted_rows', name(lifted));
  }

  addTask({ method, taskhash, unihash, PN, task, isOwn }: SpooledTask, state: TaskState): void {
    const equivalent = !isOwn;
    this.all?.add('tasks', { recipe: PN, task, equivalent, state, method, taskhash, unihash });
    const key = JSON.stringify([PN, task, isOwn]);
    let group = this.groups.get(key);
    if (!group) {
      if (this.groups.size >= MOST_LISTED || !this.takes(PN, task)) return this.leaveOut('tasks');
      group = { recipe: PN, task, equivalent, new: 0, equal: 0, differing: 0 };
      this.groups.set(key, group);
    }
    group[state]++;
  }

  /** Whether anybody gets to see what a task has here. */
  get takesDiffering(): boolean {
    return this.all !== null || this.differing.length < MOST_DIFFERING;
  }

  addDiffering(task: DifferingTask): void {
    this.all?.add('differing_tasks', task);
    const { method, taskhash, recipe, task: name, unihash, ours } = task;
    const hasRoom = this.differing.length < MOST_DIFFERING && this.takes(method, taskhash, recipe, name, unihash, ours);
    if (hasRoom) this.differing.push(task);
    else this.leaveOut('differing_tasks');
  }

  leaveOut(list: string, names = 1): void {
    this.cut.set(list, (this.cut.get(list) ?? 0) + names);
  }

  async flush(): Promise<void> {
    await this.all?.flush();
  }

  /** As the job tells it. */
  get told(): { readonly [key: string]: Json } {
    const groups = [...this.groups.values()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    let left = 0;
    for (const names of this.cut.values()) left += names;
    return {
      ...this.values,
      tasks: groups.map((group) => ({ ...group })),
      differing_tasks: this.differing.map((task) => ({ ...task })),
      left_out: left,
      cut: Object.fromEntries(this.cut),
      ...(this.all && { file: this.all.file }),
    };
  }

  /** Whether there is room for these texts. */
  private takes(...texts: readonly (string | null)[]): boolean {
    const characters = texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
    if (this.characters + characters > MOST_CHARACTERS) return false;
    this.characters += characters;
    return true;
  }

  private put(list: 'new_values' | 'equal_values', one: { readonly [key: string]: string }): void {
    this.all?.add(list, one);
    const hasRoom = this.values[list].length < MOST_LISTED && this.takes(...Object.values(one));
    if (hasRoom) this.values[list].push(one);
    else this.leaveOut(list);
  }
}

const keyOf = ({ checksum, value }: ChecksumValue) => JSON.stringify([checksum, value]);
/** Those of the packages first. */
const nameOf = ({ recipe, task, equivalent }: TaskGroup) => JSON.stringify([equivalent, recipe ?? '', task ?? '']);

/** Over what would be done about PR values, with the conflicts. */
export function planDigest() {
  const hash = createHash('sha256');
  return {
    add({ version, pkgarch }: PackageGroup, plan: PackagePlan): void {
      const rows = rowsOf(plan);
      if (rows.length === 0 && plan.conflicts.length === 0) return;
      hash.update(`${JSON.stringify([version, pkgarch, rows.map(pair), plan.conflicts.map(pair), plan.raised])}\n`);
    },
    text: () => hash.digest('base64url'),
  };
}

const pair = ({ checksum, value }: ChecksumValue) => [checksum, value];

/** Over all tasks with their unihashes, and all reports. */
export async function digestOf(spool: TaskSpool): Promise<string> {
  const hash = createHash('sha256');
  for await (const page of spool.tasks())
    hash.update(JSON.stringify(page.map(({ method, taskhash, unihash }) => [method, taskhash, unihash])));
  for await (const page of spool.reports()) hash.update(JSON.stringify(page));
  return hash.digest('base64url');
}
