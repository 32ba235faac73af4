import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { age } from '../../lib/hashserv/insights/age.ts';
import { diff } from '../../lib/hashserv/insights/diff.ts';
import { equivalences } from '../../lib/hashserv/insights/equivalences.ts';
import { unstable } from '../../lib/hashserv/insights/unstable.ts';
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

const RECIPES = [null, 'zlib', 'busybox', '<script>\u202e\n'] as const;
const STEPS = [null, 'do_compile', 'do_package'] as const;

const histories: fc.Arbitrary<History> = fc
  .array(
    fc.record({
      method: fc.constantFrom(METHOD, OTHER_METHOD),
      task: fc.integer({ min: 0, max: 9 }),
      output: fc.integer({ min: 0, max: 9 }),
      month: fc.constantFrom(...MONTHS),
      siginfo: fc.constantFrom(null, '', 'short', 'ä'.repeat(40_000)),
    }),
    { maxLength: 25 },
  )
  .chain((given) =>
    fc.record({
      // Each at a time of its own, so that what is oldest does not depend on an engine.
      reports: fc.constant(
        given.map(({ method, task, output, month, siginfo }, i) =>
          reportOf(`t${task}`, `o${output}`, hash(task), {
            method,
            created: `${month}-15T00:00:00.${String(i).padStart(6, '0')}+00:00`,
            PN: RECIPES[task % RECIPES.length]!,
            task: STEPS[task % STEPS.length]!,
            outhash_siginfo: siginfo,
            owner: [null, 'anna', 'bert', 'carl'][i % 4]!,
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

/** An output in the answer of a comparison. */
interface Told {
  readonly outhash: string;
  readonly siginfo_bytes: number;
}

/** Entries by what `keyOf` says of them, in the order in which they first come. */
function grouped<Entry>(entries: readonly Entry[], keyOf: (entry: Entry) => Json): readonly (readonly Entry[])[] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const key = JSON.stringify(keyOf(entry));
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  return [...groups.values()];
}

const oldestFirst = (a: Report, b: Report) => (a.created < b.created ? -1 : 1);
const last = (rows: readonly Report[]) =>
  rows
    .map(({ created }) => created)
    .sort()
    .at(-1)!;
const textOrder = (a: string | null, b: string | null) => (a === b ? 0 : (a ?? '') < (b ?? '') || a === null ? -1 : 1);

type Filter = Parameters<typeof unstable>[1];
const filters: fc.Arbitrary<Filter> = fc.record({
  limit: fc.integer({ min: 1, max: 6 }),
  PN: fc.constantFrom(null, null, 'zlib'),
  task: fc.constantFrom(null, null, 'do_package'),
  since: fc.constantFrom(null, null, '2025-11', '2026-01-15 00:00Z'),
});

/** Whether a filter takes a task of these reports. */
const takes = ({ PN, task, since }: Filter, rows: readonly Report[]) =>
  (PN === null || rows[0]!.PN === PN) &&
  (task === null || rows[0]!.task === task) &&
  (since === null || last(rows) >= since.replace(' ', 'T').replace('Z', ''));

/** The unihash of each task, by the rule of docs/protocol.md: that of the oldest other task with the same output. */
function unihashesOf({ reports, removed }: History): Map<string, string> {
  const unihashes = new Map<string, string>();
  const known: Report[] = [];
  for (const report of reports) {
    const key = `${report.method} ${report.taskhash}`;
    if (!unihashes.has(key)) {
      const equal = known
        .filter(
          ({ method, outhash, taskhash }) =>
            method === report.method && outhash === report.outhash && taskhash !== report.taskhash,
        )
        .sort(oldestFirst)[0];
      unihashes.set(key, equal ? unihashes.get(`${equal.method} ${equal.taskhash}`)! : report.unihash);
    }
    known.push(report);
  }
  for (const taskhash of removed)
    for (const method of [METHOD, OTHER_METHOD]) unihashes.delete(`${method} ${taskhash}`);
  return unihashes;
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

    test('which tasks did not build the same output each time', async (t) => {
      const store = await openNew(t);
      await fc.assert(
        fc.asyncProperty(histories, filters, async (history, filter) => {
          await play(store, history);
          const { rows } = rowsOf(history);
          const tasks = grouped(rows, ({ method, taskhash }) => [method, taskhash])
            .filter((of) => of.length > 1 && takes(filter, of))
            .sort((a, b) => textOrder(last(b), last(a)));
          const found = await workOut(store, unstable, filter);
          assert.deepEqual(
            found.tasks,
            tasks.slice(0, filter.limit).map((of) => {
              const owners = [...new Set(of.map(({ owner }) => owner).filter((owner) => owner !== null))].sort();
              const shown = owners.length > 2 ? [owners[0]!, owners.at(-1)!] : owners;
              return {
                PN: of[0]!.PN,
                task: of[0]!.task,
                method: of[0]!.method,
                taskhash: of[0]!.taskhash,
                outputs: of.length,
                siginfo: of.filter((row) => row.outhash_siginfo !== null).length,
                first: [...of].sort(oldestFirst)[0]!.created,
                last: last(of),
                owners: shown,
                more_owners: owners.length - shown.length,
              };
            }),
          );
          const recipes = grouped(tasks, ([row]) => [row!.PN, row!.task]).map((of) => ({
            PN: of[0]![0]!.PN,
            task: of[0]![0]!.task,
            tasks: of.length,
            outputs: of.flat().length,
            last: last(of.flat()),
          }));
          recipes.sort((a, b) => b.tasks - a.tasks || textOrder(a.PN, b.PN) || textOrder(a.task, b.task));
          assert.deepEqual(found.recipes, recipes.slice(0, filter.limit));
          assert.deepEqual(found.total, {
            tasks: tasks.length,
            outputs: tasks.flat().length,
            without_siginfo: tasks.filter((of) => of.filter((row) => row.outhash_siginfo !== null).length < 2).length,
          });
        }),
        { numRuns: 40 },
      );
    });

    test('which tasks were found equal to others, and which never were', async (t) => {
      const store = await openNew(t);
      await fc.assert(
        fc.asyncProperty(histories, filters, async (history, filter) => {
          await play(store, history);
          const { rows } = rowsOf(history);
          const unihashes = unihashesOf(history);
          // Of each task the report that was stored first, and the tasks in the order of these.
          const tasks = grouped(rows, ({ method, taskhash }) => [method, taskhash]).map(([first]) => first!);
          const named = tasks.filter(({ method, taskhash }) => unihashes.has(`${method} ${taskhash}`));
          const unihashOf = ({ method, taskhash }: Report) => unihashes.get(`${method} ${taskhash}`)!;
          const equal = grouped(named, unihashOf).flatMap(([, ...others]) => others);
          const { PN, task } = filter;
          const asked = equal.filter((row) => takes(filter, [row]));
          const answer = await workOut(store, equivalences, filter);
          assert.deepEqual(answer.total, {
            found: asked.length,
            unihashes: new Set(asked.map(unihashOf)).size,
            not_rebuilt_estimate: asked.length,
          });
          const days = grouped(asked, ({ created }) => created.slice(0, 10));
          assert.deepEqual(
            answer.days,
            days
              .map((of) => ({ day: of[0]!.created.slice(0, 10), found: of.length }))
              .sort((a, b) => textOrder(b.day, a.day))
              .slice(0, filter.limit),
          );
          const ofRecipe = (all: readonly Report[], row: Report) =>
            all.filter((each) => each.PN === row.PN && each.task === row.task);
          const recipes = grouped(rows, (row) => [row.PN, row.task])
            .map(([row]) => row!)
            .filter((row) => takes({ limit: 1, PN, task, since: null }, [row]));
          const sums = recipes.map((row) => {
            const found = ofRecipe(asked, row);
            const sum = { PN: row.PN, task: row.task, reports: ofRecipe(rows, row).length, found: found.length };
            return { ...sum, last: found.length > 0 ? last(found) : null };
          });
          const byName = (a: (typeof sums)[0], b: (typeof sums)[0]) =>
            textOrder(a.PN, b.PN) || textOrder(a.task, b.task);
          assert.deepEqual(
            answer.recipes,
            sums
              .filter(({ found }) => found > 0)
              .sort((a, b) => b.found - a.found || byName(a, b))
              .slice(0, filter.limit),
          );
          assert.deepEqual(
            answer.never,
            sums
              .filter(({ found, reports }) => found === 0 && reports >= 2)
              .sort((a, b) => b.reports - a.reports || byName(a, b))
              .slice(0, filter.limit)
              .map((sum) => ({ PN: sum.PN, task: sum.task, reports: sum.reports })),
          );
          for (const { unihash, tasks: count } of answer.unihashes as { unihash: string; tasks: number }[])
            assert.equal(count, 1 + asked.filter((row) => unihashOf(row) === unihash).length);
        }),
        { numRuns: 40 },
      );
    });

    test('all unihashes page by page, each with the report of its task that was stored first', async (t) => {
      const store = await openNew(t);
      await fc.assert(
        fc.asyncProperty(histories, fc.integer({ min: 1, max: 5 }), async (history, limit) => {
          await play(store, history);
          const unihashes = unihashesOf(history);
          const tasks = grouped(rowsOf(history).rows, ({ method, taskhash }) => [method, taskhash]).map(
            ([first]) => first!,
          );
          const expected = tasks
            .map((row) => ({ ...row, unihash: unihashes.get(`${row.method} ${row.taskhash}`) }))
            .filter(({ unihash }) => unihash !== undefined)
            .map(({ unihash, created, PN, PV, PR, task }) => [unihash, created, PN, PV, PR, task]);
          const read: Json[] = [];
          for (let after: number | null = 0; after !== null; ) {
            const page: Awaited<ReturnType<HashStore['exportTasks']>> = await store.exportTasks(after, limit);
            const rows = JSON.parse(page.rows) as Json[];
            assert.ok(rows.length <= limit);
            read.push(...rows);
            after = page.next;
          }
          assert.deepEqual(read, expected);
          // Of a task that came without one, as import-rows stores it.
          await store.importRows('unihashes', [[METHOD, 'alone', hash(77)]]);
          const { rows } = await store.exportTasks(0, 1000);
          assert.deepEqual((JSON.parse(rows) as Json[]).at(-1), [hash(77), null, null, null, null, null]);
        }),
        { numRuns: 40 },
      );
    });

    test('how two outputs of a task differ, by default the newest two that have a text', async (t) => {
      const store = await openNew(t);
      const text = (build: number) =>
        fs.readFileSync(new URL(`../siginfo/hello-package-${build}.siginfo`, import.meta.url), 'utf8');
      const output = (outhash: string, siginfo: string | null, more: Partial<Report> = {}) =>
        reportOf('t', outhash, hash(1), { outhash_siginfo: siginfo, PN: 'hello', ...more });
      const args = { taskhash: 't', method: null, outhash: null, other: null, limit: 5 };
      const told = (more: Partial<typeof args> | { [name: string]: string }) =>
        workOut(store, diff, { ...args, ...more });
      await assert.rejects(told({}), /no output of a task t is known/);
      await store.report([output('o0', text(2))]);
      await assert.rejects(told({}), /one output of the task is known/);
      await store.report([output('o1', text(1)), output('o2', text(2)), output('o3', null)]);
      await store.report([reportOf('t', 'elsewhere', hash(1), { method: OTHER_METHOD, outhash_siginfo: text(1) })]);
      for (const more of [{}, { method: METHOD }, { outhash: 'o1', other: 'o2' }]) {
        const found = await told(more);
        assert.deepEqual(
          [(found.here as unknown as Told).outhash, (found.there as unknown as Told).outhash],
          ['o1', 'o2'],
        );
        assert.equal((found.here as unknown as Told).siginfo_bytes, text(1).length);
        assert.deepEqual(found.counts, { mode: 1, content: 10, size: 7, 'only-there': 1 });
        assert.equal((found.entries as Json[]).length, 5);
        assert.deepEqual([found.form, found.same, found.cut, found.method], ['files', false, false, METHOD]);
        assert.deepEqual(
          (found.outputs as unknown as Told[]).map(({ outhash }) => outhash),
          ['o3', 'o2', 'o1', 'o0'],
        );
      }
      assert.equal((await told({ outhash: 'o2', other: 'o0' })).same, true);
      await assert.rejects(told({ outhash: 'o2', other: 'o3' }), /o3 was reported without a signature text/);
      await assert.rejects(told({ outhash: 'o2', other: 'none' }), /the task has no output none/);
      await assert.rejects(told({ outhash: 'o2' }), /name two outputs/);
      await assert.rejects(told({ outhash: 'o2', other: 'o2' }), /name two outputs/);
      await assert.rejects(told({ method: OTHER_METHOD }), /one output of the task is known/);
      await store.report([output('x1', null, { taskhash: 'u' }), output('x2', '', { taskhash: 'u' })]);
      await assert.rejects(told({ taskhash: 'u' }), /2 outputs, 1 with a signature text: .*REPORT_TASKDATA/);
    });

    test('how texts of the longest size differ, in slices', async (t) => {
      const store = await openNew(t);
      const line = (n: number) => `-rw- ${String(n).padStart(20)} ${'ab'.repeat(32)} ./file-${n}\n`;
      const long = Array.from({ length: 150_000 }, (_, n) => line(n)).join('');
      await store.report([reportOf('t', 'o1', hash(1), { outhash_siginfo: long })]);
      await store.report([reportOf('t', 'o2', hash(1), { outhash_siginfo: `${long}${line(150_000)}` })]);
      let steps = 0;
      const rows = await store.openInsightRows(NOTHING_ASKED.signal);
      const run: InsightRun = { ...NOTHING_ASKED, step: async () => void steps++ };
      const args = { taskhash: 't', method: METHOD, outhash: null, other: null, limit: 5 };
      const found = await diff(rows, args, run);
      await rows.close();
      assert.deepEqual(found.counts, { 'only-there': 1 });
      assert.ok(steps > 300, `${steps} slices`);
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
