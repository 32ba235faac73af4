import { defaultText, environmentName, type Option } from '../../settings/options.ts';
import {
  type AnyCommand,
  type AnyProgram,
  type Argument,
  ownOptions,
  programOptions,
  sharedOptions,
  shownCommands,
  valueNames,
} from './table.ts';

/** `PROGRAM --help`. @param width in characters */
export function programHelp(program: AnyProgram, width = WIDTH): string {
  const commands = shownCommands(program).map(([name, { describe }]) => [name, describe] as const);
  const sections = [
    wrap(program.about, width).join('\n'),
    `Usage: ${program.name} [OPTIONS] COMMAND [ARGUMENTS]`,
    `Commands:\n${columns(commands, width)}`,
    `Options:\n${columns(programOptions(program).map(optionRow), width)}`,
    program.environment.length > 0 ? `Environment:\n${columns(program.environment, width)}` : '',
    wrap(`'${program.name} COMMAND --help' shows the options of a command, with examples.`, width).join('\n'),
  ];
  return sections.filter(Boolean).join('\n\n');
}

/** `PROGRAM COMMAND --help`. @param width in characters */
export function commandHelp(program: AnyProgram, name: string, width = WIDTH): string {
  const command: AnyCommand = program.commands[name]!;
  const { describe, details, arguments: positional = [], examples = [] } = command;
  const sections = [
    ...[describe, details].filter((text) => text !== undefined).map((text) => wrap(text, width).join('\n')),
    `Usage: ${usage(program, name)}`,
  ];
  if (positional.length > 0) sections.push(`Arguments:\n${columns(positional.map(argumentRow), width)}`);
  for (const [group, options] of groupsOf(ownOptions(command)))
    sections.push(`${group}:\n${columns(options.map(optionRow), width)}`);
  if (examples.length > 0)
    sections.push(`Examples:\n${examples.map(([line, what]) => `  # ${what}\n  ${line}`).join('\n')}`);
  sections.push(`Options of every command:\n${columns(sharedOptions(program, command).map(optionRow), width)}`);
  return sections.join('\n\n');
}

/** Options under their headings, in the order of the table. */
export function groupsOf(options: readonly Option[]): ReadonlyMap<string, readonly Option[]> {
  const groups = new Map<string, Option[]>();
  for (const option of options) {
    const name = option.group ?? 'Options';
    const group = groups.get(name);
    if (group) group.push(option);
    else groups.set(name, [option]);
  }
  return groups;
}

/** A usage line with more options than this shows them as [OPTIONS]. */
const MOST_IN_USAGE = 8;

/** `bakeserv-hashclient gc-mark MARK -w KEY VALUE …` */
export function usage(program: AnyProgram, name: string): string {
  const command: AnyCommand = program.commands[name]!;
  const options = ownOptions(command);
  const words = [program.name, name];
  if (options.length > MOST_IN_USAGE) words.push('[OPTIONS]');
  else words.push(...options.map(optionUsage));
  words.push(...(command.arguments ?? []).map(argumentUsage));
  return words.join(' ');
}

function optionUsage(option: Option): string {
  const text = [option.alias ? `-${option.alias}` : `--${option.name}`, ...valueNames(option)].join(' ');
  const repeated = option.type === 'strings' || option.type === 'listeners' ? `${text} …` : text;
  return option.required ? repeated : `[${repeated}]`;
}

function argumentUsage({ name, many, optional }: Argument): string {
  const text = many ? `${name}…` : name;
  return optional ? `[${text}]` : text;
}

/** `-w, --where KEY VALUE`, what it does, where else it can be set, and its default. */
export function optionRow(option: Option): readonly [string, string] {
  const name = `${option.alias ? `-${option.alias}, ` : '    '}--${option.name}`;
  const variable = option.setting ? ` [${environmentName(option.name)}]` : '';
  const byDefault = option.default === false ? '' : defaultText(option);
  const otherwise = byDefault === '' ? '' : ` [default: ${byDefault}]`;
  return [[name, ...valueNames(option)].join(' '), `${option.describe}${choicesOf(option)}${variable}${otherwise}`];
}

/** The name of an argument, and what it is. */
export function argumentRow(argument: Argument): readonly [string, string] {
  return [argument.name, argument.describe + choicesOf(argument)];
}

function choicesOf({ choices }: Pick<Option, 'choices'>): string {
  return choices ? ` (${choices.join(', ')})` : '';
}

const WIDTH = 100;
const LEAST_WIDTH = 60;

/** How wide help is on a terminal; elsewhere as on a wide one. */
export function helpWidth(terminalColumns: number | undefined): number {
  return Math.max(LEAST_WIDTH, Math.min(WIDTH, terminalColumns ?? WIDTH));
}

/** Two columns, the second broken between words. */
function columns(rows: readonly (readonly [string, string])[], width: number): string {
  const left = Math.min(32, Math.max(...rows.map(([name]) => name.length)));
  const indent = ' '.repeat(left + 4);
  return rows
    .map(([name, text]) => {
      const lines = wrap(text, width - indent.length);
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
