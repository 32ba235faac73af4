import { nearest } from '../../settings/nearest.ts';
import type { Option } from '../../settings/options.ts';
import { valueNames } from './table.ts';
import { UsageError } from './usage-error.ts';

/** A command line in a form that yargs reads without guessing. */
export interface Expanded {
  /** Options in full, each one word: `--name=value`, several values joined by NUL, a switch `--name=true` or `=false`. */
  readonly options: readonly string[];
  /** Words that are not options, and all words after `--`. */
  readonly words: readonly string[];
}

/** Separates the values of an option that takes several: no word of a command line can contain it. */
export const VALUE_SEPARATOR = '\0';

/**
 * What BitBake's clients understand and yargs does not: options shortened as far as they stay unique, `-w KEY VALUE`
 * several times, values that begin with a dash.
 * @param stopAtWord leaves everything as it is from the first word that is not an option
 * @throws UsageError naming the option
 */
export function expand(words: readonly string[], known: readonly Option[], stopAtWord = false): Expanded {
  const options: string[] = [];
  const rest: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === '--') return { options, words: [...rest, ...words.slice(at + 1)] };
    if (!word.startsWith('-') || word === '-') {
      if (stopAtWord) return { options, words: words.slice(at) };
      rest.push(word);
    } else at = word.startsWith('--') ? expandLong(words, at, known, options) : expandShort(words, at, known, options);
  }
  return { options, words: rest };
}

/** Both return the index of the last word used. */
function expandLong(words: readonly string[], at: number, known: readonly Option[], options: string[]): number {
  const word = words[at]!;
  const equals = word.indexOf('=');
  const written = equals < 0 ? word : word.slice(0, equals);
  const attached = equals < 0 ? null : word.slice(equals + 1);
  const { option, no } = findLong(written, known);
  if (option.type !== 'boolean') return take(words, at, written, option, attached, options);
  if (attached !== null && !(option.setting && /^(true|false)$/.test(attached)))
    throw new UsageError(`${written} takes no value`);
  options.push(`--${option.name}=${no === (attached === 'false')}`);
  return at;
}

function expandShort(words: readonly string[], at: number, known: readonly Option[], options: string[]): number {
  const letters = words[at]!.slice(1);
  for (let i = 0; i < letters.length; i++) {
    const written = `-${letters[i]}`;
    const option = known.find(({ alias }) => alias === letters[i]);
    if (!option) throw new UsageError(unknownOption(i === 0 ? words[at]!.replace(/=.*$/s, '') : written, known));
    if (option.type !== 'boolean') {
      const attached = letters.slice(i + 1).replace(/^=/, '');
      return take(words, at, written, option, i + 1 < letters.length ? attached : null, options);
    }
    options.push(`--${option.name}=true`);
  }
  return at;
}

function take(
  words: readonly string[],
  at: number,
  written: string,
  option: Option,
  attached: string | null,
  options: string[],
): number {
  const names = valueNames(option);
  const values = attached === null ? [] : [attached];
  let last = at;
  while (values.length < names.length) {
    const next = words[++last];
    if (next === undefined || (next.startsWith('--') && next.length > 2))
      throw new UsageError(`${written} needs ${option.values?.join(' ') ?? 'a value'}`);
    values.push(next);
  }
  for (const value of values) checkValue(written, value, option);
  options.push(`--${option.name}=${values.join(VALUE_SEPARATOR)}`);
  return last;
}

function findLong(written: string, known: readonly Option[]): { option: Option; no: boolean } {
  const names = new Map<string, { option: Option; no: boolean }>();
  for (const option of known) {
    if (option.type === 'boolean' && option.setting) names.set(`--no-${option.name}`, { option, no: true });
  }
  for (const option of known) names.set(`--${option.name}`, { option, no: false });
  const exact = names.get(written);
  if (exact) return exact;
  const likely = [...names.keys()].filter((name) => name.startsWith(written));
  if (likely.length === 1) return names.get(likely[0]!)!;
  // `--upstream` could be any of five options: name them.
  if (likely.length > 1) throw new UsageError(`${written} could be ${likely.join(' or ')}`);
  throw new UsageError(unknownOption(written, known));
}

function unknownOption(written: string, known: readonly Option[]): string {
  const names = known.flatMap(({ name, type, setting }) =>
    type === 'boolean' && setting ? [name, `no-${name}`] : [name],
  );
  const meant = nearest(written.replace(/^-+/, ''), names);
  return `unknown option ${written}${meant === null ? '' : `; did you mean --${meant}?`}`;
}

/**
 * Checks a text against its type. Numbers and sizes of settings are checked later, with those of environment and file.
 * @param name as it was written
 */
export function checkValue(
  name: string,
  value: string,
  spec: Pick<Option, 'setting' | 'choices'> & { type?: string },
): void {
  if (spec.type === 'integer' && !spec.setting && !/^\d{1,15}$/.test(value))
    throw new UsageError(`${name} must be a whole number, not ${JSON.stringify(value)}`);
  if (spec.type === 'number' && !/^\d{1,15}(\.\d{1,9})?$/.test(value))
    throw new UsageError(`${name} must be a number, not ${JSON.stringify(value)}`);
  if (spec.choices && !spec.choices.includes(value))
    throw new UsageError(
      `${name} must be ${spec.choices.join(spec.setting ? ', ' : ' or ')}, not ${JSON.stringify(value)}`,
    );
}
