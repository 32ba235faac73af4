import yargs from 'yargs';
import { ConfigError } from '../errors.ts';
import { defaultText, environmentName, type Option } from '../options.ts';
import { didYouMean } from '../settings/nearest.ts';
import type { Flags } from '../settings/settings.ts';
import { UsageError } from './main.ts';

/**
 * Reads a command line by a table of options.
 * @param argument the name under which one word that is no flag is returned; without it there may be none
 * @returns the flags that were given (and no defaults), or null when help was asked for and printed
 * @throws UsageError naming the flag
 */
export async function parseFlags(
  usage: string,
  options: readonly Option[],
  args: readonly string[],
  examples: readonly (readonly [string, string])[] = [],
  argument: string | null = null,
): Promise<Flags | null> {
  const parser = yargs([...args])
    .scriptName('')
    .usage(usage)
    .version(false)
    .help(true)
    .wrap(process.stdout.isTTY ? Math.min(process.stdout.columns ?? 100, 120) : 100)
    .strict(argument === null)
    .strictOptions()
    .exitProcess(false)
    .parserConfiguration({
      'camel-case-expansion': false,
      'parse-numbers': false,
      'dot-notation': false,
      'duplicate-arguments-array': true,
    })
    .fail((message, error) => {
      // yargs' own error comes instead of a message where an option lacks its value.
      throw error && error.name !== 'YError'
        ? error
        : new UsageError(explain(message ?? error?.message, options, args));
    });
  for (const option of options) {
    const more = [
      option.flagOnly ? '' : ` [${environmentName(option.name)}]`,
      option.default === undefined ? '' : ` [default: ${defaultText(option)}]`,
    ];
    parser.option(option.name, {
      describe: option.describe + more.join(''),
      group: `${option.group}:`,
      ...(option.alias && { alias: option.alias }),
      ...(option.type === 'boolean' ? { type: 'boolean' as const } : { type: 'string' as const, requiresArg: true }),
      ...(option.choices && { choices: [...option.choices] }),
    });
  }
  for (const [command, description] of examples) parser.example(command, description);
  let helped = false;
  const parsed = await parser.parse([...args], {}, (_error: unknown, _argv: unknown, output: string) => {
    if (!output) return;
    helped = true;
    process.stdout.write(`${output}\n`);
  });
  if (helped) return null;
  const { _: positional, $0: _, ...flags } = parsed as Record<string, unknown>;
  const [first, ...rest] = (positional as unknown[] | undefined) ?? [];
  const unexpected = argument === null ? first : rest[0];
  if (unexpected !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(String(unexpected))}`);
  return argument !== null && first !== undefined ? { ...flags, [argument]: String(first) } : flags;
}

/** An unknown flag with the one that was probably meant; yargs says the same of one as of a stray word. */
function explain(message: string, options: readonly Option[], args: readonly string[]): string {
  const lacking = /^Not enough arguments following: (\S+)/.exec(message)?.[1];
  if (lacking) return `--${lacking} needs a value`;
  const [, name, value] = /^Invalid values:\n\s*Argument: (\S+), Given: (".*?"), Choices:/.exec(message) ?? [];
  if (name) {
    const choices = options.find((option) => option.name === name)?.choices ?? [];
    return `--${name} must be ${choices.join(', ')}, not ${value}`;
  }
  const unknown = /^Unknown arguments?: ([^\s,]+)/.exec(message)?.[1];
  if (!unknown) return message;
  const named = args.filter((arg) => /^-./.test(arg)).map((arg) => arg.replace(/=.*$/s, ''));
  const given =
    named.find((arg) => arg.replace(/^-+(no-)?/, '') === unknown || arg.replace(/^-+/, '') === unknown) ??
    // `-bind` is four letters to yargs.
    named.find((arg) => /^-[^-]/.test(arg) && arg.includes(unknown));
  if (!given) return `unexpected argument ${JSON.stringify(unknown)}`;
  const flags = options.flatMap(({ name, type }) => [`--${name}`, ...(type === 'boolean' ? [`--no-${name}`] : [])]);
  return `unknown option ${given}${didYouMean(given.replace(/^-+/, '--'), flags)}`;
}

/**
 * A whole number from a flag.
 * @throws ConfigError naming the flag
 */
export function wholeNumber(flags: Flags, name: string, expected: string): number | null {
  const text = flags[name] as string | undefined;
  if (text === undefined) return null;
  if (!/^\d{1,9}$/.test(text)) throw new ConfigError(`--${name}: ${JSON.stringify(text)} is not ${expected}`);
  return Number(text);
}
