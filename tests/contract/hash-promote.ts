import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { HashStore, RowValues, Table } from '../../lib/hashserv/store.ts';
import { finderOf, gather } from '../../lib/promote/gather.ts';
import { nothingPromoted, promoteHashes } from '../../lib/promote/hashes.ts';
import { digestOf, PromotionList } from '../../lib/promote/list.ts';
import { Names } from '../../lib/promote/names.ts';
import type { PullSource } from '../../lib/pull/source.ts';
import { openTaskSpool } from '../../lib/storage/sqlite/hash/task-spool.ts';
import { type HashDatabases, hash } from './helpers.ts';

const LIMITS = { rows: 3, bytes: 1 << 24 };

/** A store as a source; @param finds whether it looks rows up */
function sourceOf(store: HashStore, finds: boolean): PullSource {
  return {
    name: 'the source',
    parts: new Set(['unihashes', 'outhashes']),
    isOther: true,
    count: async () => null,
    async slice(part, after) {
      const page = await store.exportRows(part as Table, Number(after ?? 0), 100, LIMITS.bytes);
      return { rows: page.rows, odd: [], next: page.next === null ? null : String(page.next) };
    },
    unihashesOf: (tasks) => Promise.all(tasks.map(([method, taskhash]) => store.unihash(method, taskhash))),
    ...(finds && { find: (search, after, brief) => store.findRows(search, after, { ...LIMITS, brief }) }),
    id: async () => null,
    close: async () => {},
  };
}

/** What a promotion comes to. */
async function promote(source: PullSource, store: HashStore, packages: readonly string[], dryRun = false) {
  const [spool, finder, list, counts] = [
    await openTaskSpool(),
    await finderOf(source),
    new PromotionList(null),
    nothingPromoted(),
  ];
  try {
    for await (const _ of gather(finder, new Names(packages), spool));
    const digest = await digestOf(spool);
    const { signal } = new AbortController();
    for await (const _ of promoteHashes({ store, spool, finder, list, dryRun, onStored() {}, signal }, counts));
    return { counts, list: list.told, digest };
  } finally {
    await spool.close();
  }
}

interface Rows {
  readonly unihashes: readonly RowValues[];
  readonly outhashes: readonly RowValues[];
}

/** All rows of a run of the property, in the order of their texts. */
async function rowsIn(store: HashStore, mark: string): Promise<Rows> {
  const of = async (table: Table) => {
    const found: RowValues[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const page: { rows: readonly RowValues[]; next: number | null } = await store.exportRows(
        table,
        after,
        1000,
        1 << 24,
      );
      found.push(...page.rows.filter((row) => row[1]!.endsWith(mark)));
      after = page.next;
    }
    return sorted(found);
  };
  return { unihashes: await of('unihashes'), outhashes: await of('outhashes') };
}

const sorted = (rows: readonly RowValues[]) =>
  [...rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
const taskOf = ([method, taskhash]: RowValues) => JSON.stringify([method, taskhash]);
const classOf = ([method, , unihash]: RowValues) => JSON.stringify([method, unihash]);

/** By the words of docs/publishing.md: the tasks of the packages, those that share a unihash, and their reports. */
function expected({ unihashes, outhashes }: Rows, packages: readonly string[]): Rows {
  const own = new Set(outhashes.filter((row) => packages.includes(row[5] ?? '')).map(taskOf));
  const classes = new Set(unihashes.filter((row) => own.has(taskOf(row))).map(classOf));
  const tasks = unihashes.filter((row) => classes.has(classOf(row)));
  const known = new Set(tasks.map(taskOf));
  return { unihashes: tasks, outhashes: outhashes.filter((row) => known.has(taskOf(row))) };
}

const method = fc.constantFrom('m', 'other method');
const TASKS = ['a', "b c'", 'd%_*', 'é', 'e', 'f', 'g'];
const unihashRows = fc.array(fc.tuple(method, fc.constantFrom(...TASKS), fc.nat(3)), { maxLength: 12 });
const reportRows = fc.array(
  fc.tuple(method, fc.constantFrom(...TASKS), fc.nat(3), fc.constantFrom('bash', 'ba*', 'zsh', null)),
  { maxLength: 16 },
);
const side = fc.record({ unihashes: unihashRows, outhashes: reportRows });
const packages = fc.uniqueArray(fc.constantFrom('bash', 'ba*', 'zsh'), { minLength: 1, maxLength: 2 });

/** What every engine promises of packages that are promoted, from it and into it. */
export function hashPromoteContract(name: string, { openNew }: HashDatabases): void {
  describe(`${name} promotes packages`, () => {
    test('with all tasks that share their unihashes, and nothing else; no task gets another unihash than it has there, or had here', async (t) => {
      const [source, target] = [await openNew(t), await openNew(t)];
      let runs = 0;
      const store = async (into: HashStore, mark: string, rows: Rows) => {
        await into.importRows('unihashes', rows.unihashes);
        await into.importRows('outhashes', rows.outhashes);
        return rowsIn(into, mark);
      };
      await fc.assert(
        fc.asyncProperty(side, side, packages, fc.boolean(), async (theirs, ours, wanted, finds) => {
          const mark = ` ${runs++}`;
          const named = (PN: string | null) => (PN === null ? null : PN + mark);
          const made = ({ unihashes, outhashes }: typeof theirs): Rows => ({
            unihashes: unihashes.map(([m, task, n]) => [m, task + mark, hash(runs * 10 + n)]),
            outhashes: outhashes.map(([m, task, out, PN]) => [
              ...[m, task + mark, `out ${out}${mark}`, '2026-11-21T12:00:00.000000+00:00', null],
              ...[named(PN), '1.0', 'r0', 'do_compile', 'info'],
            ]),
          });
          const there = await store(source, mark, made(theirs));
          const before = await store(target, mark, made(ours));
          const names = wanted.map((each) => each + mark);
          const shown = await promote(sourceOf(source, finds), target, names, true);
          assert.deepEqual(await rowsIn(target, mark), before, 'a dry run stores nothing');
          const done = await promote(sourceOf(source, finds), target, names);
          assert.deepEqual(done, shown, 'what was shown is done');
          const other = await promote(sourceOf(source, !finds), target, names, true);
          assert.equal(other.digest, done.digest, 'the same is found, in whatever way');

          const after = await rowsIn(target, mark);
          const closure = expected(there, names);
          const had = new Map(before.unihashes.map((row) => [taskOf(row), row]));
          const fresh = closure.unihashes.filter((row) => !had.has(taskOf(row)));
          assert.deepEqual(after.unihashes, sorted([...before.unihashes, ...fresh]));
          const keys = new Set(before.outhashes.map((row) => JSON.stringify(row.slice(0, 3))));
          const reports = closure.outhashes.filter((row) => !keys.has(JSON.stringify(row.slice(0, 3))));
          assert.deepEqual(after.outhashes, sorted([...before.outhashes, ...reports]));
          assert.deepEqual([done.counts.tasks.new, done.counts.reports.new], [fresh.length, reports.length]);
        }),
        { numRuns: 40 },
      );
    });
  });
}
