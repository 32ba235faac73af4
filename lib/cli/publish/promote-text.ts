import { listed, name, type PrSide, prLines, type Row } from './text.ts';

/** What a promotion has come to, as its job tells it. */
export interface PromoteResult {
  readonly dry_run: boolean;
  readonly on_conflict: string;
  readonly prs: PrSide | null;
  readonly hashes: PromotedHashes | null;
  readonly list: PromotionList | null;
  /** What stands for the list where it is confirmed. */
  readonly confirm: string;
  readonly changed?: true;
}

interface Counts {
  readonly new: number;
  readonly equal: number;
  readonly differing: number;
}

interface PromotedHashes {
  readonly tasks: Counts & { readonly equivalent: number };
  readonly reports: { readonly new: number; readonly equal: number };
  readonly without_unihash: number;
}

interface PromotionList {
  readonly new_values: readonly Row[];
  readonly equal_values: readonly Row[];
  readonly tasks: readonly (Counts & {
    readonly recipe: string | null;
    readonly task: string | null;
    readonly equivalent: boolean;
  })[];
  readonly differing_tasks: readonly {
    readonly taskhash: string;
    readonly recipe: string | null;
    readonly task: string | null;
    readonly unihash: string;
    readonly ours: string | null;
  }[];
  /** How many names there was no room for, by list. */
  readonly cut: Readonly<Record<string, number>>;
  /** What has all of them. */
  readonly file?: string;
}

/** The result in words. */
export function describePromotion({ dry_run: dryRun, prs, hashes, list }: PromoteResult): string[] {
  return [
    ...(prs ? prLines(prs, dryRun, list ? valueLines(prs, list) : []) : []),
    ...(hashes ? taskLines(hashes, list) : []),
    ...(list ? [cutText(list) ?? []].flat() : []),
    ...(list?.file === undefined ? [] : [`the whole list is in ${list.file}`]),
  ];
}

/** Where the lists of a result are cut; null: nowhere. */
export function cutText({ cut, file }: PromotionList): string | null {
  const lists = Object.entries(cut).map(([name, left]) => `${left} more of ${name}`);
  if (lists.length === 0) return null;
  const where = file === undefined ? '; --dry-run --list FILE has all of it' : '';
  return `the list of the result is cut, there are ${lists.join(', ')}${where}`;
}

function valueLines(prs: PrSide, { new_values: fresh, equal_values: equal }: PromotionList): string[] {
  const lines = (rows: readonly Row[]) => rows.map((row) => `${name(row)} ${row.value}`);
  return [...listed('new:', lines(fresh), prs.new), ...listed('here already:', lines(equal), prs.equal)];
}

function taskLines({ tasks, reports, without_unihash: left }: PromotedHashes, list: PromotionList | null): string[] {
  const own: string[] = [];
  const equivalent: string[] = [];
  for (const group of list?.tasks ?? [])
    (group.equivalent ? equivalent : own).push(`  ${wordsOf(group)}: ${countsOf(group)}`);
  const differing = (list?.differing_tasks ?? []).map(
    (each) => `  ${wordsOf(each)} ${each.taskhash}: ${each.ours ?? 'none'}, there ${each.unihash}`,
  );
  return [
    `tasks: ${countsOf(tasks, true)}${tasks.equivalent > 0 ? `; ${tasks.equivalent} of them equivalent` : ''}`,
    ...listed('of these packages:', own, own.length),
    ...listed('which have the unihash of one of these:', equivalent, equivalent.length),
    ...listed('with another unihash here, which stays:', differing, tasks.differing),
    `reports: ${reports.new} new, ${reports.equal} here already`,
    ...(left > 0 ? [`${left} tasks have no unihash in the source, and stay out`] : []),
  ];
}

const wordsOf = ({ recipe, task }: { readonly recipe: string | null; readonly task: string | null }) =>
  recipe === null && task === null ? 'never reported' : `${recipe ?? '?'} ${task ?? '?'}`;

function countsOf({ new: fresh, equal, differing }: Counts, all = false): string {
  const parts = [
    ...(fresh > 0 || all ? [`${fresh} new`] : []),
    ...(equal > 0 || all ? [`${equal} here already`] : []),
    ...(differing > 0 ? [`${differing} with another unihash here`] : []),
  ];
  return parts.join(', ');
}
