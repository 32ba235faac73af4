import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { age } from '../../lib/hashserv/insights/age.ts';
import type { HashStore, Report } from '../../lib/hashserv/store.ts';
import type { InsightRun, InsightWork } from '../../lib/insights/insight.ts';
import { doAll, type HashDatabases, hash, METHOD, remove, reportOf } from './helpers.ts';

const OTHER_METHOD = 'other';
const NOTHING_ASKED: InsightRun = { signal: new AbortController().signal, step: async () => {} };

/** Works an insight out over slices of a few rows. */
export async function workOut<Args>(
  store: HashStore,
  work: InsightWork<Awaited<ReturnType<HashStore['openInsightRows']>>, Args>,
  args: Args,
  sliceRows = 3,
): Promise<{ readonly [key: string]: Json }> {
  const rows = await store.openInsightRows(NOTHING_ASKED.signal, sliceRows);
  try {
    return await work(rows, args, NOTHING_ASKED);
  } finally {
    await rows.close();
  }
}

/** What has been reported, and whose unihashes were removed. */
interface History {
  readonly reports: readonly Report[];
  readonly removed: readonly string[];
}

const MONTHS = ['2024-12', '2025-01', '2025-11', '2026-01'] as const;

const histories: fc.Arbitrary<History> = fc
  .array(
    fc.record({
      method: fc.constantFrom(METHOD, OTHER_METHOD),
      task: fc.integer({ min: 0, max: 9 }),
      output: fc.integer({ min: 0, max: 9 }),
      month: fc.constantFrom(...MONTHS),
      PN: fc.constantFrom(null, 'zlib', 'busybox', '<script>\u202e'),
      step: fc.constantFrom(null, 'do_compile', 'do_package'),
      siginfo: fc.constantFrom(null, '', 'short', 'ä'.repeat(40_000)),
    }),
    { maxLength: 25 },
  )
  .chain((given) =>
    fc.record({
      // Each at a time of its own, so that what is oldest does not depend on an engine.
      reports: fc.constant(
        given.map(({ method, task, output, month, PN, step, siginfo }, i) =>
          reportOf(`t${task}`, `o${output}`, hash(task), {
            method,
            created: `${month}-15T00:00:00.${String(i).padStart(6, '0')}+00:00`,
            PN,
            task: step,
            outhash_siginfo: siginfo,
            owner: i % 3 === 0 ? 'anna' : null,
          }),
        ),
      ),
      removed: fc.uniqueArray(
        fc.integer({ min: 0, max: 9 }).map((n) => `t${n}`),
        { maxLength: 4 },
      ),
    }),
  );

/** The rows that a database has after a history: the first report of each (method, taskhash, outhash). */
function rowsOf({ reports, removed }: History) {
  const rows = new Map<string, Report>();
  for (const report of reports) {
    const key = JSON.stringify([report.method, report.taskhash, report.outhash]);
    if (!rows.has(key)) rows.set(key, report);
  }
  const gone = new Set(removed);
  return { rows: [...rows.values()], hasUnihash: ({ taskhash }: Report) => !gone.has(taskhash) };
}

const bytesOf = (text: string | null) => Buffer.byteLength(text ?? '');
const TEXTS = ['method', 'taskhash', 'outhash', 'created', 'owner', 'PN', 'PV', 'PR', 'task'] as const;
const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

/** The same as the insight, from the rows themselves. */
function sumsOf(rows: readonly Report[], hasUnihash: (row: Report) => boolean) {
  const texts = rows.filter((row) => row.outhash_siginfo !== null);
  const siginfo = sum(texts.map((row) => bytesOf(row.outhash_siginfo)));
  return {
    reports: rows.length,
    unused: rows.filter((row) => !hasUnihash(row)).length,
    bytes: siginfo + sum(rows.map((row) => sum(TEXTS.map((column) => bytesOf(row[column]))))),
    siginfo_rows: texts.length,
    siginfo_bytes: siginfo,
  };
}

const TWO_YEARS = 2 * 365 * 86_400;

