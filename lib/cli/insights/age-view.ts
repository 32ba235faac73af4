import { sizeText } from './table.ts';
import { type Answer, bytes, count, type Entry, numberOf, text, type View } from './view.ts';

const number = (value: unknown) => Number(value).toLocaleString('en-US');

/** The sums of months that were left out, and what a garbage collection would remove. */
function notes(answer: Answer): string[] {
  const lines: string[] = [];
  const earlier = answer.earlier as Entry | null;
  if (earlier) lines.push(`${number(earlier.months)} further months: ${number(earlier.reports)} reports.`);
  const size = answer.database_bytes;
  if (typeof size === 'number') lines.push(`The database takes ${sizeText(size)} on the disk, with its indexes.`);
  const gc = answer.gc as Entry;
  lines.push(
    `gc --max-age ${gc.max_age_seconds}: would remove ${number(gc.would_remove)} reports (${sizeText(Number(gc.would_remove_bytes))}) whose task has no unihash, of ${number(gc.unused)} such.`,
    gc.mark === null
      ? 'No garbage collection is in progress: what a sweep would remove depends on what is marked first.'
      : `A sweep now would keep ${number(gc.marked)} unihashes and remove ${number(gc.unmarked)}; their reports would come on top.`,
  );
  return lines;
}

export const AGE_VIEW: View = {
  command: 'insight-age',
  options: ['max-age'],
  argument: (args) => numberOf(args, 'max-age', 'max_age_seconds'),
  lists: [
    {
      name: 'months',
      title: 'Reports by month',
      empty: 'Nothing was reported yet.',
      columns: [
        text('month', 'Month'),
        count('reports', 'Reports'),
        count('unused', 'Without unihash'),
        bytes('bytes', 'Size'),
        count('siginfo_rows', 'With siginfo'),
        bytes('siginfo_bytes', 'Of siginfo'),
      ],
    },
    {
      name: 'tables',
      title: 'Tables, without their indexes',
      empty: '',
      columns: [
        text('table', 'Table'),
        count('rows', 'Rows'),
        bytes('bytes', 'Size'),
        count('siginfo_rows', 'With siginfo'),
        bytes('siginfo_bytes', 'Of siginfo'),
      ],
    },
  ],
  notes,
};
