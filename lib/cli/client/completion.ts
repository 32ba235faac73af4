import type { Shell } from './completion-command.ts';
import { type AnyCommand, type AnyProgram, HELP_FLAG, programFlags } from './help.ts';
import type { ArgumentSpec, FlagSpec } from './table.ts';

/** A script that completes the program's commands and options, from its table. */
export function completionScript(program: AnyProgram, shell: Shell): string {
  return { bash, zsh, fish }[shell](program);
}

interface Entry {
  readonly name: string;
  readonly command: AnyCommand;
  readonly flags: readonly FlagSpec[];
}

function entries(program: AnyProgram): Entry[] {
  return Object.entries(program.commands).map(([name, command]) => {
    const own: readonly FlagSpec[] = command.flags ?? [];
    const shared = [...program.flags, HELP_FLAG].filter((flag) => !own.some((each) => each.name === flag.name));
    return { name, command, flags: [...own, ...shared] };
  });
}

/** What the last positional argument completes to; the others are names a shell cannot know. */
function lastArgument({ command }: Entry): ArgumentSpec | undefined {
  return command.arguments?.at(-1);
}

const words = (list: readonly string[]) => list.join(' ');
const long = (flags: readonly FlagSpec[]) => words(flags.map(({ name }) => `--${name}`));

/** Names of an option in a `case` pattern. */
function pattern({ name, short }: FlagSpec): string {
  return short ? `--${name}|-${short}` : `--${name}`;
}

function bash(program: AnyProgram): string {
  const identifier = `_${program.name.replaceAll('-', '_')}`;
  const valued = (flags: readonly FlagSpec[]) => flags.filter((flag) => flag.values);
  const offer = (flag: FlagSpec) => {
    if (flag.choices) return `COMPREPLY=($(compgen -W "${words(flag.choices)}" -- "$cur")); return`;
    if (flag.completes)
      return `compopt -o filenames; COMPREPLY=($(compgen -${flag.completes === 'file' ? 'f' : 'd'} -- "$cur")); return`;
    return 'return';
  };
  const valueCases = (flags: readonly FlagSpec[], indent: string) =>
    valued(flags)
      .map((flag) => `${indent}${pattern(flag)}) ${offer(flag)} ;;\n`)
      .join('');
  const commands = entries(program).map((entry) => {
    const last = lastArgument(entry);
    const positional = last?.choices
      ? `COMPREPLY=($(compgen -W "${words(last.choices)}" -- "$cur"))`
      : last?.completes
        ? `compopt -o filenames; COMPREPLY=($(compgen -${last.completes === 'file' ? 'f' : 'd'} -- "$cur"))`
        : ':';
    return `    ${entry.name})
      case "$prev" in
${valueCases(entry.flags, '        ')}      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "${long(entry.flags)}" -- "$cur"))
      else ${positional}; fi ;;
`;
  });
  const skipped = valued(program.flags).map(pattern).join('|');
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
${valueCases(program.flags, '        ')}      esac
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "${long(programFlags(program))}" -- "$cur"))
      else COMPREPLY=($(compgen -W "${words(Object.keys(program.commands))}" -- "$cur")); fi ;;
${commands.join('')}  esac
}
complete -F ${identifier} ${program.name}
`;
}

/** Text inside single quotes of a zsh specification, where brackets and colons mean something. */
function zshText(text: string): string {
  return text.replaceAll("'", '’').replace(/[[\]:\\]/g, '\\$&');
}

function zshValue(name: string, spec: { choices?: readonly string[]; completes?: 'file' | 'folder' }): string {
  const action = spec.choices
    ? `(${words(spec.choices)})`
    : spec.completes === 'file'
      ? '_files'
      : spec.completes === 'folder'
        ? '_files -/'
        : ' ';
  return `:${zshText(name)}:${action}`;
}

function zshFlag(flag: FlagSpec): string[] {
  const values = (flag.values ?? []).map((name) => zshValue(name, flag as never)).join('');
  const many = flag.repeats ? '*' : '';
  return [`--${flag.name}`, ...(flag.short ? [`-${flag.short}`] : [])].map(
    (written) => `'${many}${written}[${zshText(flag.describe)}]${values}'`,
  );
}

function zsh(program: AnyProgram): string {
  const identifier = `_${program.name}`;
  const commands = entries(program).map((entry) => {
    const positional = (entry.command.arguments ?? []).map(
      (spec: ArgumentSpec, i: number) => `'${spec.many ? '*' : i + 1}${zshValue(spec.name, spec as never)}'`,
    );
    const specs = [...entry.flags.flatMap(zshFlag), ...positional];
    return `    ${entry.name}) _arguments ${specs.join(' ')} ;;\n`;
  });
  const described = entries(program).map(({ name, command }) => `    '${name}:${zshText(command.describe)}'\n`);
  return `#compdef ${program.name}
# zsh completion for ${program.name}
${identifier}() {
  local state line
  local -a commands
  commands=(
${described.join('')}  )
  _arguments -C ${programFlags(program).flatMap(zshFlag).join(' ')} '1:command:->command' '*::argument:->arguments'
  case $state in
    command) _describe command commands ;;
    arguments)
      case $words[1] in
${commands.join('').replaceAll(/^/gm, '    ').trimEnd()}
      esac ;;
  esac
}
if [ "$funcstack[1]" = "${identifier}" ]; then ${identifier} "$@"; else compdef ${identifier} ${program.name}; fi
`;
}

function fishText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function fish(program: AnyProgram): string {
  const lines = [`# fish completion for ${program.name}`, `complete -c ${program.name} -f`];
  const flagLine = (condition: string, flag: FlagSpec) => {
    const parts = [`complete -c ${program.name}`, condition, `-l ${flag.name}`];
    if (flag.short) parts.push(`-s ${flag.short}`);
    if (flag.values) parts.push(flag.completes ? '-r -F' : '-x');
    if (flag.choices) parts.push(`-a ${fishText(words(flag.choices))}`);
    parts.push(`-d ${fishText(flag.describe)}`);
    return parts.filter(Boolean).join(' ');
  };
  const all = entries(program);
  for (const { name, command } of all) {
    lines.push(`complete -c ${program.name} -n __fish_use_subcommand -a ${name} -d ${fishText(command.describe)}`);
  }
  for (const flag of programFlags(program)) lines.push(flagLine('-n __fish_use_subcommand', flag));
  for (const entry of all) {
    const condition = `-n '__fish_seen_subcommand_from ${entry.name}'`;
    for (const flag of entry.flags) lines.push(flagLine(condition, flag));
    const last = lastArgument(entry);
    if (last?.choices) lines.push(`complete -c ${program.name} ${condition} -a ${fishText(words(last.choices))}`);
    if (last?.completes) lines.push(`complete -c ${program.name} ${condition} -F`);
  }
  return `${lines.join('\n')}\n`;
}
