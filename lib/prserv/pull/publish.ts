import { InvokeError } from '../../errors.ts';
import type { PackageGroup, PrStore } from '../store.ts';
import { PrFindings } from './findings.ts';
import { type OnConflict, type PackagePlan, planPackage, rowsOf } from './rules.ts';
import type { PrSpool } from './spool.ts';

/** Sees what is decided about each package, in the order of the packages. */
export interface PlanWatch {
  /** From the first package: a transaction may be begun again. */
  begin(): void;
  see(group: PackageGroup, plan: PackagePlan): void;
  /** After the last one. What it throws ends the transaction, with nothing stored. */
  end(): void;
}

export interface PrPull {
  readonly store: PrStore;
  /** All rows of the source that are wanted. */
  readonly spool: PrSpool;
  readonly onConflict: OnConflict;
}

/** There are conflicts, with which nothing may be written. */
export class ConflictError extends InvokeError {
  readonly findings: PrFindings;

  constructor(findings: PrFindings) {
    const count = findings.conflictRows;
    super(
      `${count} ${count === 1 ? 'row' : 'rows'} of the source in conflict with PR values here: none was stored; look at them with --dry-run, and settle them with --on-conflict keep or raise`,
      undefined,
      'invalid',
    );
    this.findings = findings;
  }
}

/**
 * Compares all packages with what is here, without a lock: what it finds may have changed when it is published. Packages of
 * which nothing comes in are taken out of the spool. A step for each group, with what has been found so far.
 */
export async function* previewPrs(
  { store, spool, onConflict }: PrPull,
  watch: PlanWatch | null = null,
): AsyncGenerator<PrFindings, PrFindings> {
  const findings = new PrFindings();
  watch?.begin();
  for await (const group of spool.groups()) {
    const stored = await store.packageRows(group);
    const plans = group.map((one, i) => planPackage(stored[i]!, one, onConflict));
    for (const [i, plan] of plans.entries()) {
      findings.add(group[i]!, plan);
      watch?.see(group[i]!, plan);
    }
    const settled = group.filter((_, i) => !hasToDo(plans[i]!));
    if (settled.length > 0) await spool.remove(settled);
    yield findings;
  }
  watch?.end();
  return findings;
}

const hasToDo = (plan: PackagePlan) => plan.conflicts.length > 0 || rowsOf(plan).length > 0;

/** What was published. */
export interface Published {
  readonly stored: number;
  /** Of the packages in which something was to be done. */
  readonly findings: PrFindings;
}

/**
 * Stores what comes in, in one transaction: all of it or none. Each package is decided again inside, from what is stored
 * then, so that nothing is built on what has moved since the preview.
 * @param rows about how many come in
 * @param signal ends it, with nothing stored
 * @throws ConflictError
 */
export async function publishPrs(
  pull: PrPull,
  rows: number,
  signal: AbortSignal,
  watch: PlanWatch | null = null,
): Promise<Published> {
  const { store, spool, onConflict } = pull;
  let findings = new PrFindings();
  async function* groups(): AsyncGenerator<readonly PackageGroup[]> {
    // The transaction may be begun again.
    findings = new PrFindings();
    watch?.begin();
    for await (const group of spool.groups()) {
      signal.throwIfAborted();
      yield group;
    }
    if (onConflict === 'fail' && findings.conflictRows > 0) throw new ConflictError(findings);
    watch?.end();
  }
  const stored = await store.publish({
    rows,
    groups,
    decide(group, known) {
      const plan = planPackage(known, group, onConflict);
      findings.add(group, plan);
      watch?.see(group, plan);
      return onConflict === 'fail' && findings.conflictRows > 0 ? [] : rowsOf(plan);
    },
  });
  return { stored, findings };
}
