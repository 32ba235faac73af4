import { type AnyProgram, flagRow, programFlags, usage } from './help.ts';

/** Text in roff: a backslash, and a dot or quote at the start of a line, mean something there. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1')
    .replaceAll('…', '\\&...')
    .replaceAll('→', '\\->');
}

/** The manual page of a client program, in section 1, from its table. */
export function manPage(program: AnyProgram, version: string): string {
  const lines = [
    `.TH ${program.name.toUpperCase()} 1 "" "bakeserv ${version}" "bakeserv"`,
    '.SH NAME',
    `${roff(program.name)} \\- ${roff(program.about.replace(/\.$/, '').replace(/^./, (c) => c.toLowerCase()))}`,
    '.SH SYNOPSIS',
    `.B ${roff(program.name)}`,
    '[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]',
    '.SH DESCRIPTION',
    roff(program.details),
    '.SH OPTIONS',
    'These stand before or after the command.',
    ...programFlags(program).flatMap((flag) => tagged(flagRow(flag))),
    '.SH COMMANDS',
  ];
  for (const [name, command] of Object.entries(program.commands)) {
    lines.push(`.SS ${roff(usage(program, name).slice(program.name.length + 1))}`, `${roff(command.describe)}.`);
    if (command.details) lines.push(roff(command.details));
    const rows = [
      ...(command.arguments ?? []).map(
        (spec: { name: string; describe: string }) => [spec.name, spec.describe] as const,
      ),
      ...(command.flags ?? []).map(flagRow),
    ];
    lines.push(...rows.flatMap(tagged));
    for (const [line, what] of command.examples ?? []) {
      lines.push('.PP', `Example, ${roff(what)}:`, '.PP', '.nf', '.RS', roff(line), '.RE', '.fi');
    }
  }
  lines.push('.SH ENVIRONMENT', ...program.environment.flatMap(tagged));
  if (program.files) lines.push('.SH FILES', ...program.files.flatMap(tagged));
  lines.push(
    '.SH EXIT STATUS',
    ...tagged(['0', 'All went well.']),
    ...tagged(['1', 'A call was refused or failed, or a test was answered with no.']),
    ...tagged(['2', 'Wrong usage.']),
    '.SH SEE ALSO',
    '.BR bakeserv\\-hashclient (1),',
    '.BR bakeserv\\-prclient (1)',
  );
  return `${lines.join('\n')}\n`;
}

function tagged([name, text]: readonly [string, string]): string[] {
  return ['.TP', `.B ${roff(name.trim())}`, roff(text)];
}
