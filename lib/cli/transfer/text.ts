import type { Json } from '../../asyncrpc/wire/messages.ts';
import { type PartReport, reportsAsJson } from '../../transfer/report.ts';

/** What was copied from where to where. */
export interface Ends {
  readonly from: string;
  readonly to: string;
  readonly dryRun: boolean;
}

/** The names that parts have for users. */
const NAMES: Readonly<Record<PartReport['part'], string>> = {
  users: 'users',
  unihashes: 'unihashes',
  outhashes: 'outhashes',
  config: 'settings',
  values: 'PR values',
};

const CHECKED = { hash: 'equal by a hash over all rows', rows: 'compared row by row' } as const;

/** The result in words: a line for each part, and the rows that are not as in the source. */
export function describe({ dryRun }: Ends, reports: readonly PartReport[]): string[] {
  return reports.flatMap((report) => {
    const { part, rows, added, equal, differing, leftOut, named, checkedBy } = report;
    const counts = [
      `${added} ${dryRun ? 'new' : 'copied'}`,
      `${equal} there already`,
      ...(differing > 0 ? [`${differing} differ and stay as they are`] : []),
      ...(leftOut > 0 ? [`${leftOut} left out`] : []),
    ];
    const more = differing + leftOut - named.length;
    return [
      `${NAMES[part]}: ${rows} rows: ${counts.join(', ')}${checkedBy === null ? '' : `; ${CHECKED[checkedBy]}`}`,
      ...named.map((name) => `  ${name}`),
      ...(more > 0 ? [`  and ${more} more`] : []),
    ];
  });
}

export function toJson(ends: Ends, reports: readonly PartReport[]): Json {
  return { from: ends.from, to: ends.to, dry_run: ends.dryRun, ...reportsAsJson(reports) };
}
