import { importFault } from '../commands/import-rule.ts';
import { canonical, compareRevisions, increase, isBelow, isCountable, largest } from '../revision.ts';
import type { ChecksumValue, PackageGroup } from '../store.ts';

/**
 * What a pull does with a package that the source has (docs/publishing.md, Conflicts): pure, so that it can be decided once
 * for a preview and again inside the transaction that writes.
 */

/** What is done about conflicts: nothing at all is written; ours stays; or the source's checksums get values above both. */
export const ON_CONFLICT = ['fail', 'keep', 'raise'] as const;
export type OnConflict = (typeof ON_CONFLICT)[number];

export const CONFLICT_KINDS = {
  'same-value': 'another checksum has this value here',
  'two-values': 'the checksum has another value here',
  'maximum-below': 'all values of the source are below our maximum',
  refused: 'no server takes such a row',
} as const;
export type ConflictKind = keyof typeof CONFLICT_KINDS;

/** A row of the source that cannot come in as it is. */
export interface Conflict extends ChecksumValue {
  readonly kind: ConflictKind;
  /** What it meets here: the other checksum, our values of the checksum, our maximum; or what is wrong with the row. */
  readonly against: string;
}

/** A checksum of the source that gets a value above both maxima, or its own, where that is above all of ours. */
export interface Raised {
  readonly checksum: string;
  /** Its largest value in the source. */
  readonly from: string;
  readonly to: string;
}

/** What becomes of a package. */
export interface PackagePlan {
  /** Rows that are here already. */
  readonly equal: number;
  /** Rows to store as they are. */
  readonly fresh: readonly ChecksumValue[];
  readonly conflicts: readonly Conflict[];
  /** With `raise`: rows to store instead. */
  readonly raised: readonly Raised[];
  /** With `keep`: a row of a checksum that has another value here, stored beside it because the next value must be above it. */
  readonly lifted: ChecksumValue | null;
}

/** The rows that a plan stores; with `fail`, only if no package has a conflict. */
export function rowsOf({ fresh, raised, lifted }: PackagePlan): readonly ChecksumValue[] {
  if (raised.length === 0 && !lifted) return fresh;
  return [...fresh, ...raised.map(({ checksum, to }) => ({ checksum, value: to })), ...(lifted ? [lifted] : [])];
}

/** One side's values of a package. */
class Side {
  readonly byChecksum = new Map<string, string[]>();
  /** One checksum that has a value, by the value's canonical text. */
  readonly owners = new Map<string, string>();
  max: string | null = null;

  /** False when the row is here already. */
  add({ checksum, value }: ChecksumValue): boolean {
    const values = this.byChecksum.get(checksum);
    if (values?.some((known) => compareRevisions(known, value) === 0)) return false;
    if (values) values.push(value);
    else this.byChecksum.set(checksum, [value]);
    this.max = largest(this.max, value);
    const name = canonical(value);
    if (!this.owners.has(name)) this.owners.set(name, checksum);
    return true;
  }

  has({ checksum, value }: ChecksumValue): boolean {
    return this.valuesOf(checksum).some((known) => compareRevisions(known, value) === 0);
  }

  valuesOf(checksum: string): readonly string[] {
    return this.byChecksum.get(checksum) ?? [];
  }

  largestOf(checksum: string): string | null {
    return this.valuesOf(checksum).reduce<string | null>(largest, null);
  }
}

/**
 * Compares what the source has of a package with what is here.
 *
 * A checksum that is known here keeps the value that it is answered with where history counts: of its other values only
 * those above its smallest come in, and only where the source has all of ours, so that it has gone on from them.
 */
export function planPackage(ours: readonly ChecksumValue[], source: PackageGroup, onConflict: OnConflict): PackagePlan {
  const here = new Side();
  for (const row of ours) if (isCountable(row.value)) here.add(row);
  const there = new Side();
  const conflicts: Conflict[] = [];
  const unknown: ChecksumValue[] = [];
  let equal = 0;
  for (const row of source.rows) {
    const { checksum, value } = row;
    const fault = importFault({ version: source.version, pkgarch: source.pkgarch, checksum, value });
    if (fault !== null) conflicts.push({ checksum, value, kind: 'refused', against: fault });
    else if (!there.add(row)) continue;
    else if (here.has(row)) equal++;
    else unknown.push({ checksum, value });
  }
  // The same plan in whatever order the source tells its rows.
  unknown.sort((a, b) => compareRevisions(a.value, b.value) || (a.checksum < b.checksum ? -1 : 1));
  const above = here.max !== null && there.max !== null && isBelow(there.max, here.max) ? here.max : null;
  const fresh: ChecksumValue[] = [];
  for (const row of unknown) {
    const met = conflictOf(row, here, there, above);
    if (met) {
      conflicts.push({ ...row, ...met });
      continue;
    }
    here.add(row);
    fresh.push(row);
  }
  const open = conflicts.filter(({ kind }) => kind !== 'refused');
  return {
    equal,
    fresh,
    conflicts,
    raised: onConflict === 'raise' ? raise(open, here, there) : [],
    lifted: onConflict === 'keep' ? lifting(open, here, there) : null,
  };
}

/**
 * Why a row that is not here cannot come in, or null.
 * @param here with the rows that come in before it
 * @param above our maximum, where the source's is below it
 */
function conflictOf(
  row: ChecksumValue,
  here: Side,
  there: Side,
  above: string | null,
): Pick<Conflict, 'kind' | 'against'> | null {
  const known = here.valuesOf(row.checksum);
  const goesOn =
    known.every((value) => there.has({ checksum: row.checksum, value })) &&
    known.some((value) => isBelow(value, row.value));
  if (known.length > 0 && !goesOn) return { kind: 'two-values', against: known.join(', ') };
  const owner = here.owners.get(canonical(row.value));
  if (owner !== undefined) return { kind: 'same-value', against: owner };
  return above === null ? null : { kind: 'maximum-below', against: above };
}

/**
 * Values above both maxima for checksums in conflict, in the order that the source gave theirs. One that has such a value
 * here already, as after an earlier pull, keeps it; and one whose value in the source is above all of ours gets that, unless
 * one before it got another. So a value that was raised there is not raised again here, and servers that pull from each
 * other come to rest.
 */
function raise(conflicts: readonly Conflict[], here: Side, there: Side): Raised[] {
  const wanted = [...new Set(conflicts.map(({ checksum }) => checksum))]
    .map((checksum) => ({ checksum, from: there.largestOf(checksum)!, has: here.largestOf(checksum) }))
    .filter(({ from, has }) => has === null || isBelow(has, from))
    .sort((a, b) => compareRevisions(a.from, b.from) || (a.checksum < b.checksum ? -1 : 1));
  if (wanted.length === 0) return [];
  let max = here.max;
  const raised = wanted.map(({ checksum, from }) => {
    max = max === null || isBelow(max, from) ? from : increase(largest(max, there.max!));
    return { checksum, from, to: max };
  });
  // What get-pr does not give out either.
  return raised.filter(({ to }) => isCountable(to));
}

/** The source's maximum, where what comes in does not reach it: then it is of a checksum that has another value here. */
function lifting(conflicts: readonly Conflict[], here: Side, there: Side): ChecksumValue | null {
  if (there.max === null || (here.max !== null && !isBelow(here.max, there.max))) return null;
  const { checksum, value } = conflicts.find((row) => compareRevisions(row.value, there.max!) === 0)!;
  return { checksum, value };
}