/** What insights say of a database, whatever its engine. */
export function hashInsightsContract(name: string, { openNew }: HashDatabases): void {
  describe(`${name} tells`, () => {
    async function play(store: HashStore, { reports, removed }: History): Promise<void> {
      for (const method of [METHOD, OTHER_METHOD])
        for (const table of ['unihashes', 'outhashes'] as const)
          await doAll(store, { kind: 'remove', table, where: [['method', method]] });
      if (reports.length > 0) await store.report(reports);
      for (const taskhash of removed) await doAll(store, remove(taskhash));
    }

    test('the age and the size of what was reported, and what a garbage collection would remove', async (t) => {
      const store = await openNew(t);
      await fc.assert(
        fc.asyncProperty(histories, fc.integer({ min: 1, max: 5 }), async (history, limit) => {
          await play(store, history);
          const { rows, hasUnihash } = rowsOf(history);
          const months = [...new Set(rows.map(({ created }) => created.slice(0, 7)))].sort().reverse();
          const of = (month: string) => rows.filter(({ created }) => created.startsWith(month));
          const before = new Date(Date.now() - TWO_YEARS * 1000).toISOString();
          const found = await workOut(store, age, { limit, max_age_seconds: TWO_YEARS });
          assert.deepEqual(
            found.months,
            months.slice(0, limit).map((month) => ({ month, ...sumsOf(of(month), hasUnihash) })),
          );
          const rest = months.slice(limit);
          assert.deepEqual(
            found.earlier,
            rest.length === 0 ? null : { months: rest.length, ...sumsOf(rest.flatMap(of), hasUnihash) },
          );
          const all = sumsOf(rows, hasUnihash);
          const old = rows.filter((row) => !hasUnihash(row) && row.created < before);
          const oldSums = sumsOf(old, hasUnihash);
          assert.deepEqual(found.gc, {
            max_age_seconds: TWO_YEARS,
            unused: all.unused,
            would_remove: old.length,
            would_remove_bytes: oldSums.bytes,
            mark: null,
          });
          const [unihashes, outhashes] = found.tables as unknown as { rows: number; bytes: number }[];
          const stored = [...new Set(rows.filter(hasUnihash).map((row) => `${row.method} ${row.taskhash}`))];
          assert.equal(unihashes!.rows, stored.length);
          assert.equal(unihashes!.bytes, sum(stored.map((key) => key.length - 1 + 64)));
          assert.equal(outhashes!.rows, rows.length);
          assert.equal(outhashes!.bytes, all.bytes);
          assert.ok((found.database_bytes as number) > 0);
        }),
        { numRuns: 40 },
      );
    });

    test('how many unihashes a sweep would remove, where a garbage collection is in progress', async (t) => {
      const store = await openNew(t);
      await store.report(Array.from({ length: 7 }, (_, i) => reportOf(`t${i}`, `o${i}`, hash(i))));
      await store.gcMarkKeys('now', [[['unihash', hash(1)]], [['unihash', hash(5)]]]);
      const { gc } = await workOut(store, age, { limit: 1, max_age_seconds: 0 });
      assert.deepEqual(gc, {
        max_age_seconds: 0,
        unused: 0,
        would_remove: 0,
        would_remove_bytes: 0,
        mark: 'now',
        marked: 2,
        unmarked: 5,
      });
    });

    test('nothing more when the one who asked has gone, and its connection is closed', async (t) => {
      const store = await openNew(t);
      await store.report(Array.from({ length: 20 }, (_, i) => reportOf(`t${i}`, `o${i}`, hash(i))));
      const stop = new AbortController();
      let steps = 0;
      const rows = await store.openInsightRows(stop.signal, 3);
      const run: InsightRun = {
        signal: stop.signal,
        async step() {
          if (++steps === 2) stop.abort(new Error('gone'));
          stop.signal.throwIfAborted();
        },
      };
      await assert.rejects(age(rows, { limit: 1, max_age_seconds: 0 }, run), /gone/);
      await rows.close();
      assert.equal(steps, 2);
      await assert.rejects(rows.currentMark());
    });
  });
}
