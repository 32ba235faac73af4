/**
 * PR values are dotted integers, compared number by number (protocol.md sections 4 and 8.1).
 *
 * What the recordings show about values of different length: among `0`, `0.0`, `0.1` the maximum is `0` (pr-upstream),
 * among `7`, `7.2` it is `7` (pr-import-export: the next value is `8`); yet `0.0` does not count as below `0`
 * (pr-upstream: it is answered again as it is). So where one value continues the other they are level, and the shorter
 * one stands for both: `7.2` is a value *under* 7, given out by a server further down the chain.
 */

/** The numbers of a value. */
function fields(value: string): number[] {
  return value.split('.').map(Number);
}

/** Whether `a` is below `b` in the numbers they both have. */
export function isBelow(a: string, b: string): boolean {
  return compareShared(fields(a), fields(b)) < 0;
}

function compareShared(a: readonly number[], b: readonly number[]): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

/** A total order, for sorting and for finding the largest: number by number, and of level values the shorter last. */
export function compareRevisions(a: string, b: string): number {
  const left = fields(a);
  const right = fields(b);
  return compareShared(left, right) || right.length - left.length;
}

/** The larger of two values; null stands for none. */
export function largest(a: string | null, b: string): string {
  return a === null || compareRevisions(a, b) < 0 ? b : a;
}

/** The smaller of two values; null stands for none. */
export function smallest(a: string | null, b: string): string {
  return a === null || compareRevisions(a, b) > 0 ? b : a;
}

/** The value plus one on its last number: `3` → `4`, `1.1` → `1.2`. */
export function increase(value: string): string {
  const numbers = fields(value);
  numbers.push(numbers.pop()! + 1);
  return numbers.join('.');
}
