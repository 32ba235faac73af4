import { didYouMean } from '../../settings/nearest.ts';
import { UsageError } from '../main.ts';
import type { ArgumentSpec, FlagSpec } from './table.ts';

/** What a command line said, read by name. Texts are as given; numbers have been checked. */
export class Args {
  private readonly given = new Map<string, string[][]>();

  /** Notes one use of a flag, or the values of an argument. */
  add(name: string, values: string[]): void {
    const before = this.given.get(name);
    if (before) before.push(values);
    else this.given.set(name, [values]);
  }

  has(name: string): boolean {
    return this.given.has(name);
  }

  /** The value last given. */
  text(name: string): string | undefined {
    return this.given.get(name)?.at(-1)?.[0];
  }

  /** The value of something the table requires. */
  need(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new UsageError(`${name} is missing`);
    return value;
  }

  /** Every value, in order. */
  list(name: string): string[] {
    return (this.given.get(name) ?? []).flat();
  }

  /** Every use of a flag that takes two values. */
  pairs(name: string): (readonly [string, string])[] {
    return (this.given.get(name) ?? []).map(([key, value]) => [key!, value!]);
  }

  number(name: string, fallback: number): number {
    const text = this.text(name);
    return text === undefined ? fallback : Number(text);
  }
}

/**
 * Reads options up to the first word that is none (`stopAtWord`), or options and positional arguments in any order.
 * Long options may be shortened as far as they stay unique; `--name=value`, `-nVALUE` and `-ab` are understood, and
 * `--` ends the options.
 * @param others options of the program that may stand here too; their uses go to `otherArgs`
 * @returns the words that are not options
 * @throws UsageError naming the option or argument
 */
export function readFlags(
  words: readonly string[],
  own: readonly FlagSpec[],
  args: Args,
  { stopAtWord = false, others = [] as readonly FlagSpec[], otherArgs = args } = {},
): string[] {
  const rest: string[] = [];
  // A command's own option goes before one of the program that has the same name or letter.
  const taken = new Set(own.flatMap(({ name, short }) => [`--${name}`, ...(short ? [`-${short}`] : [])]));
  const known: Known[] = [];
  for (const [specs, into] of [[own, args] as const, [others, otherArgs] as const]) {
    for (const spec of specs) {
      const mine = specs === own;
      if (mine || !taken.has(`--${spec.name}`)) known.push({ written: `--${spec.name}`, spec, into });
      if (spec.short && (mine || !taken.has(`-${spec.short}`))) known.push({ written: `-${spec.short}`, spec, into });
    }
  }
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === '--') return [...rest, ...words.slice(at + 1)];
    if (!word.startsWith('-') || word === '-') {
      if (stopAtWord) return words.slice(at);
      rest.push(word);
      continue;
    }
    at = readFlag(word, words, at, known);
  }
  return rest;
}

interface Known {
  readonly written: string;
  readonly spec: FlagSpec;
  readonly into: Args;
}

/** Reads one option word and its values; returns the place of the last word used. */
function readFlag(word: string, words: readonly string[], at: number, known: readonly Known[]): number {
  const long = word.startsWith('--');
  const equals = long ? word.indexOf('=') : -1;
  const written = long ? (equals < 0 ? word : word.slice(0, equals)) : word.slice(0, 2);
  const { spec, into } = find(written, known);
  let attached = long ? (equals < 0 ? null : word.slice(equals + 1)) : word.slice(2) || null;
  if (!long && attached?.startsWith('=')) attached = attached.slice(1);
  const wanted = spec.values?.length ?? 0;
  if (wanted === 0) {
    into.add(spec.name, []);
    if (attached === null) return at;
    if (long) throw new UsageError(`${written} takes no value`);
    return readFlag(`-${attached}`, words, at, known);
  }
  const values = attached === null ? [] : [attached];
  while (values.length < wanted) {
    const next = words[++at];
    if (next === undefined || (next.startsWith('--') && next.length > 2)) {
      throw new UsageError(`${written} needs ${spec.values!.join(' ')}`);
    }
    values.push(next);
  }
  for (const value of values) check(written, value, spec);
  into.add(spec.name, values);
  return at;
}

function find(written: string, known: readonly Known[]): Known {
  const exact = known.find((each) => each.written === written);
  if (exact) return exact;
  const likely =
    written.length > 2 && written.startsWith('--') ? known.filter((k) => k.written.startsWith(written)) : [];
  if (likely.length === 1) return likely[0]!;
  if (likely.length > 1) {
    throw new UsageError(`${written} could be ${likely.map((each) => each.written).join(' or ')}`);
  }
  const longNames = known.map((each) => each.written).filter((name) => name.startsWith('--'));
  throw new UsageError(`unknown option ${written}${didYouMean(written, longNames)}`);
}

function check(name: string, value: string, spec: Pick<FlagSpec, 'type' | 'choices'>): void {
  if (spec.type === 'integer' && !/^\d{1,15}$/.test(value)) {
    throw new UsageError(`${name} must be a whole number, not ${JSON.stringify(value)}`);
  }
  if (spec.type === 'number' && !/^\d{1,15}(\.\d{1,9})?$/.test(value)) {
    throw new UsageError(`${name} must be a number, not ${JSON.stringify(value)}`);
  }
  if (spec.choices && !spec.choices.includes(value)) {
    throw new UsageError(`${name} must be ${spec.choices.join(' or ')}, not ${JSON.stringify(value)}`);
  }
}

/** Gives positional words their names. */
export function readArguments(words: readonly string[], specs: readonly ArgumentSpec[], args: Args): void {
  let at = 0;
  for (const spec of specs) {
    const values = spec.many ? words.slice(at) : words.slice(at, at + 1);
    at += values.length;
    if (values.length === 0) {
      if (spec.optional) continue;
      throw new UsageError(`${spec.name} is missing`);
    }
    for (const value of values) {
      check(spec.name, value, spec);
      args.add(spec.name, [value]);
    }
  }
  if (at < words.length) throw new UsageError(`unexpected argument ${JSON.stringify(words[at])}`);
}
