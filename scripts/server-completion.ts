import type { Option } from '../lib/options.ts';
import type { DocumentedCommand } from '../lib/settings/options-doc.ts';

const ACTIONS: Readonly<Record<string, readonly string[]>> = { config: ['check', 'print', 'schema'] };

const flag = ({ name }: Option) => `--${name}`;
const firstSentence = (text: string) =>
  text
    .replaceAll('`', '')
    .split(/[.;:] /)[0]!
    .replace(/\.$/, '');
const isPath = ({ name }: Option) => /(^|-)(file|db|dir|config|ca|log|database)$/.test(name);

/** Completion of the server's command line for a shell, from the tables of its commands. */
export function serverCompletion(commands: readonly DocumentedCommand[], shell: 'bash' | 'zsh' | 'fish'): string {
  return { bash, zsh, fish }[shell](commands);
}

function bash(commands: readonly DocumentedCommand[]): string {
  const cases = commands.map(({ name, options }) => {
    const words = [...(ACTIONS[name] ?? []), ...options.map(flag), '--help'].join(' ');
    return `    ${name}) words="${words}" ;;`;
  });
  const choices = distinct(commands)
    .filter(({ choices }) => choices)
    .map(
      (option) => `    ${flag(option)}) COMPREPLY=($(compgen -W "${option.choices!.join(' ')}" -- "$cur")); return ;;`,
    );
  const paths = distinct(commands).filter(isPath).map(flag).join('|');
  return `# bash completion for bakeserv
_bakeserv() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} words=
  COMPREPLY=()
  case "$prev" in
${choices.join('\n')}
    ${paths}) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  [ "$COMP_CWORD" -gt 1 ] || words="${commands.map(({ name }) => name).join(' ')} --help --version"
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _bakeserv bakeserv
`;
}

function zsh(commands: readonly DocumentedCommand[]): string {
  const names = commands.map(({ name, about }) => `    ${quote(`${name}:${firstSentence(about)}`)}`);
  const cases = commands.map(({ name, options }) => {
    const specs = options.map((option) => {
      const value = option.choices
        ? `:value:(${option.choices.join(' ')})`
        : isPath(option)
          ? ':file:_files'
          : ':value:';
      const text = firstSentence(option.describe).replaceAll(/[[\]:]/g, ' ');
      return `      ${quote(`*${flag(option)}[${text}]${option.type === 'boolean' ? '' : value}`)}`;
    });
    const action = ACTIONS[name] ? ` \\\n      ${quote(`1:action:(${ACTIONS[name].join(' ')})`)}` : '';
    return `    ${name}) _arguments \\\n${specs.join(' \\\n')}${action} ;;`;
  });
  return `#compdef bakeserv
_bakeserv() {
  local -a commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  shift words; (( CURRENT-- ))
  case $words[1] in
${cases.join('\n')}
  esac
}
_bakeserv "$@"
`;
}

function fish(commands: readonly DocumentedCommand[]): string {
  const lines = commands.flatMap(({ name, about, options }) => [
    `complete -c bakeserv -n __fish_use_subcommand -f -a ${name} -d ${quote(firstSentence(about))}`,
    ...(ACTIONS[name]
      ? [`complete -c bakeserv -n "__fish_seen_subcommand_from ${name}" -f -a "${ACTIONS[name].join(' ')}"`]
      : []),
    ...options.map((option) => {
      const value =
        option.type === 'boolean'
          ? ''
          : isPath(option)
            ? ' -r'
            : ` -x${option.choices ? ` -a "${option.choices.join(' ')}"` : ''}`;
      return `complete -c bakeserv -n "__fish_seen_subcommand_from ${name}" -l ${option.name}${value} -d ${quote(firstSentence(option.describe))}`;
    }),
  ]);
  return `# fish completion for bakeserv\n${lines.join('\n')}\n`;
}

function distinct(commands: readonly DocumentedCommand[]): readonly Option[] {
  return [...new Map(commands.flatMap(({ options }) => options.map((option) => [option.name, option]))).values()];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
