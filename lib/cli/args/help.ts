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

/** `PROGRAM --help`. */
export function programHelp(program: AnyProgram): string {
  const commands = shownCommands(program).map(([name, { describe }]) => [name, describe] as const);
  const sections = [
    program.about,
    `Usage: ${program.name} [OPTIONS] COMMAND [ARGUMENTS]`,
    `Commands:\n${columns(commands)}`,
    `Options:\n${columns(programOptions(program).map(optionRow))}`,
    program.environment.length > 0 ? `Environment:\n${columns(program.environment)}` : '',
    `'${program.name} COMMAND --help' shows the options of a command, with examples.`,
  ];
  return sections.filter(Boolean).join('\n\n');
}

/** `PROGRAM COMMAND --help`. */
export function commandHelp(program: AnyProgram, name: string): string {
  const command: AnyCommand = program.commands[name]!;
  const { describe, details, arguments: positional = [], examples = [] } = command;
  const sections = [
    details ? `${describe}\n\n${wrap(details, WIDTH).join('\n')}` : describe,
    `Usage: ${usage(program, name)}`,
  ];
  if (positional.length > 0)
    sections.push(`Arguments:\n${columns(positional.map((each) => [each.name, each.describe] as const))}`);
  for (const [group, options] of groupsOf(ownOptions(command)))
    sections.push(`${group}:\n${columns(options.map(optionRow))}`);
  if (examples.length > 0)
    sections.push(`Examples:\n${examples.map(([line, what]) => `  # ${what}\n  ${line}`).join('\n')}`);
  sections.push(`Options of every command:\n${columns(sharedOptions(program, command).map(optionRow))}`);
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
  const choices = option.choices ? ` (${option.choices.join(', ')})` : '';
  const variable = option.setting ? ` [${environmentName(option.name)}]` : '';
  const otherwise =
    option.default === undefined || option.default === false ? '' : ` [default: ${defaultText(option)}]`;
  return [[name, ...valueNames(option)].join(' '), `${option.describe}${choices}${variable}${otherwise}`];
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
