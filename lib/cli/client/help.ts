import type { ArgumentSpec, CommandSpec, FlagSpec, ProgramSpec } from './table.ts';

// biome-ignore lint/suspicious/noExplicitAny: help is about the table, whatever its commands are given
export type AnyProgram = ProgramSpec<any>;
// biome-ignore lint/suspicious/noExplicitAny: as above
export type AnyCommand = CommandSpec<any>;

export const HELP_FLAG: FlagSpec = { name: 'help', short: 'h', describe: 'Show this help and exit' };
const VERSION_FLAG: FlagSpec = { name: 'version', describe: 'Show the version and exit' };

/** The options of the program itself. */
export function programFlags(program: AnyProgram): FlagSpec[] {
  return [...program.flags, VERSION_FLAG, HELP_FLAG];
}

export function programHelp(program: AnyProgram): string {
  const commands = Object.entries(program.commands).map(([name, { describe }]) => [name, describe] as const);
  const sections = [
    program.about,
    `Usage: ${program.name} [OPTIONS] COMMAND [ARGUMENTS]`,
    `Commands:\n${columns(commands)}`,
    `Options:\n${columns(programFlags(program).map(flagRow))}`,
    `Environment:\n${columns(program.environment)}`,
    `'${program.name} COMMAND --help' tells about a command, with examples.`,
  ];
  return sections.join('\n\n');
}

export function commandHelp(program: AnyProgram, name: string): string {
  const command = program.commands[name]!;
  const sections = [
    command.describe + (command.details ? `\n\n${command.details}` : ''),
    `Usage: ${usage(program, name)}`,
  ];
  const described = command.arguments ?? [];
  if (described.length > 0) {
    sections.push(`Arguments:\n${columns(described.map((each) => [each.name, each.describe] as const))}`);
  }
  if (command.flags?.length) sections.push(`Options:\n${columns(command.flags.map(flagRow))}`);
  if (command.examples?.length) {
    sections.push(`Examples:\n${command.examples.map(([line, what]) => `  # ${what}\n  ${line}`).join('\n')}`);
  }
  sections.push(`Options of every command:\n${columns(shared(program, command).map(flagRow))}`);
  return sections.join('\n\n');
}

/** Options of the program that the command has no option of the same name for. */
function shared(program: AnyProgram, command: AnyCommand): FlagSpec[] {
  const own = command.flags ?? [];
  return [...program.flags, HELP_FLAG]
    .filter(({ name }) => !own.some((each) => each.name === name))
    .map(({ short, ...flag }) => (short && !own.some((each) => each.short === short) ? { ...flag, short } : flag));
}

/** `bakeserv-hashclient gc-mark MARK -w KEY VALUE …` */
export function usage(program: AnyProgram, name: string): string {
  const command = program.commands[name]!;
  const words = [program.name, name];
  for (const flag of command.flags ?? []) {
    const text = [flag.short ? `-${flag.short}` : `--${flag.name}`, ...(flag.values ?? [])].join(' ');
    const repeated = flag.repeats ? `${text} …` : text;
    words.push(flag.required ? repeated : `[${repeated}]`);
  }
  words.push(...(command.arguments ?? []).map(argumentUsage));
  return words.join(' ');
}

function argumentUsage(spec: ArgumentSpec): string {
  const text = spec.many ? `${spec.name}…` : spec.name;
  return spec.optional ? `[${text}]` : text;
}

/** `-w, --where KEY VALUE` and what it does. */
export function flagRow(flag: FlagSpec): readonly [string, string] {
  const name = `${flag.short ? `-${flag.short}, ` : '    '}--${flag.name}`;
  const choices = flag.choices ? ` (${flag.choices.join(', ')})` : '';
  const otherwise = flag.default === undefined ? '' : ` [default: ${flag.default}]`;
  return [[name, ...(flag.values ?? [])].join(' '), `${flag.describe}${choices}${otherwise}`];
}

const WIDTH = 100;

/** Two columns, the second broken between words. */
export function columns(rows: readonly (readonly [string, string])[]): string {
  const left = Math.min(32, Math.max(...rows.map(([name]) => name.length)));
  const indent = ' '.repeat(left + 4);
  return rows
    .map(([name, text]) => {
      const lines = wrap(text, WIDTH - indent.length);
      const first = name.length > left ? `  ${name}\n${indent}` : `  ${name.padEnd(left)}  `;
      return first + lines.join(`\n${indent}`);
    })
    .join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
