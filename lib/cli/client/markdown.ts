import { type AnyProgram, flagRow, programFlags, usage } from './help.ts';

/** The commands and options of client programs as a page of documentation, from their tables. */
export function clientsDocument(programs: readonly AnyProgram[]): string {
  const lines = [
    '# Commands and options of the clients',
    '',
    'Generated from the command tables by `npm run generate`; [clients.md](clients.md) has examples.',
  ];
  for (const program of programs) {
    lines.push('', `## ${program.name}`, '', program.about, '', ...table('Option', programFlags(program).map(flagRow)));
    lines.push('', ...table('Environment', program.environment));
    for (const [name, command] of Object.entries(program.commands)) {
      lines.push('', `### ${name}`, '', `\`${usage(program, name)}\``, '', `${command.describe}.`);
      if (command.details) lines.push('', command.details);
      const named = (command.arguments ?? []).map(
        (spec: { name: string; describe: string }) => [spec.name, spec.describe] as const,
      );
      const rows = [...named, ...(command.flags ?? []).map(flagRow)];
      if (rows.length > 0) lines.push('', ...table('', rows));
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Aligned, as the formatter of the repository wants it. */
function table(heading: string, rows: readonly (readonly [string, string])[]): string[] {
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
