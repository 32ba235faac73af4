import type { Report } from './store.ts';

/** An outhash row that may lend its task's unihash to others with the same output. */
export interface Lender {
  /** Texts that compare as times. */
  readonly created: string;
  /** Of two rows of one time the one with the smaller id is the older. */
  readonly id: number;
}

export type KnownLender = Lender & { readonly unihash: string };

/** What is stored about the tasks and outputs of a batch of reports. */
export interface ReportState {
  /** Whether the report's own outhash row is stored. */
  hasRow(method: string, taskhash: string, outhash: string): boolean;
  /** The unihash of a task, or null. */
  unihash(method: string, taskhash: string): string | null;
  /** The oldest outhash row with this output whose task has a unihash, and that unihash. */
  lender(method: string, outhash: string): KnownLender | null;
  /** The outhash rows with an output of the batch of a task of the batch that has no unihash. */
  rowsWithout(method: string, taskhash: string): readonly (Lender & { readonly outhash: string })[];
}

export interface DecidedReports {
  /** The unihash that each report is answered with. */
  readonly unihashes: readonly string[];
  /** Those by which a task gets its first unihash. */
  readonly first: readonly { readonly method: string; readonly taskhash: string; readonly unihash: string }[];
}

/**
 * The rule of docs/protocol.md (Reports), applied in order: a task without a unihash gets that of the oldest other task with
 * the same output that has one, otherwise the upstream's, otherwise the one proposed; a task's unihash stays.
 * SQLite's trigger (storage/sqlite/hash/schema.ts) does the same in one statement; a test holds both against each other.
 */
export function decideReports(reports: readonly Report[], stored: ReportState): DecidedReports {
  const given = new Map<string, string>();
  const lenders = new Map<string, KnownLender | null>();
  const added = new Set<string>();
  const first: { method: string; taskhash: string; unihash: string }[] = [];

  const lenderOf = (method: string, outhash: string) => {
    const key = `${method}\0${outhash}`;
    const known = lenders.get(key);
    if (known !== undefined) return known;
    const found = stored.lender(method, outhash);
    lenders.set(key, found);
    return found;
  };
  const lend = (method: string, outhash: string, lender: KnownLender) => {
    const before = lenderOf(method, outhash);
    if (before === null || isOlder(lender, before)) lenders.set(`${method}\0${outhash}`, lender);
  };

  const unihashes = reports.map((report, i) => {
    const { method, taskhash, outhash, created } = report;
    const task = `${method}\0${taskhash}`;
    let unihash = given.get(task) ?? stored.unihash(method, taskhash);
    if (unihash === null) {
      unihash = lenderOf(method, outhash)?.unihash ?? report.upstreamUnihash ?? report.unihash;
      first.push({ method, taskhash, unihash });
      // Rows that stayed when the task lost its unihash lend it again.
      for (const row of stored.rowsWithout(method, taskhash)) lend(method, row.outhash, { ...row, unihash });
    }
    given.set(task, unihash);
    const row = `${task}\0${outhash}`;
    if (added.has(row) || stored.hasRow(method, taskhash, outhash)) return unihash;
    added.add(row);
    // Rows of this batch get their ids in its order, above all that are stored.
    lend(method, outhash, { created, id: Number.MAX_SAFE_INTEGER - reports.length + i, unihash });
    return unihash;
  });
  return { unihashes, first };
}

function isOlder(a: Lender, b: Lender): boolean {
  return a.created === b.created ? a.id < b.id : a.created < b.created;
}
