import { decideReports, type KnownLender, type Lender } from '../../../hashserv/decide-report.ts';
import type { Equivalence, OuthashRow, Report } from '../../../hashserv/store.ts';
import { GENERATION } from '../engine/coherence.ts';
import type { Session, Statement } from '../engine/pool.ts';
import type { WriteKind } from '../engine/writer.ts';
import { CREATED_TEXT, CREATED_VALUE, NEW_MARK } from './schema.ts';

/** A unihash as it is stored at the commit, and the generation of removals that this is of. */
export interface Stored {
  readonly unihash: string;
  readonly generation: number;
}

/** Scalar subqueries: each is a look-up by an index, whatever is known about the sizes of the tables. */
const TASKS: Statement = {
  name: 'bakeserv-report-tasks',
  text: `SELECT ${GENERATION} AS generation,
    (SELECT u.unihash FROM unihashes_v3 u WHERE u.method = q.m AND u.taskhash = q.t) AS unihash,
    EXISTS (SELECT 1 FROM outhashes_v2 o WHERE o.method = q.m AND o.taskhash = q.t) AS "hasRows",
    EXISTS (SELECT 1 FROM outhashes_v2 o WHERE o.method = q.m AND o.taskhash = q.t AND o.outhash = q.o) AS "isStored"
    FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY q(m, t, o, i) ORDER BY q.i`,
};

const LENDERS: Statement = {
  name: 'bakeserv-report-lenders',
  text: `SELECT q.m AS method, q.o AS outhash, l.created, l.id, l.unihash
    FROM unnest($1::text[], $2::text[]) q(m, o) CROSS JOIN LATERAL (
      SELECT ${CREATED_TEXT('o.created')} AS created, o.id, u.unihash FROM outhashes_v2 o
      JOIN unihashes_v3 u ON u.method = o.method AND u.taskhash = o.taskhash
      WHERE o.method = q.m AND o.outhash = q.o ORDER BY o.created, o.id LIMIT 1) l`,
};

const ROWS_WITHOUT: Statement = {
  name: 'bakeserv-report-rows',
  text: `SELECT o.method, o.taskhash, o.outhash, ${CREATED_TEXT('o.created')} AS created, o.id
    FROM unnest($1::text[], $2::text[]) q(m, t) JOIN outhashes_v2 o ON o.method = q.m AND o.taskhash = q.t`,
};

const KEPT = [
  'method',
  'taskhash',
  'outhash',
  'created',
  'owner',
  'PN',
  'PV',
  'PR',
  'task',
  'outhash_siginfo',
] as const;
const quoted = KEPT.map((column) => `"${column}"`).join(', ');
/** Arrays of columns from parameter `$first` on, as rows in their order. */
const keptRows = (first: number) => {
  const arrays = KEPT.map((_, i) => `$${first + i}::text[]`).join(', ');
  const columns = KEPT.map((_, i) => (KEPT[i] === 'created' ? CREATED_VALUE(`q.c${i}`) : `q.c${i}`)).join(', ');
  const names = KEPT.map((_, i) => `c${i}`).join(', ');
  return `INSERT INTO outhashes_v2 (${quoted}) SELECT ${columns}
    FROM unnest(${arrays}) WITH ORDINALITY q(${names}, i) ORDER BY q.i
    ON CONFLICT (method, taskhash, outhash) DO NOTHING`;
};

const INSERT_UNIHASHES = `INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark)
    SELECT q.m, q.t, q.u, ${NEW_MARK} FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY q(m, t, u, i)
    ORDER BY q.i ON CONFLICT (method, taskhash) DO NOTHING`;

const STORE_REPORTS: Statement = {
  name: 'bakeserv-report-store',
  text: `WITH first AS (${INSERT_UNIHASHES}) ${keptRows(4)}`,
};
const KEEP_OUTHASHES: Statement = { name: 'bakeserv-keep', text: keptRows(1) };
const EQUIVALENT: Statement = { name: 'bakeserv-equivalent', text: INSERT_UNIHASHES };

const UNIHASHES: Statement = {
  name: 'bakeserv-stored',
  text: `SELECT ${GENERATION} AS generation,
    (SELECT u.unihash FROM unihashes_v3 u WHERE u.method = q.m AND u.taskhash = q.t) AS unihash
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY q(m, t, i) ORDER BY q.i`,
};

interface TaskState {
  readonly generation: string;
  readonly unihash: string | null;
  readonly hasRows: boolean;
  readonly isStored: boolean;
}

