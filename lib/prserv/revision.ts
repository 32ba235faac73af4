/**
 * PR values are dotted integers in a total order: number by number, and if one continues the other the longer is the
 * larger: `0` < `0.0` < `0.1` < `0.10` < `1` (docs/protocol.md, The order of values).
 */

/** The limit for any text: no package comes near it by counting. */
export const MAX_VALUE_CHARACTERS = 1024;

/**
 * A value that get-pr can compare and count on from; files written by others may hold anything. Much wider than what is
 * accepted from clients: a value that is skipped may be given out again. For the same reason a number is
 * kept as its digits, exact at any length.
 */
export function isCountable(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_VALUE_CHARACTERS && /^\d+(\.\d+)*$/.test(value);
}

/** The numbers of a value, as digits without leading zeros. */
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

/** The order of values, for sorting. */
export function compareRevisions(a: string, b: string): number {
  const left = fields(a);
  const right = fields(b);
  const shared = Math.min(left.length, right.length);
  for (let i = 0; i < shared; i++) if (left[i] !== right[i]) return compareNumbers(left[i]!, right[i]!);
  return left.length - right.length;
}

/** The one text for a value and all others that compare as equal to it, which have leading zeros. */
export function canonical(value: string): string {
  return fields(value).join('.');
}

/** Whether `a` comes before `b` in that order. */
export function isBelow(a: string, b: string): boolean {
  return compareRevisions(a, b) < 0;
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
