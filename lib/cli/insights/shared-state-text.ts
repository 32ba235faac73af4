import type { Json } from '../../asyncrpc/wire/messages.ts';
import type { Proposal } from '../../insights/shared-state/fix.ts';
import type { SharedStateFindings } from '../../insights/shared-state/run.ts';
import type { Tally } from '../../insights/shared-state/survey.ts';
import { moment } from './shared-state-details.ts';
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

function entryOf(tally: Tally) {
  return {
    PN: tally.PN,
    task: tally.task,
    unihashes: tally.unihashes,
    missing: tally.missing,
    unknown: tally.unknown,
    oldest_report: moment(tally.oldestReport),
    missing_since: moment(tally.missingSince),
    orphans: tally.orphans,
    orphan_bytes: tally.orphanBytes,
  };
}

/** What was found, as JSON. */
export function jsonOf(
  { survey, shown, folder, mirror }: SharedStateFindings,
  limit: number,
  proposals: readonly Proposal[] | null,
): Json {
  const recipes = survey.byRecipe();
  const totals = survey.totals();
  return {
    place: shown,
    ...(folder && { folder: { ...folder, problems: [...folder.problems] } }),
    ...(mirror && { mirror: { ...mirror } }),
    unihashes: totals.unihashes,
    present: totals.present,
    missing: totals.missing,
    recent: totals.recent,
    unknown: totals.unknown,
    ...(folder && {
      orphans: totals.orphans,
      orphan_bytes: totals.orphanBytes,
      recent_orphans: totals.recentOrphans,
    }),
    recipes: recipes.slice(0, limit).map((tally) => {
      const { orphans, orphan_bytes, ...entry } = entryOf(tally);
      return folder ? { ...entry, orphans, orphan_bytes } : entry;
    }),
    more: Math.max(0, recipes.length - limit),
    ...(proposals && { fix: proposals.map(({ why, commands }) => ({ why, commands: [...commands] })) }),
  };
}

/** The same for people: figures, then the recipes that have something to tell. */
export function textOf(
  { survey, shown, folder, mirror }: SharedStateFindings,
  limit: number,
  proposals: readonly Proposal[] | null,
  bold: (text: string) => string,
): string[] {
  const { unihashes, present, missing, recent, unknown, orphans, orphanBytes, recentOrphans } = survey.totals();
  const lines = [
    folder
      ? `${shown}: ${folder.objects} objects in ${folder.folders} folders`
      : `${shown}: ${mirror!.requests} requests, ${mirror!.remembered} answers of earlier runs`,
    `Unihashes: ${unihashes}, with an object ${present}, without ${missing}` +
      (recent > 0 ? `, reported too lately to tell ${recent}` : '') +
      (unknown > 0 ? `, not known ${unknown}` : ''),
  ];
  if (folder)
    lines.push(
      `Objects that no unihash names: ${orphans} (${sizeText(orphanBytes)})` +
        (recentOrphans > 0 ? `, too new to tell ${recentOrphans}` : ''),
    );
  const telling = survey.byRecipe().filter((tally) => tally.missing > 0 || tally.orphans > 0);
  if (telling.length > 0) {
    const columns = folder ? [...COLUMNS, ...OBJECT_COLUMNS] : COLUMNS;
    const [heading, ...rows] = tableLines(columns, telling.slice(0, limit).map(entryOf));
    lines.push('', bold(heading!), ...rows);
  }
  if (telling.length > limit) lines.push(`and ${telling.length - limit} more: --limit ${telling.length} shows all`);
  for (const { why, commands } of proposals ?? []) lines.push('', why, ...commands.map((command) => `    ${command}`));
  return lines;
}

/** What limits what was found. */
export function warningsOf({ folder, mirror, notRemembered }: SharedStateFindings): string[] {
  const warnings: string[] = [];
  if (folder && folder.unreadable > 0) {
    warnings.push(`${folder.unreadable} folders could not be read; what is in them counts as missing:`);
    for (const problem of folder.problems) warnings.push(`  ${problem}`);
  }
  if (folder && folder.links > 0)
    warnings.push(`${folder.links} links lead to folders, or to nothing: they were not followed`);
  if (mirror?.stopped) warnings.push(`the mirror is no longer asked: it ${mirror.stopped}`);
  else if (mirror && mirror.unanswered > 0)
    warnings.push(`${mirror.unanswered} unihashes were not looked up: run it again, or raise --max-requests`);
  if (mirror && mirror.nameless > 0)
    warnings.push(`${mirror.nameless} unihashes cannot be looked up: too little is known of them to name an object`);
  if (notRemembered !== null) warnings.push(`what was found is not remembered for the next time: ${notRemembered}`);
  return warnings;
}
