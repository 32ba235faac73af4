import { didYouMean } from '../../settings/nearest.ts';
import type { Option } from '../../settings/options.ts';
import { type Expanded, expand } from './expand.ts';
import { type AnyCommand, type AnyProgram, type Program, programOptions, sharedOptions, VERSION } from './table.ts';
import { UsageError } from './usage-error.ts';

/** What a command line asks for. */
export type Asked =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'command'; readonly name: string; readonly run: () => Promise<number> };

/**
 * Reads the words of a program's command line. Help and version need only the table, and are answered before
 * anything else is loaded.
 * @param onCommand is told the command before its own options are read
 * @throws UsageError
 */
export async function readCommandLine<Call>(
  program: Program<Call>,
  words: readonly string[],
  onCommand: (name: string) => void = () => {},
): Promise<Asked> {
  const all = programOptions(program);
  const first = expand(words, all, true);
  const [name, ...rest] = first.words;
  if (first.options.includes('--version=true')) return { kind: 'version' };
  if (first.options.includes('--help=true') || name === 'help') return help(program, rest[0]);
  if (name === undefined) throw new UsageError('a command is missing');
  const command = Object.hasOwn(program.commands, name) ? program.commands[name]! : null;
  if (!command) throw new UsageError(unknown(program, name));
  onCommand(name);
  const own = command.options ?? [];
  const shared = sharedOptions(program, command);
  const given = expandOwn(rest, [...own, ...shared], command);
  if (given.options.includes('--help=true')) return help(program, name);
  if (shared.includes(VERSION) && given.options.includes('--version=true')) return { kind: 'version' };
  const { readArgs } = await import('./read.ts');
  const isOwn = (word: string) => own.some((option) => word.startsWith(`--${option.name}=`));
  const args = readArgs({ ...given, options: given.options.filter(isOwn) }, own, command.arguments ?? []);
  for (const option of own)
    if (option.required && !args.has(option.name)) throw new UsageError(`${name}: --${option.name} is missing`);
  const others = [...first.options, ...given.options.filter((word) => !isOwn(word))];
  const globals = readArgs({ options: others, words: [] }, all, []);
  return {
    kind: 'command',
    name,
    async run() {
      const call = program.open(globals, args, rest);
      try {
        return (await command.run(call)) ?? 0;
      } finally {
        program.close(call);
      }
    },
  };
}

function expandOwn(words: readonly string[], known: readonly Option[], command: AnyCommand): Expanded {
  try {
    return expand(words, known);
  } catch (error) {
    const behind = command.arguments?.find(({ isBehindDashes }) => isBehindDashes);
    if (!(error instanceof UsageError) || !behind || words.includes('--')) throw error;
    throw new UsageError(`${error.message}; ${behind.name} is written after --`);
  }
}

async function help(program: AnyProgram, name: string | undefined): Promise<{ kind: 'text'; text: string }> {
  const { commandHelp, helpWidth, programHelp } = await import('./help.ts');
  const width = helpWidth(process.stdout.columns);
  if (name === undefined || name.startsWith('-')) return { kind: 'text', text: programHelp(program, width) };
  if (!Object.hasOwn(program.commands, name)) throw new UsageError(unknown(program, name));
  return { kind: 'text', text: commandHelp(program, name, width) };
}

function unknown(program: AnyProgram, name: string): string {
  return `unknown command ${JSON.stringify(name.slice(0, 64))}${didYouMean(name, Object.keys(program.commands))}`;
}