/** Arrays of the columns of rows. */
function columnsOf<Row, Column extends keyof Row>(rows: readonly Row[], columns: readonly Column[]): unknown[][] {
  return columns.map((column) => rows.map((row) => row[column] ?? null));
}

const taskKey = (of: { method: string; taskhash: string }) => `${of.method}\0${of.taskhash}`;
const outputKey = (of: { method: string; outhash: string }) => `${of.method}\0${of.outhash}`;

/** One of each key. */
function distinct<Row>(rows: readonly Row[], key: (row: Row) => string): Row[] {
  return [...new Map(rows.map((row) => [key(row), row])).values()];
}

/** Reads what is stored, decides by `decideReports`, and stores what is new. */
export const REPORT_KIND: WriteKind<Report, Stored> = {
  async apply(session, reports) {
    const states = await session.all<TaskState>(TASKS, columnsOf(reports, ['method', 'taskhash', 'outhash']));
    const stateOf = new Map(reports.map((report, i) => [taskKey(report), states[i]!]));
    const isStored = new Set(
      reports.filter((_, i) => states[i]!.isStored).map((report) => `${taskKey(report)}\0${report.outhash}`),
    );
    const without = reports.filter((_, i) => states[i]!.unihash === null);
    const lenders = await lendersOf(session, without);
    const rows = await rowsOf(
      session,
      without.filter((report) => stateOf.get(taskKey(report))!.hasRows),
    );
    const { unihashes, first } = decideReports(reports, {
      hasRow: (method, taskhash, outhash) => isStored.has(`${taskKey({ method, taskhash })}\0${outhash}`),
      unihash: (method, taskhash) => stateOf.get(taskKey({ method, taskhash }))!.unihash,
      lender: (method, outhash) => lenders.get(outputKey({ method, outhash })) ?? null,
      rowsWithout: (method, taskhash) => rows.get(taskKey({ method, taskhash })) ?? [],
    });
    const news = reports.filter((_, i) => !states[i]!.isStored);
    if (first.length + news.length > 0)
      await session.run(STORE_REPORTS, [
        ...columnsOf(first, ['method', 'taskhash', 'unihash']),
        ...columnsOf(news, KEPT),
      ]);
    const generation = Number(states[0]?.generation ?? 0);
    return unihashes.map((unihash) => ({ unihash, generation }));
  },
};

/** The lender of each output of a batch, by output. */
async function lendersOf(session: Session, reports: readonly Report[]): Promise<Map<string, KnownLender>> {
  if (reports.length === 0) return new Map();
  const outputs = columnsOf(distinct(reports, outputKey), ['method', 'outhash']);
  const found = await session.all<KnownLender & { method: string; outhash: string }>(LENDERS, outputs);
  return new Map(found.map((row) => [outputKey(row), row]));
}

/** The outhash rows of tasks, by task. */
async function rowsOf(
  session: Session,
  reports: readonly Report[],
): Promise<Map<string, (Lender & { outhash: string })[]>> {
  const rows = new Map<string, (Lender & { outhash: string })[]>();
  if (reports.length === 0) return rows;
  const tasks = columnsOf(distinct(reports, taskKey), ['method', 'taskhash']);
  type Row = Lender & { method: string; taskhash: string; outhash: string };
  for (const row of await session.all<Row>(ROWS_WITHOUT, tasks)) {
    const known = rows.get(taskKey(row));
    if (known) known.push(row);
    else rows.set(taskKey(row), [row]);
  }
  return rows;
}

export const EQUIVALENT_KIND: WriteKind<Equivalence, Stored | null> = {
  async apply(session, equivalences) {
    await session.run(EQUIVALENT, columnsOf(equivalences, ['method', 'taskhash', 'unihash']));
    // What INSERT returns says nothing of rows that were there.
    const tasks = columnsOf(equivalences, ['method', 'taskhash']);
    const rows = await session.all<{ generation: string; unihash: string | null }>(UNIHASHES, tasks);
    return rows.map(({ generation, unihash }) =>
      unihash === null ? null : { unihash, generation: Number(generation) },
    );
  },
};

const NOTHING: readonly undefined[] = [];

export const KEEP_KIND: WriteKind<OuthashRow, undefined> = {
  async apply(session, rows) {
    await session.run(KEEP_OUTHASHES, columnsOf(rows, KEPT as readonly string[]));
    return NOTHING;
  },
};
