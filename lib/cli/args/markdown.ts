import { defaultText, environmentName, type Option } from '../../settings/options.ts';
import { expectedOf } from '../../settings/schema.ts';
import { argumentRow, groupsOf, optionRow, usage } from './help.ts';
import { type AnyProgram, ownOptions, programOptions, shownCommands } from './table.ts';

/** The commands and options of client programs as a page of documentation, from their tables. */
export function clientsDocument(programs: readonly AnyProgram[]): string {
  const lines = [
    '# Commands and options of the clients',
    '',
    'Generated from the command tables by `npm run generate`; [clients.md](clients.md) has examples.',
  ];
  for (const program of programs) {
    lines.push('', `## ${program.name}`, '', program.about, '');
    lines.push(...aligned('Option', programOptions(program).map(optionRow)));
    lines.push('', ...aligned('Environment', program.environment));
    for (const [name, command] of shownCommands(program)) {
      lines.push('', `### ${name}`, '', `\`${usage(program, name)}\``, '', `${command.describe}.`);
      if (command.details) lines.push('', command.details);
      const named = (command.arguments ?? []).map(argumentRow);
      const rows = [...named, ...ownOptions(command).map(optionRow)];
      if (rows.length > 0) lines.push('', ...aligned('', rows));
    }
  }
  return `${lines.join('\n')}\n`;
}

function aligned(heading: string, rows: readonly (readonly [string, string])[]): string[] {
  const cells = rows.map(([name, text]) => [`\`${name.trim()}\``, text.replaceAll('|', '\\|')] as const);
  const left = Math.max(3, heading.length, ...cells.map(([name]) => name.length));
  const right = Math.max(3, ...cells.map(([, text]) => text.length));
  const line = (name: string, text: string) => `| ${name.padEnd(left)} | ${text.padEnd(right)} |`;
  return [
    line(heading, ''),
    line('-'.repeat(left), '-'.repeat(right)),
    ...cells.map(([name, text]) => line(name, text)),
  ];
}

const SERVER_HEAD = `# Options

Generated from the option tables by \`npm run generate\`; do not edit.

An option of \`bakeserv serve\` may be given as a flag (\`--log-level debug\`), as an environment variable
(\`BAKESERV_LOG_LEVEL=debug\`) and as a key of the configuration file (\`log-level: debug\`). The flag is the strongest,
then the environment, then the file. \`bakeserv config print\` shows each value and where it was set,
\`bakeserv config check\` reports what is wrong. Lists are separated by commas or blanks in the environment.
`;

/** The commands of the server and their options as a page of documentation, from its table. */
export function serverDocument(program: AnyProgram): string {
  const sections = shownCommands(program).map(([name, command]) => {
    const about = [`${command.describe}.`, command.details].filter(Boolean).join(' ');
    const parts = [`## bakeserv ${name}\n\n\`${usage(program, name)}\`\n\n${about}\n`];
    for (const [group, options] of groupsOf(ownOptions(command)))
      parts.push(
        `### ${group}\n\n| flag | environment | value | default | |\n|---|---|---|---|---|\n${options.map(settingRow).join('\n')}\n`,
      );
    return parts.join('\n');
  });
  return [SERVER_HEAD, ...sections].join('\n');
}

function settingRow(option: Option): string {
  const environment = option.setting ? `\`${environmentName(option.name)}\`` : '';
  const alias = option.alias ? `\`-${option.alias}\`, ` : '';
  const byDefault = defaultText(option, (text) => `\`${text}\``);
  const cells = [`${alias}\`--${option.name}\``, environment, expectedOf(option), byDefault, option.describe];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
