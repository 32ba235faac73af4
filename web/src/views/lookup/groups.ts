import type { TaskRow } from '../../api/hashes.ts';

/** A task with all reports of it that were found. */
export interface TaskGroup {
  readonly key: string;
  readonly method: string;
  readonly taskhash: string;
  readonly unihash: string | null;
  /** As its first report names it. */
  readonly name: TaskRow;
  /** Its different outputs, the oldest first. */
  readonly outputs: readonly TaskRow[];
}

/** Reports by their task. A task with more than one output is not reproducible. */
export function groupByTask(rows: readonly TaskRow[]): TaskGroup[] {
  const groups = new Map<string, TaskRow[]>();
  for (const row of rows) {
    const key = `${row.method}\n${row.taskhash}`;
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return [...groups].map(([key, all]) => {
    const first = all[0]!;
    const byAge = [...all].sort(compareAge);
    const { method, taskhash } = first;
    return {
      key,
      method,
      taskhash,
      unihash: all.find(({ unihash }) => unihash !== null)?.unihash ?? null,
      name: all.find(({ PN }) => PN !== null) ?? first,
      outputs: byAge.filter(
        ({ outhash }, i) => outhash !== null && byAge.findIndex((each) => each.outhash === outhash) === i,
      ),
    };
  });
}

/** By times as the server has them, which are in order as texts are; reports without one come last. */
function compareAge({ created: a }: TaskRow, { created: b }: TaskRow): number {
  if (a === b) return 0;
  return a !== null && (b === null || a < b) ? -1 : 1;
}

/** Two outputs that can be compared, the first and the last; null where there are none with a signature text. */
export function pairToCompare({ outputs }: TaskGroup): readonly [TaskRow, TaskRow] | null {
  const known = outputs.filter(({ siginfo }) => siginfo);
  return known.length < 2 ? null : [known[0]!, known.at(-1)!];
}

/** A recipe with its version: `busybox 1.36.1-r0`; null where a report names none. */
export function recipeOf({ PN, PV, PR }: Pick<TaskRow, 'PN' | 'PV' | 'PR'>): string | null {
  if (PN === null) return null;
  const version = [PV, PR].filter((each) => each !== null && each !== '').join('-');
  return version === '' ? PN : `${PN} ${version}`;
}
