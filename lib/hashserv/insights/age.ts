import type { InsightWork } from '../../insights/insight.ts';
import { momentAgo } from '../clock.ts';
import { FIRST_TASK, type HashInsightRows, type MonthCount } from '../insight-rows.ts';

/** What is asked: months shown, and the age a garbage collection would be given. */
export interface AgeArgs {
  readonly [key: string]: number;
  readonly limit: number;
  readonly max_age_seconds: number;
}

interface Month extends Omit<MonthCount, 'month'> {
  readonly unused: number;
}

const NOTHING: Month = { reports: 0, texts: 0, textBytes: 0, bytes: 0, unused: 0 };

/** How old the reports are, what a garbage collection would remove of them, and how large everything is. */
export const age: InsightWork<HashInsightRows, AgeArgs> = async (rows, { limit, max_age_seconds }, run) => {
  const before = momentAgo(max_age_seconds);
  const months = new Map<string | null, Month>();
  const add = (month: string | null, more: Partial<Month>) => {
    const known = months.get(month) ?? NOTHING;
    months.set(month, sum(known, { ...NOTHING, ...more }));
  };
  const { unihashes, outhashes } = rows.estimate;
  // Reports are gone through twice: once as they lie, once by their tasks, which costs about twice as much.
  const all = Math.max(1, unihashes + 3 * outhashes);
  let done = 0;
  const step = (count: number) => {
    done += count;
    return run.step(Math.min(1, done / all));
  };

  for (let after: number | null = 0; after !== null; ) {
    const slice = await rows.months(after);
    let count = 0;
    for (const { month, ...found } of slice.months) {
      add(month, found);
      count += found.reports;
    }
    after = slice.next;
    await step(count);
  }
  const mark = await rows.currentMark();
  const stored = { rows: 0, bytes: 0, marked: 0 };
  for (let after: number | null = 0; after !== null; ) {
    const slice = await rows.unihashes(after, mark ?? '');
    stored.rows += slice.rows;
    stored.bytes += slice.bytes;
    stored.marked += slice.marked;
    after = slice.next;
    await step(slice.rows);
  }
  const removable = { reports: 0, bytes: 0 };
  for (let after: typeof FIRST_TASK | null = FIRST_TASK; after !== null; ) {
    const slice = await rows.unused(after, before);
    for (const { month, reports, older, olderBytes } of slice.months) {
      add(month, { unused: reports });
      removable.reports += older;
      removable.bytes += olderBytes;
    }
    after = slice.next;
    await step(2 * slice.looked);
  }

  const total = [...months.values()].reduce(sum, NOTHING);
  const newest = [...months].sort(([a], [b]) => ((a ?? '') < (b ?? '') ? 1 : -1));
  const rest = newest.slice(limit).map(([, month]) => month);
  return {
    months: newest.slice(0, limit).map(([month, found]) => ({ month, ...shown(found) })),
    earlier: rest.length === 0 ? null : { months: rest.length, ...shown(rest.reduce(sum, NOTHING)) },
    tables: [
      { table: 'unihashes_v3', rows: stored.rows, bytes: stored.bytes, siginfo_rows: 0, siginfo_bytes: 0 },
      {
        table: 'outhashes_v2',
        rows: total.reports,
        bytes: total.bytes + total.textBytes,
        siginfo_rows: total.texts,
        siginfo_bytes: total.textBytes,
      },
    ],
    database_bytes: await rows.databaseBytes(),
    gc: {
      max_age_seconds,
      unused: total.unused,
      would_remove: removable.reports,
      would_remove_bytes: removable.bytes,
      mark,
      ...(mark !== null && { marked: stored.marked, unmarked: stored.rows - stored.marked }),
    },
  };
};

function shown({ reports, texts, textBytes, bytes, unused }: Month) {
  return { reports, unused, bytes: bytes + textBytes, siginfo_rows: texts, siginfo_bytes: textBytes };
}

function sum(a: Month, b: Month): Month {
  return {
    reports: a.reports + b.reports,
    texts: a.texts + b.texts,
    textBytes: a.textBytes + b.textBytes,
    bytes: a.bytes + b.bytes,
    unused: a.unused + b.unused,
  };
}
