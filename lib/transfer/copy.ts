import { InvokeError } from '../errors.ts';
import { checkPart } from './check.ts';
import type { CopyOptions } from './copy-options.ts';
import { createDigest } from './digest.ts';
import type { Slice, Source, Target } from './ends.ts';
import { ALL_PARTS, nameOfRow, PARTS, type Part, type Row } from './parts.ts';
import { noteRows, type PartReport } from './report.ts';
import { slicesOf } from './slices.ts';
import { type Kept, take } from './take.ts';

/** How many rows are named when one that cannot be stored ends a copy. */
const NAMED_ROWS = 5;

/** The parts that the source has, of what is wanted. */
export function partsToCopy(source: Source, wanted: { hashes: boolean; prs: boolean; users: boolean }): Part[] {
  return ALL_PARTS.filter((part) => {
    if (!source.parts.has(part)) return false;
    if (part === 'users') return wanted.users;
    return PARTS[part].service === 'hashserv' ? wanted.hashes : wanted.prs;
  });
}

/**
 * Copies rows from one end to the other, part by part, and compares both at the end. What is there already is compared and
 * not written: so a copy that ended early goes on when it is started again.
 * @throws InvokeError for a row that the target cannot hold, and when the ends are not equal at the end; Interrupted
 */
export async function copy(options: CopyOptions): Promise<readonly PartReport[]> {
  const reports: PartReport[] = [];
  for (const part of options.parts) reports.push(await copyPart(part, options));
  if (options.dryRun) return reports;
  for (const report of reports) await checkPart(report, options);
  return reports;
}

async function copyPart(part: Part, options: CopyOptions): Promise<PartReport> {
  const { source, target, dryRun, onRows } = options;
  const counts = { rows: 0, added: 0, equal: 0, differing: 0, leftOut: 0 };
  const report: PartReport = { part, ...counts, named: [], sha256: '', checkedBy: null };
  const digest = createDigest(part);
  const fresh = target.parts.has(part) && (await target.count(part)) === 0;
  for await (const slice of slicesOf(source, part, options)) {
    const { storable, unstorable } = sortOut(part, slice, target);
    requireNone(unstorable, options);
    const taken = await take(part, storable, { source, target, dryRun, fresh });
    requireNone(taken.refused, options);
    const rows = slice.rows.length + slice.odd.length;
    report.rows += rows;
    report.added += taken.added;
    report.equal += taken.equal;
    report.differing += taken.differing.length;
    report.leftOut += unstorable.length + taken.refused.length;
    noteRows(report, [...unstorable, ...taken.refused, ...taken.differing]);
    digest.add(slice.rows);
    await onRows('copy', rows);
  }
  report.sha256 = digest.end();
  return report;
}

/** The rows of a slice that the target can hold, and the others with what is wrong. */
function sortOut(part: Part, { rows, odd }: Slice, target: Target) {
  const storable: Row[] = [];
  const unstorable: Kept[] = odd.map(({ row, why }) => ({ row, why: `${nameOfRow(part, row)}: ${why}` }));
  for (const row of rows) {
    const why = target.faultOf(part, row);
    if (why === null) storable.push(row);
    else unstorable.push({ row, why: `${nameOfRow(part, row)}: ${why}` });
  }
  return { storable, unstorable };
}

/** @throws InvokeError that names the rows, unless those are left out */
function requireNone(refused: readonly Kept[], { skipUnstorable, source, target }: CopyOptions): void {
  if (refused.length === 0 || skipUnstorable) return;
  const named = refused.slice(0, NAMED_ROWS).map(({ why }) => `  ${why}`);
  if (refused.length > named.length) named.push(`  and ${refused.length - named.length} more near them`);
  const advice = 'what was copied before them is there; --skip-unstorable goes on and leaves such rows out';
  throw new InvokeError([`${target.name} cannot hold these rows of ${source.name}:`, ...named, advice].join('\n'));
}
