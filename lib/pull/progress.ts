import type { Json } from '../asyncrpc/wire/messages.ts';
import type { PrFindings } from '../prserv/pull/findings.ts';
import type { HashCounts, HashPlaces } from './hashes.ts';

/** The result of the PR values, as a job tells it. */
export type PrResult = { readonly [key: string]: Json };

/** How far a pull has come. */
export interface PullPosition {
  /** Null: they have yet to be published. */
  readonly prs: PrResult | null;
  /** Rows of the source that were read until then. */
  readonly prRows: number;
  readonly hashes: HashCounts | null;
  readonly places: HashPlaces | null;
}

export const AT_THE_START: PullPosition = { prs: null, prRows: 0, hashes: null, places: null };

/**
 * @param found in all packages
 * @param published in those in which something was done; null where nothing was written
 */
export function prResult(found: PrFindings, published: { findings: PrFindings; stored: number } | null): PrResult {
  const { conflicts, conflictsByKind, raised, raisedRows, lifted, conflictRows, fresh } = published?.findings ?? found;
  return {
    packages: found.packages,
    new: fresh,
    equal: found.equal,
    conflicts: conflictRows,
    raised: raisedRows,
    stored: published?.stored ?? 0,
    conflicts_by_kind: Object.fromEntries(conflictsByKind),
    conflict_rows: conflicts.map((one) => ({ ...one })),
    raised_rows: raised.map((one) => ({ ...one })),
    lifted_rows: lifted.map((one) => ({ ...one })),
  };
}

export function hashResult(counts: HashCounts): { readonly [key: string]: Json } {
  return { unihashes: { ...counts.unihashes }, outhashes: { ...counts.outhashes }, read: counts.read };
}
