import type { ChecksumValue, PackageKey } from '../store.ts';
import { type Conflict, type ConflictKind, type PackagePlan, type Raised, rowsOf } from './rules.ts';

/** How many of each are named, and with how many characters in all: others chose them, and a result is sent as one. All are counted. */
const MOST_NAMED = 5000;
const MOST_CHARACTERS = 4 * 1024 * 1024;

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
  private characters = 0;

  add({ version, pkgarch }: PackageKey, plan: PackagePlan): void {
    const name = { version, pkgarch };
    this.packages++;
    this.stored += rowsOf(plan).length;
    this.fresh += plan.fresh.length;
    this.equal += plan.equal;
    this.raisedRows += plan.raised.length;
    for (const conflict of plan.conflicts) {
      this.conflictsByKind.set(conflict.kind, (this.conflictsByKind.get(conflict.kind) ?? 0) + 1);
      this.put(this.conflicts, { ...name, ...conflict });
    }
    for (const raised of plan.raised) this.put(this.raised, { ...name, ...raised });
    if (plan.lifted) this.put(this.lifted, { ...name, ...plan.lifted });
  }

  get conflictRows(): number {
    let sum = 0;
    for (const count of this.conflictsByKind.values()) sum += count;
    return sum;
  }

  private put<T>(list: T[], one: T): void {
    if (list.length >= MOST_NAMED) return;
    const characters = JSON.stringify(one).length;
    if (this.characters + characters > MOST_CHARACTERS) return;
    this.characters += characters;
    list.push(one);
  }
}
