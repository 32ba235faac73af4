import type { FoundEqual, RecipeSlice, UnstableTask } from '../insight-rows.ts';

/** Rows as engines hand them over, many in one JSON text: as objects of the driver's they would take several times as long. */

type Text = string | null;
export type UnstableTuple = readonly [string, string, Text, Text, number, number, Text, Text, Text, Text, number];
export type EqualTuple = readonly [string, Text, Text, Text];

export function unstableTask(tuple: UnstableTuple): UnstableTask {
  const [method, taskhash, PN, task, outputs, texts, first, last, owner, other, ownerCount] = tuple;
  const owners = [...new Set([owner, other].filter((name) => name !== null))];
  return { method, taskhash, PN, task, outputs, texts, first, last, owners, ownerCount };
}

export function foundEqual([unihash, PN, task, created]: EqualTuple): FoundEqual {
  return { unihash, PN, task, created };
}

/** What an engine hands over of a slice of reports: lists as JSON texts. */
export interface RecipeLists {
  readonly PNs: string;
  readonly tasks: string;
  readonly reports: string;
  readonly looked: number;
  readonly last: number;
}

/** @param rows what was asked for: where fewer were looked at, there are no more */
export function recipeSlice({ PNs, tasks, reports, looked, last }: RecipeLists, rows: number): RecipeSlice {
  return {
    PNs: JSON.parse(PNs),
    tasks: JSON.parse(tasks),
    reports: JSON.parse(reports),
    looked,
    next: looked < rows ? null : last,
  };
}
