import type { FoundEqual, UnstableTask } from '../insight-rows.ts';

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
