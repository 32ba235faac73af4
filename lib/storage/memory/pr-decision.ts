import { InvokeError } from '../../errors.ts';
import { decidePr } from '../../prserv/get-pr.ts';
import { isCountable } from '../../prserv/revision.ts';
import type { ChecksumKey, PackageKey, PrAnswer, PrRequest, PrRow } from '../../prserv/store.ts';
import {
  addRow,
  knownValues,
  largestUnder,
  learnValues,
  noRows,
  type PackageRows,
  packageKey,
} from './package-rows.ts';

export interface Decided {
  readonly values: PrAnswer[];
  /** New rows, to be stored. */
  readonly rows: PrRow[];
}

/** What a decision still needs to know about packages that are too large for the memory. */
export interface Missing {
  readonly checksums: ChecksumKey[];
  readonly prefixes: Prefix[];
}

/** A value under which those of a package are looked for. */
export interface Prefix extends PackageKey {
  readonly prefix: string;
}

/**
 * Decides requests in order, each seeing the values given to those before it. `packages` stay unchanged: what is
 * decided is an overlay on them until it is stored.
 * @param missing what must be read first is added here; the result must then not be used
 */
export function decideAll(
  requests: readonly PrRequest[],
  packages: (key: string) => PackageRows,
  missing: Missing,
): Decided {
  const values: PrAnswer[] = [];
  const rows: PrRow[] = [];
  const decided = new Map<string, PackageRows>();
  for (const { version, pkgarch, checksum, history, upstream } of requests) {
    const key = packageKey({ version, pkgarch });
    const base = packages(key);
    const over = decided.get(key);
    const known = (over && knownValues(over, checksum)) ?? knownValues(base, checksum);
    if (known === undefined) missing.checksums.push({ version, pkgarch, checksum });
    // Both count: if an upstream's value was taken, what this batch decided may be below what is stored.
    const lastUnder = (prefix: string) => {
      const stored = largestUnder(base, prefix);
      if (stored === undefined) missing.prefixes.push({ version, pkgarch, prefix });
      return larger(over && largestUnder(over, prefix), stored) ?? undefined;
    };
    const state = { max: over?.max ?? base.max, known: known ?? null, largestUnder: lastUnder };
    const decision = decidePr(state, history, upstream);
    if (decision && !isCountable(decision.value)) {
      // If it were stored, it would be skipped like any other such row, and given out again.
      values.push(tooLong(version, pkgarch, decision.value));
      continue;
    }
    values.push(decision?.value ?? null);
    if (!decision?.isNew) continue;
    const row = { version, pkgarch, checksum, value: decision.value };
    rows.push(row);
    const next = over ?? { ...noRows(), max: base.max };
    if (known && !next.checksums.has(checksum)) learnValues(next, checksum, known);
    addRow(next, checksum, row.value);
    decided.set(key, next);
  }
  return { values, rows };
}

function larger(a: bigint | null | undefined, b: bigint | null | undefined): bigint | null {
  if (a == null || b == null) return a ?? b ?? null;
  return a > b ? a : b;
}

function tooLong(version: string, pkgarch: string, value: string): InvokeError {
  return new InvokeError(
    `get-pr: the next value of ${version} ${pkgarch} would be ${value.slice(0, 40)}… (${value.length} characters), which is too long to count on from: give the package another version`,
  );
}
