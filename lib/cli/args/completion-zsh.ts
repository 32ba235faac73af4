import type { Option } from '../../settings/options.ts';
import {
  type AnyProgram,
  type Argument,
  ownOptions,
  programOptions,
  sharedOptions,
  shownCommands,
  valueNames,
} from './table.ts';

/** Text inside single quotes of a zsh specification, where brackets and colons mean something. */
function quoted(text: string): string {
  return text.replaceAll("'", '’').replace(/[[\]:\\]/g, '\\$&');
}

function value(name: string, { choices, completes }: Pick<Argument, 'choices' | 'completes'>): string {
  const files = completes === 'file' ? '_files' : completes === 'folder' ? '_files -/' : ' ';
  return `:${quoted(name)}:${choices ? `(${choices.join(' ')})` : files}`;
}

function optionSpecs(option: Option): string[] {
  const values = valueNames(option)
    .map((name) => value(name, option as Pick<Argument, 'choices' | 'completes'>))
    .join('');
  const many = option.type === 'strings' || option.type === 'listeners' ? '*' : '';
  return [`--${option.name}`, ...(option.alias ? [`-${option.alias}`] : [])].map(
    (written) => `'${many}${written}[${quoted(option.describe)}]${values}'`,
  );
}

function argumentSpec(argument: Argument, at: number): string {
  return `'${argument.many ? '*' : at + 1}${value(argument.name, argument)}'`;
}

/** A script that completes a program's commands and options in zsh. */
export function zshCompletion(program: AnyProgram): string {
  const identifier = `_${program.name}`;
  const commands = shownCommands(program).map(([name, command]) => {
    const options = [...ownOptions(command), ...sharedOptions(program, command)];
    const specs = [...options.flatMap(optionSpecs), ...(command.arguments ?? []).map(argumentSpec)];
    return `        ${name}) _arguments ${specs.join(' ')} ;;\n`;
  });
  const described = shownCommands(program).map(([name, { describe }]) => `    '${name}:${quoted(describe)}'\n`);
  return `#compdef ${program.name}
# zsh completion for ${program.name}
${identifier}() {
  local state line
  local -a commands
  commands=(
${described.join('')}  )
  _arguments -C ${programOptions(program).flatMap(optionSpecs).join(' ')} '1:command:->command' '*::argument:->arguments'
  case $state in
    command) _describe command commands ;;
    arguments)
      case $words[1] in
${commands.join('').trimEnd()}
      esac ;;
  esac
}
if [ "$funcstack[1]" = "${identifier}" ]; then ${identifier} "$@"; else compdef ${identifier} ${program.name}; fi
`;
}
