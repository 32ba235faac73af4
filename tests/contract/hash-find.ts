import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type FoundTask, searchOf } from '../../lib/hashserv/find-tasks.ts';
import type { HashStore, RowValues } from '../../lib/hashserv/store.ts';
import { type HashDatabases, hash, type Running, within } from './helpers.ts';

const METHODS = ['m', 'm2'];
const NAMES = ['busybox', 'busy', 'linux-yocto', 'yocto', 'b*y', 'Busybox', '<script>', "a'b%_\\", '\u202enix', null];

interface Model {
  readonly unihashes: readonly (readonly [method: string, taskhash: string, unihash: string])[];
  readonly outhashes: readonly RowValues[];
}

const created = (n: number) => `2026-11-${String((n % 27) + 1).padStart(2, '0')}T12:00:00.000000+00:00`;

/** Few of each hash, so that they meet; the same number may be a taskhash, an outhash and a unihash. */
const MODEL: fc.Arbitrary<Model> = fc.record({
  unihashes: fc.uniqueArray(fc.tuple(fc.constantFrom(...METHODS), fc.nat(5).map(hash), fc.nat({ max: 8 }).map(hash)), {
    maxLength: 8,
    selector: ([method, taskhash]) => `${method} ${taskhash}`,
  }),
  outhashes: fc
    .uniqueArray(
      fc.tuple(fc.constantFrom(...METHODS), fc.nat(5), fc.nat({ max: 8 }), fc.constantFrom(...NAMES), fc.boolean()),
      { maxLength: 12, selector: ([method, task, out]) => `${method} ${task} ${out}` },
    )
    .map((rows) =>
      rows.map(
        ([method, task, out, name, siginfo], i): RowValues => [
          method,
          hash(task),
          hash(out),
          created(i),
          'anna',
          name,
          '1.0',
          'r0',
          'do_compile',
          siginfo ? 'text' : null,
        ],
      ),
    ),
});

async function fill(store: HashStore, { unihashes, outhashes }: Model): Promise<void> {
  if (unihashes.length > 0) await store.importRows('unihashes', unihashes);
  for (const row of outhashes) await store.importRows('outhashes', [row]);
}

/** Every task with all its reports, as a person would join the two tables. */
function joined({ unihashes, outhashes }: Model): FoundTask[] {
  const unihashOf = (method: string, taskhash: string) =>
    unihashes.find(([m, t]) => m === method && t === taskhash)?.[2] ?? null;
  const reports = outhashes.map((row): FoundTask => {
    const [method, taskhash, outhash, when, owner, PN, PV, PR, task, siginfo] = row as string[];
    const fields = { owner: owner!, PN: PN!, PV: PV!, PR: PR!, task: task!, created: when! };
    const [m, t] = [method!, taskhash!];
    return {
      method: m,
      taskhash: t,
      unihash: unihashOf(m, t),
      outhash: outhash!,
      ...fields,
      siginfo: siginfo !== null,
    };
  });
  const alone = unihashes.filter(([m, t]) => !reports.some(({ method, taskhash }) => method === m && taskhash === t));
  const nothing = { outhash: null, owner: null, PN: null, PV: null, PR: null, task: null, created: null };
  return [
    ...reports,
    ...alone.map(([method, taskhash, unihash]) => ({ method, taskhash, unihash, ...nothing, siginfo: false })),
  ];
}

const texts = (rows: readonly FoundTask[]) => rows.map((row) => JSON.stringify(row, Object.keys(row).sort())).sort();
const never = () => false;

/** What every engine promises of what a person looks up. */
export function hashFindContract(name: string, { openNew }: HashDatabases): void {
  describe(`${name} finds what is known`, () => {
    test('of any hash: what it is, all reports of it, and the tasks that are equivalent', async () => {
      const lookUp = async (t: Running, model: Model) => {
        const store = await openNew(t);
        await fill(store, model);
        const all = joined(model);
        for (let n = 0; n <= 9; n++) {
          const text = hash(n);
          const found = await store.findTasks(searchOf(text)!, 100, never);
          const of = (['taskhash', 'outhash', 'unihash'] as const).filter((column) =>
            all.some((row) => row[column] === text),
          );
          const rows = all.filter((row) => [row.taskhash, row.outhash, row.unihash].includes(text));
          const known = new Set(rows.flatMap(({ unihash }) => (unihash === null ? [] : [unihash])));
          const isShown = (row: FoundTask) =>
            rows.some(({ method, taskhash }) => method === row.method && taskhash === row.taskhash);
          const equivalent = all.filter((row) => row.unihash !== null && known.has(row.unihash) && !isShown(row));
          assert.deepEqual(found.is, of);
          assert.deepEqual(texts(found.rows), texts(rows));
          assert.deepEqual(texts(found.equivalent), texts(equivalent));
          assert.deepEqual([found.cut, found.complete], [false, true]);
          const few = await store.findTasks(searchOf(text)!, 1, never);
          assert.equal(few.rows.length, Math.min(1, rows.length));
          assert.equal(few.cut || rows.length <= 1, true, 'it says that there are more');
        }
      };
      for (const model of fc.sample(MODEL, { numRuns: 12, seed: 16 })) await within((t) => lookUp(t, model));
    });

    test('of a recipe: by its whole name, its begin, its end or a part, case as it is, the newest first', async (t) => {
      const store = await openNew(t);
      const [model] = fc.sample(MODEL, { numRuns: 1, seed: 3 });
      const outhashes = Array.from(
        { length: 40 },
        (_, n): RowValues => [
          METHODS[n % 2]!,
          hash(n),
          hash(n + 50),
          created(n),
          'anna',
          NAMES[n % NAMES.length]!,
          '1.0',
          'r0',
          'do_compile',
          null,
        ],
      );
      const all = { unihashes: model!.unihashes, outhashes };
      await fill(store, all);
      const wanted = (matches: (name: string) => boolean) =>
        joined(all)
          .filter(({ PN }) => PN !== null && matches(PN))
          .reverse();
      const cases: readonly (readonly [string, (name: string) => boolean])[] = [
        ...NAMES.filter((each) => each !== null && !each.includes('*')).map(
          (each) => [each!, (name: string) => name === each] as const,
        ),
        ['busy*', (name) => name.startsWith('busy')],
        ['*yocto', (name) => name.endsWith('yocto')],
        ['*us*', (name) => name.includes('us')],
        ['*%*', (name) => name.includes('%')],
        ['*[bB]usy*', () => false],
      ];
      for (const [text, matches] of cases) {
        const found = await store.findTasks(searchOf(text)!, 100, never);
        assert.deepEqual(found.rows, wanted(matches), text);
        assert.deepEqual(found.is, found.rows.length > 0 ? ['recipe'] : []);
        assert.deepEqual([found.cut, found.complete, found.equivalent], [false, true, []]);
      }
      const few = await store.findTasks(searchOf('busybox')!, 2, never);
      assert.deepEqual(few.rows, wanted((each) => each === 'busybox').slice(0, 2));
      assert.equal(few.cut, true);
      const late = await store.findTasks(searchOf('nobody')!, 2, () => true);
      assert.deepEqual([late.rows, late.complete], [[], false], 'it says that its time was over');
    });
  });
}
