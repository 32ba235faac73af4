import { createHash } from 'node:crypto';
import type { Json } from '../asyncrpc/wire/messages.ts';
import type { SpooledTask, TaskSpool } from '../hashserv/task-spool.ts';
import { type PackagePlan, rowsOf } from '../prserv/pull/rules.ts';
import type { ChecksumValue, PackageGroup } from '../prserv/store.ts';

/** How many of each are named in the list; all are counted. */
export const MOST_LISTED = 10_000;
/** Tasks that have another unihash here: as many as conflicts of PR values. */
const MOST_DIFFERING = 5000;

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
  private readonly values: { new: Json[]; equal: Json[] } = { new: [], equal: [] };
  private readonly groups = new Map<string, TaskGroup>();
  private readonly differing: DifferingTask[] = [];
  /** Names that there was no room for. */
  private left = 0;

  addPlan({ version, pkgarch, rows }: PackageGroup, { fresh, conflicts }: PackagePlan): void {
    const name = ({ checksum, value }: ChecksumValue) => ({ version, pkgarch, checksum, value });
    const other = new Set([...fresh, ...conflicts].map(keyOf));
    for (const row of fresh) this.put(this.values.new, name(row));
    for (const row of rows) if (!other.has(keyOf(row))) this.put(this.values.equal, name(row));
  }

  addTask({ PN, task, isOwn }: SpooledTask, state: TaskState): void {
    const key = JSON.stringify([PN, task, isOwn]);
    let group = this.groups.get(key);
    if (!group) {
      if (this.groups.size >= MOST_LISTED) {
        this.left++;
        return;
      }
      group = { recipe: PN, task, equivalent: !isOwn, new: 0, equal: 0, differing: 0 };
      this.groups.set(key, group);
    }
    group[state]++;
  }

  get hasRoomForDiffering(): boolean {
    return this.differing.length < MOST_DIFFERING;
  }

  addDiffering(task: DifferingTask): void {
    if (this.hasRoomForDiffering) this.differing.push(task);
  }

  /** As the job tells it. */
  get told(): { readonly [key: string]: Json } {
    const groups = [...this.groups.values()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    return {
      new_values: this.values.new,
      equal_values: this.values.equal,
      tasks: groups.map((group) => ({ ...group })),
      differing_tasks: this.differing.map((task) => ({ ...task })),
      left_out: this.left,
    };
  }

  private put(list: Json[], one: Json): void {
    if (list.length < MOST_LISTED) list.push(one);
    else this.left++;
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
