import type { ChecksumValue, PackageKey } from '../store.ts';
import { type Conflict, type ConflictKind, type PackagePlan, type Raised, rowsOf } from './rules.ts';

/** How many of each are named; all are counted. */
export const MOST_NAMED = 5000;

/** What is found out about all packages of a source. */
export class PrFindings {
  packages = 0;
  /** Rows that come in: as they are, raised, or because the maximum must not stay out. */
  stored = 0;
  fresh = 0;
  equal = 0;
  readonly conflictsByKind = new Map<ConflictKind, number>();
  readonly conflicts: (PackageKey & Conflict)[] = [];
  readonly raised: (PackageKey & Raised)[] = [];
  raisedRows = 0;
  /** Rows with which the source's maximum comes in. */
  readonly lifted: (PackageKey & ChecksumValue)[] = [];

  add({ version, pkgarch }: PackageKey, plan: PackagePlan): void {
    const name = { version, pkgarch };
    this.packages++;
    this.stored += rowsOf(plan).length;
    this.fresh += plan.fresh.length;
    this.equal += plan.equal;
    this.raisedRows += plan.raised.length;
    for (const conflict of plan.conflicts) {
      this.conflictsByKind.set(conflict.kind, (this.conflictsByKind.get(conflict.kind) ?? 0) + 1);
      put(this.conflicts, { ...name, ...conflict });
    }
    for (const raised of plan.raised) put(this.raised, { ...name, ...raised });
    if (plan.lifted) put(this.lifted, { ...name, ...plan.lifted });
  }

  get conflictRows(): number {
    let sum = 0;
    for (const count of this.conflictsByKind.values()) sum += count;
    return sum;
  }
}

function put<T>(list: T[], one: T): void {
  if (list.length < MOST_NAMED) list.push(one);
}
