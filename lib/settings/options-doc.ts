import { defaultText, environmentName, type Option } from '../options.ts';
import { expectedOf } from './schema.ts';

/** A command's options as docs/options.md shows them. */
export interface DocumentedCommand {
  readonly name: string;
  readonly about: string;
  readonly options: readonly Option[];
}

const HEAD = `# Options

Generated from the option tables by \`npm run generate\`; do not edit.

An option of \`bakeserv serve\` may be given as a flag (\`--log-level debug\`), as an environment variable
(\`BAKESERV_LOG_LEVEL=debug\`) and as a key of the configuration file (\`log-level: debug\`). The flag is the strongest,
then the environment, then the file. \`bakeserv config print\` shows each value and where it was set,
\`bakeserv config check\` says what is wrong. Lists are separated by commas or blanks in the environment.
`;

/** The text of docs/options.md. */
export function optionsDocument(commands: readonly DocumentedCommand[]): string {
  return [HEAD, ...commands.map(section)].join('\n');
}

function section({ name, about, options }: DocumentedCommand): string {
  const parts = [`## bakeserv ${name}\n\n${about}\n`];
  const groups = new Set(options.map((option) => option.group));
  for (const group of groups) {
    const rows = options.filter((option) => option.group === group).map(row);
    parts.push(
      `### ${group}\n\n| flag | environment | value | default | |\n|---|---|---|---|---|\n${rows.join('\n')}\n`,
    );
  }
  return parts.join('\n');
}

function row(option: Option): string {
  const environment = option.flagOnly ? '' : `\`${environmentName(option.name)}\``;
  const alias = option.alias ? `\`-${option.alias}\`, ` : '';
  const byDefault = defaultText(option, (text) => `\`${text}\``);
  const cells = [`${alias}\`--${option.name}\``, environment, expectedOf(option), byDefault, option.describe];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
