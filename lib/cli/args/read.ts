import { Parser } from 'yargs/helpers';
import { didYouMean } from '../../settings/nearest.ts';
import type { Option } from '../../settings/options.ts';
import { Args } from './args.ts';
import { checkValue, type Expanded, VALUE_SEPARATOR } from './expand.ts';
import type { Argument } from './table.ts';
import { UsageError } from './usage-error.ts';

/**
 * Reads an expanded command line with yargs, by a table of options.
 * @param positional the arguments; words beyond them are refused
 * @throws UsageError naming the option or argument
 */
export function readArgs(
  { options: given, words }: Expanded,
  options: readonly Option[],
  positional: readonly Argument[],
): Args {
  const namesOf = (isSwitch: boolean) =>
    options.filter(({ type }) => (type === 'boolean') === isSwitch).map(({ name }) => name);
  const { argv: parsed, error } = Parser.detailed([...given, '--', ...words], {
    boolean: namesOf(true),
    string: namesOf(false),
    configuration: {
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'duplicate-arguments-array': true,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    },
  });
  if (error) throw error;
  const values = new Map<string, readonly (readonly string[])[]>();
  const switches = new Map<string, boolean>();
  for (const option of options) {
    const value = parsed[option.name];
    if (value === undefined) continue;
    if (option.type === 'boolean') {
      switches.set(option.name, [value].flat().at(-1) === true);
      continue;
    }
    const uses = [value].flat().map((use) => String(use).split(VALUE_SEPARATOR));
    values.set(option.name, uses);
  }
  readPositional(parsed._.map(String), positional, values);
  return new Args(values, switches);
}

const oneOf = ({ choices }: Argument) => (choices ? `: ${choices.join(', ')}` : '');

/** Gives positional words their names. */
function readPositional(
  words: readonly string[],
  positional: readonly Argument[],
  values: Map<string, readonly (readonly string[])[]>,
): void {
  let at = 0;
  for (const argument of positional) {
    const taken = argument.many ? words.slice(at) : words.slice(at, at + 1);
    at += taken.length;
    if (taken.length === 0 && !argument.optional) throw new UsageError(`${argument.name} is missing${oneOf(argument)}`);
    for (const value of taken) {
      if (argument.isCommand && !argument.choices!.includes(value))
        throw new UsageError(
          `unknown command ${JSON.stringify(value.slice(0, 64))}${didYouMean(value, argument.choices!)}`,
        );
      checkValue(argument.name, value, argument);
    }
    if (taken.length > 0)
      values.set(
        argument.name,
        taken.map((value) => [value]),
      );
  }
  if (at < words.length) throw new UsageError(`unexpected argument ${JSON.stringify(words[at])}`);
}
