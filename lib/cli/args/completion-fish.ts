import type { Option } from '../../settings/options.ts';
import { type AnyProgram, ownOptions, programOptions, sharedOptions, shownCommands } from './table.ts';

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** A script that completes a program's commands and options in fish. */
export function fishCompletion(program: AnyProgram): string {
  const complete = `complete -c ${program.name}`;
  const optionLine = (condition: string, option: Option) => {
    const parts = [complete, condition, `-l ${option.name}`];
    if (option.alias) parts.push(`-s ${option.alias}`);
    if (option.type !== 'boolean') parts.push(option.completes ? '-r -F' : '-x');
    if (option.choices) parts.push(`-a ${quoted(option.choices.join(' '))}`);
    return [...parts, `-d ${quoted(option.describe)}`].join(' ');
  };
  const lines = [`# fish completion for ${program.name}`, `${complete} -f`];
  const commands = shownCommands(program);
  for (const [name, { describe }] of commands)
    lines.push(`${complete} -n __fish_use_subcommand -a ${name} -d ${quoted(describe)}`);
  for (const option of programOptions(program)) lines.push(optionLine('-n __fish_use_subcommand', option));
  for (const [name, command] of commands) {
    const condition = `-n '__fish_seen_subcommand_from ${name}'`;
    for (const option of [...ownOptions(command), ...sharedOptions(program, command)])
      lines.push(optionLine(condition, option));
    const last = command.arguments?.at(-1);
    if (last?.choices) lines.push(`${complete} ${condition} -a ${quoted(last.choices.join(' '))}`);
    if (last?.completes) lines.push(`${complete} ${condition} -F`);
  }
  return `${lines.join('\n')}\n`;
}
