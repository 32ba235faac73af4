import type { Proposal } from '../../insights/shared-state/fix.ts';
import type { Report } from '../../insights/shared-state/report.ts';
import { sizeText, tableLines } from './table.ts';
import { bytes, count, text, time } from './view.ts';

const COLUMNS = [
  text('PN', 'Recipe'),
  text('task', 'Task'),
  count('unihashes', 'Unihashes'),
  count('missing', 'Missing'),
  time('oldest_report', 'Oldest report'),
  time('missing_since', 'Missing since'),
];
const OBJECT_COLUMNS = [count('orphans', 'Unnamed objects'), bytes('orphan_bytes', 'Size')];

/** What was found, for people: figures, then the recipes that have something to tell. */
export function textOf(
  report: Report,
  proposals: readonly Proposal[] | null,
  bold: (text: string) => string,
): string[] {
  const { place, folder, mirror, recent, unknown, orphans } = report;
  const where = place === undefined ? '' : `${place}: `;
  const lines = [
    folder
      ? `${where}${folder.objects} objects in ${folder.folders} folders`
      : `${where}${mirror!.requests} requests, ${mirror!.remembered} answers of earlier runs`,
    `Unihashes: ${report.unihashes}, with an object ${report.present}, without ${report.missing}` +
      (recent > 0 ? `, reported too lately to tell ${recent}` : '') +
      (unknown > 0 ? `, not known ${unknown}` : ''),
  ];
  if (orphans !== null)
    lines.push(
      `Objects that no unihash names: ${orphans} (${sizeText(report.orphan_bytes!)})` +
        (report.recent_orphans! > 0 ? `, too new to tell ${report.recent_orphans}` : ''),
    );
  if (report.recipes.length > 0) {
    const columns = folder ? [...COLUMNS, ...OBJECT_COLUMNS] : COLUMNS;
    const [heading, ...rows] = tableLines(columns, report.recipes);
    lines.push('', bold(heading!), ...rows);
  }
  if (report.more > 0) lines.push(`and ${report.more} more: --limit ${report.recipes.length + report.more} shows all`);
  for (const { why, commands } of proposals ?? []) lines.push('', why, ...commands.map((command) => `    ${command}`));
  return lines;
}

/** What limits what was found. */
export function warningsOf({ folder, mirror }: Report): string[] {
  const warnings: string[] = [];
  if (folder && folder.unreadable > 0) {
    warnings.push(`${folder.unreadable} folders could not be read; what is in them counts as missing:`);
    for (const problem of folder.problems ?? []) warnings.push(`  ${problem}`);
  }
  if (folder && folder.links > 0)
    warnings.push(`${folder.links} links lead to folders, or to nothing: they were not followed`);
  if (mirror && mirror.unanswered > 0) {
    const why = mirror.stopped ? `the mirror ${mirror.stopped}` : 'run it again, or raise --max-requests';
    warnings.push(`${mirror.unanswered} unihashes were not looked up: ${why}`);
  }
  if (mirror && mirror.nameless > 0)
    warnings.push(`${mirror.nameless} unihashes cannot be looked up: too little is known of them to name an object`);
  return warnings;
}
