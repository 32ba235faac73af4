import type { Json } from '../asyncrpc/wire/messages.ts';
import type { Part } from './parts.ts';
import type { Kept } from './take.ts';

/** What became of a part. */
export interface PartReport {
  readonly part: Part;
  /** Of the source. */
  rows: number;
  /** Stored, or to be stored where nothing is written. */
  added: number;
  equal: number;
  /** Kept as they are in the target. */
  differing: number;
  /** Rows that the target cannot hold. */
  leftOut: number;
  /** The first that differ or were left out, in words. */
  readonly named: string[];
  /** Over the rows of the source, in their order. */
  sha256: string;
  /**
   * How both ends were found to be equal: by that hash, over all rows of the target too; or row by row, where the target has
   * other rows also, or has them in another order. Null where nothing was checked.
   */
  checkedBy: 'hash' | 'rows' | null;
}

/** How many rows that differ, or are left out, are named. */
const NAMED_ROWS = 20;

export function noteRows({ named }: PartReport, rows: readonly Kept[]): void {
  named.push(...rows.slice(0, NAMED_ROWS - named.length).map(({ why }) => why));
}

/** The reports for programs, by part. */
export function reportsAsJson(reports: readonly PartReport[]): { [part: string]: Json } {
  const parts = reports.map(({ part, rows, added, equal, differing, leftOut, named, sha256, checkedBy }) => [
    part,
    { rows, new: added, equal, differing, left_out: leftOut, named: [...named], sha256, checked_by: checkedBy },
  ]);
  return Object.fromEntries(parts);
}
