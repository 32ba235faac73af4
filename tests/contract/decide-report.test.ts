import assert from 'node:assert/strict';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { decideReports, type KnownLender, type ReportState } from '../../lib/hashserv/decide-report.ts';
import type { Report } from '../../lib/hashserv/store.ts';
import { SILENT } from '../../lib/log.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createHashStore } from '../../lib/storage/sqlite/hash/store.ts';
import { doAll, hash, METHOD, remove, reportOf, temporaryFolder } from './helpers.ts';

const folder = temporaryFolder({ after });

interface Row {
  readonly method: string;
  readonly taskhash: string;
  readonly outhash: string;
  readonly created: string;
  readonly id: number;
}

/** Two tables in memory, as plainly as can be. */
class Tables implements ReportState {
  readonly unihashes = new Map<string, string>();
  readonly rows: Row[] = [];

  hasRow(method: string, taskhash: string, outhash: string): boolean {
    return this.rows.some((row) => row.method === method && row.taskhash === taskhash && row.outhash === outhash);
  }

  unihash(method: string, taskhash: string): string | null {
    return this.unihashes.get(`${method} ${taskhash}`) ?? null;
  }

  lender(method: string, outhash: string): KnownLender | null {
    const lending = this.rows
      .filter((row) => row.method === method && row.outhash === outhash && this.unihash(method, row.taskhash) !== null)
      .sort((a, b) => (a.created < b.created ? -1 : a.created > b.created ? 1 : a.id - b.id))[0];
    return lending ? { ...lending, unihash: this.unihash(method, lending.taskhash)! } : null;
  }

  rowsWithout(method: string, taskhash: string): readonly Row[] {
    return this.rows.filter((row) => row.method === method && row.taskhash === taskhash);
  }

  report(reports: readonly Report[]): readonly string[] {
    const { unihashes, first } = decideReports(reports, this);
    for (const { method, taskhash, unihash } of first) this.unihashes.set(`${method} ${taskhash}`, unihash);
    for (const { method, taskhash, outhash, created } of reports)
      if (!this.hasRow(method, taskhash, outhash))
        this.rows.push({ method, taskhash, outhash, created, id: this.rows.length + 1 });
    return unihashes;
  }
}

const few = fc.integer({ min: 0, max: 3 });
const two = fc.integer({ min: 0, max: 1 });
const oneReport = fc.record({
  task: few,
  output: two,
  unihash: fc.integer({ min: 10, max: 30 }),
  upstream: fc.option(fc.integer({ min: 40, max: 50 }), { freq: 4 }),
  /** Clocks of servers differ: a report may be older than what is stored. */
  minute: fc.integer({ min: 10, max: 12 }),
});
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ reports: fc.array(oneReport, { minLength: 1, maxLength: 6 }) }) },
  { weight: 2, arbitrary: fc.record({ removed: few }) },
);

const at = (task: number, output: number, unihash: number, minute: number) => ({
  task,
  output,
  unihash,
  upstream: null,
  minute,
});
/** A row that stayed is of the same time as one that a new task brings: that with the smaller id is the older. */
const SAME_TIME = [
  { reports: [at(1, 1, 10, 10)] },
  { removed: 1 },
  { reports: [at(2, 1, 12, 10), at(1, 0, 13, 11), at(3, 1, 14, 11)] },
];

describe('the rule of a report', () => {
  test('as a function and as SQLite’s trigger is the same, over random batches, removals and clocks', async () => {
    let made = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
        const file = path.join(folder, `rule-${made++}.db`);
        const options = { readOnly: false, init: false, syncMode: { kind: 'on_shutdown' }, log: SILENT } as const;
        const database = await openDatabase({ file, ...options, onFatal: () => {} });
        const store = await createHashStore({ database, cacheBytes: 0, log: SILENT });
        const tables = new Tables();
        try {
          for (const each of steps) {
            if ('removed' in each) {
              await doAll(store, remove(`t${each.removed}`));
              tables.unihashes.delete(`${METHOD} t${each.removed}`);
              continue;
            }
            const reports = each.reports.map(({ task, output, unihash, upstream, minute }) =>
              reportOf(`t${task}`, `o${output}`, hash(unihash), {
                created: `2026-01-01T00:${minute}:00.000000+00:00`,
                upstreamUnihash: upstream === null ? null : hash(upstream),
              }),
            );
            assert.deepEqual(tables.report(reports), await store.report(reports));
          }
        } finally {
          await database.close(1000);
        }
      }),
      { numRuns: 150, examples: [[SAME_TIME]] },
    );
  });
});
