import type { Option } from '../../settings/options.ts';
import { type AnyProgram, type Argument, ownOptions, programOptions, sharedOptions, shownCommands } from './table.ts';

const words = (list: readonly string[]) => list.join(' ');
const long = (options: readonly Option[]) => words(options.map(({ name }) => `--${name}`));
const valued = (options: readonly Option[]) => options.filter(({ type }) => type !== 'boolean');

/** Names of an option in a `case` pattern. */
function pattern({ name, alias }: Option): string {
  return alias ? `--${name}|-${alias}` : `--${name}`;
}

/** The command that sets COMPREPLY for a value; null where a shell cannot complete it. */
function offer({ choices, completes }: Pick<Argument, 'choices' | 'completes'>): string | null {
  if (choices) return `COMPREPLY=($(compgen -W "${words(choices)}" -- "$cur"))`;
  if (completes) return `compopt -o filenames; COMPREPLY=($(compgen -${completes === 'file' ? 'f' : 'd'} -- "$cur"))`;
  return null;
}

function valueCases(options: readonly Option[], indent: string): string {
  return valued(options)
    .map(
      (option) =>
        `${indent}${pattern(option)}) ${[offer(option as Argument), 'return'].filter(Boolean).join('; ')} ;;\n`,
    )
    .join('');
}

/** A script that completes a program's commands and options in bash. */
export function bashCompletion(program: AnyProgram): string {
  const identifier = `_${program.name.replaceAll('-', '_')}`;
  const commands = shownCommands(program).map(([name, command]) => {
    const options = [...ownOptions(command), ...sharedOptions(program, command)];
    const positional = offer(command.arguments?.at(-1) ?? {}) ?? ':';
    return `    ${name})
      case "$prev" in
${valueCases(options, '        ')}      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "${long(options)}" -- "$cur"))
      else ${positional}; fi ;;
`;
  });
  const skipped = valued(program.options).map(pattern).join('|');
  return `# bash completion for ${program.name}
${identifier}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      ${skipped || '--'}) ((i++)) ;;
      -*) ;;
      *) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
  case "$command" in
    "")
      case "$prev" in
${valueCases(program.options, '        ')}      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "${long(programOptions(program))}" -- "$cur"))
      else COMPREPLY=($(compgen -W "${words(shownCommands(program).map(([name]) => name))}" -- "$cur")); fi ;;
${commands.join('')}  esac
}
complete -F ${identifier} ${program.name}
`;
}
