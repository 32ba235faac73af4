import { isHash, isLongText, isText, isUnihash } from '../../asyncrpc/wire/formats.ts';
import type { RowValues } from '../store.ts';

/** ISO 8601 UTC as BitBake's server and ours store it, including the old form with a blank. */
const CREATED = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(\+00:00)?$/;

const optionalText = (value: string | null) => value === null || isText(value);
const hash = (value: string | null) => value !== null && isHash(value);
const CHECKS: Readonly<Record<string, (value: string | null) => boolean>> = {
  method: hash,
  taskhash: hash,
  outhash: hash,
  unihash: (value) => value !== null && isUnihash(value),
  gc_mark: (value) => value !== null && isText(value),
  created: (value) => value !== null && CREATED.test(value),
  owner: optionalText,
  PN: optionalText,
  PV: optionalText,
  PR: optionalText,
  task: optionalText,
  outhash_siginfo: (value) => value === null || isLongText(value),
};

/** What is wrong with a row of these columns, or null. The rules are those for a report. */
export function rowFault(columns: readonly string[], row: RowValues): string | null {
  if (row.length !== columns.length) return `expected ${columns.length} values`;
  const bad = columns.findIndex((column, i) => !CHECKS[column]!(row[i] ?? null));
  return bad < 0
    ? null
    : `${columns[bad]} ${columns[bad] === 'unihash' ? 'is not 64 lower-case hex digits' : 'is wrong'}`;
}
