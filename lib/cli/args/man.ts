import { argumentRow, optionRow, usage } from './help.ts';
import { type AnyProgram, ownOptions, programOptions, shownCommands } from './table.ts';

/** Text in roff: escapes backslashes, and dots and quotes at the start of a line; drops markdown's quotes. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('`', '')
    .replaceAll('’', '\\(cq')
    .replace(/^([.'])/gm, '\\&$1')
    .replaceAll('…', '\\&...')
    .replaceAll('→', '\\->');
}

/** The manual page of a program, in section 1, from its table. */
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
    'These may come before or after the command.',
    ...programOptions(program).flatMap((option) => tagged(optionRow(option))),
    '.SH COMMANDS',
  ];
  for (const [name, command] of shownCommands(program)) {
    lines.push(`.SS ${roff(usage(program, name).slice(program.name.length + 1))}`, `${roff(command.describe)}.`);
    if (command.details) lines.push(roff(command.details));
    const rows = [...(command.arguments ?? []).map(argumentRow), ...ownOptions(command).map(optionRow)];
    lines.push(...rows.flatMap(tagged));
    for (const [line, what] of command.examples ?? [])
      lines.push('.PP', `Example, ${roff(what)}:`, '.PP', '.nf', '.RS', roff(line), '.RE', '.fi');
  }
  if (program.environment.length > 0) lines.push('.SH ENVIRONMENT', ...program.environment.flatMap(tagged));
  if (program.files) lines.push('.SH FILES', ...program.files.flatMap(tagged));
  lines.push('.SH EXIT STATUS', ...program.statuses.flatMap(tagged));
  for (const [heading, text] of program.sections ?? []) lines.push(`.SH ${heading}`, roff(text));
  const others = ['bakeserv', 'bakeserv-hashclient', 'bakeserv-prclient'].filter((each) => each !== program.name);
  lines.push('.SH SEE ALSO', others.map((each) => `.BR ${roff(each)} (1)`).join(',\n'));
  return `${lines.join('\n')}\n`;
}

function tagged([name, text]: readonly [string, string]): string[] {
  return ['.TP', `.B ${roff(name.trim())}`, roff(text)];
}
