import { InvokeError } from '../errors.ts';
import type { CopyOptions } from './copy-options.ts';
import { createDigest } from './digest.ts';
import type { Part } from './parts.ts';
import { noteRows, type PartReport } from './report.ts';
import { slicesOf } from './slices.ts';
import { take } from './take.ts';

/** What a check needs of a copy. */
type CheckOptions = Pick<CopyOptions, 'source' | 'target' | 'signal' | 'limits' | 'onRows'>;

/**
 * Compares what was copied. Where the target has nothing else, by the number of rows and a hash over all of them; otherwise
 * row by row. Rows that came to the source meanwhile are copied too.
 * @throws InvokeError when a row is not in the target as it is in the source, and was not before
 */
export async function checkPart(report: PartReport, options: CheckOptions): Promise<void> {
  const { part } = report;
  const alone = report.differing === 0 && report.leftOut === 0;
  if (alone && (await options.target.count(part)) === report.rows) {
    if ((await digestOf(part, options)) === report.sha256) {
      report.checkedBy = 'hash';
      return;
    }
  }
  await checkRows(report, options);
  report.checkedBy = 'rows';
}

async function digestOf(part: Part, options: CheckOptions): Promise<string> {
  const { target, onRows } = options;
  const digest = createDigest(part);
  for await (const { rows } of slicesOf(target, part, options)) {
    digest.add(rows);
    await onRows('check', rows.length);
  }
  return digest.end();
}

async function checkRows(report: PartReport, options: CheckOptions): Promise<void> {
  const { source, target, onRows } = options;
  const { part } = report;
  const found = { rows: 0, added: 0, differing: 0, leftOut: 0 };
  for await (const { rows, odd } of slicesOf(source, part, options)) {
    const storable = rows.filter((row) => target.faultOf(part, row) === null);
    const taken = await take(part, storable, { source, target, dryRun: false, fresh: false });
    found.rows += rows.length + odd.length;
    found.added += taken.added;
    found.differing += taken.differing.length;
    found.leftOut += rows.length + odd.length - storable.length + taken.refused.length;
    if (taken.differing.length > 0 && report.differing === 0) noteRows(report, taken.differing);
    await onRows('check', rows.length);
  }
  const came = Math.max(0, found.rows - report.rows);
  if (found.added > came) throw fault(report, `lacked ${found.added} rows that had been copied`, target.name);
  const changed = found.differing - report.differing;
  if (changed > 0) throw fault(report, `has ${changed} rows otherwise that were equal before`, target.name);
  report.rows = found.rows;
  report.added += found.added;
  report.leftOut = found.leftOut;
}

function fault({ part, named }: PartReport, what: string, target: string): InvokeError {
  const examples = named.map((name) => `\n  ${name}`).join('');
  return new InvokeError(
    `${part}: at the end ${target} ${what}: somebody changes rows at one of both ends; run the same command again${examples}`,
  );
}
