/**
 * PR values are dotted integers, compared number by number (protocol.md sections 4 and 8.1).
 *
 * What the recordings show about values of different length: among `0`, `0.0`, `0.1` the maximum is `0` (pr-upstream),
 * among `7`, `7.2` it is `7` (pr-import-export: the next value is `8`); yet `0.0` does not count as below `0`
 * (pr-upstream: it is answered again as it is). So where one value continues the other they are level, and the shorter
 * one stands for both: `7.2` is a value *under* 7, given out by a server further down the chain.
 */

/** As long as any other text (reliability.md section 4): no package comes near it by counting. */
const MAX_VALUE_CHARACTERS = 1024;

/**
 * A value get-pr can compare and count on from; files written by others may hold anything. Much wider than what is
 * accepted on entry: a value that is passed over is one that may be given out again. For the same reason a number is
 * kept as the text of its digits, exact at any length.
 */
export function isCountable(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_VALUE_CHARACTERS && /^\d+(\.\d+)*$/.test(value);
}

/** The numbers of a value, as digits without zeros in front. */
function fields(value: string): string[] {
  const numbers = value.split('.');
  for (let i = 0; i < numbers.length; i++) {
    const digits = numbers[i]!;
    if (digits.length > 1 && digits.startsWith('0')) numbers[i] = digits.replace(/^0+(?=\d)/, '');
  }
  return numbers;
}

function compareNumbers(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** Whether `a` is below `b` in the numbers they both have. */
export function isBelow(a: string, b: string): boolean {
  return compareShared(fields(a), fields(b)) < 0;
}

function compareShared(a: readonly string[], b: readonly string[]): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return compareNumbers(a[i]!, b[i]!);
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
  numbers.push(String(BigInt(numbers.pop()!) + 1n));
  return numbers.join('.');
}
