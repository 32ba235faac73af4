import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { RowValues } from '../../lib/hashserv/store.ts';
import { FIRST_ROWS, nextRows } from '../../lib/pull/pace.ts';
import { RowPool } from '../../lib/pull/row-pool.ts';
import type { PullSlice, PullSource } from '../../lib/pull/source.ts';

/** A source of slices, and which of them were asked for. */
function sourceOf(slices: readonly (readonly RowValues[])[]) {
  const asked: number[] = [];
  const source = {
    name: 'the source',
    async slice(_part: string, after: string | null) {
      const at = Number(after ?? 0);
      asked.push(at);
      return { rows: slices[at] ?? [], odd: [], next: at + 1 < slices.length ? String(at + 1) : null };
    },
  } as unknown as PullSource;
  return { source, asked };
}

const taskhash = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 }),
  fc.string({ maxLength: 3 }),
);
const slices = fc.array(
  fc.array(
    taskhash.map((hash): RowValues => ['m', hash, 'u']),
    { maxLength: 8 },
  ),
  { minLength: 1, maxLength: 20 },
);

/** A pool that marks each slice with where it begins. */
const poolOf = (source: PullSource, poolRows?: number) =>
  new RowPool<string | null>({
    source,
    table: 'unihashes',
    after: null,
    onSlice: (after) => after,
    ...(poolRows && { poolRows }),
  });
const turns = async () => {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('a pool of rows', () => {
  test('gives each row once, those of a taskhash in their order, and says when all of a slice has been given', async () => {
    const few = slices.map((given) => given.map((rows) => rows.map((row): RowValues => [...row])));
    await fc.assert(
      fc.asyncProperty(
        few,
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 9 }),
        async (given, size, most) => {
          const pool = poolOf(sourceOf(given).source, size);
          const got: RowValues[] = [];
          const passed: (string | null)[] = [];
          for (let taken = await pool.take(most); taken; taken = await pool.take(most)) {
            assert.ok(taken.rows.length <= most);
            got.push(...taken.rows);
            passed.push(...taken.passed.map(({ mark }) => mark));
            for (const rows of given.slice(0, passed.length)) for (const row of rows) assert.ok(got.includes(row));
          }
          pool.requireWhole();
          assert.equal(got.length, given.flat().length);
          const ofTask = (rows: readonly RowValues[], hash: string | null) => rows.filter((row) => row[1] === hash);
          for (const [, hash] of got)
            assert.ok(ofTask(given.flat(), hash!).every((row, i) => ofTask(got, hash!)[i] === row));
          assert.deepEqual(
            passed,
            given.map((_, i) => (i === 0 ? null : String(i))),
          );
        },
      ),
    );
  });

  test('holds no more of a source that gives slices without rows, and says how far it has come', async () => {
    const { source, asked } = sourceOf(Array.from({ length: 20_000 }, () => []));
    const pool = poolOf(source);
    let told = 0;
    for (let taken = await pool.take(10); taken; taken = await pool.take(10)) {
      assert.deepEqual(taken.rows, []);
      assert.ok(asked.length - told <= 5000, `${asked.length} were asked for, ${told} told of`);
      told += taken.passed.length;
    }
    assert.equal(told, 20_000);
  });

  test('goes round through the taskhashes, so that neighbours meet on pages, also those that came while others were stored', async () => {
    const rows = Array.from({ length: 40 }, (_, n) =>
      Array.from(
        { length: 100 },
        (_, m): RowValues => ['m', ((n * 997 + m * 41) % 4096).toString(16).padStart(3, '0'), 'u'],
      ),
    );
    const pool = poolOf(sourceOf(rows).source, 1000);
    const starts: string[] = [];
    for (let taken = await pool.take(50); taken; taken = await pool.take(50)) {
      starts.push(...taken.rows.map((row) => row[1]!));
      await turns();
    }
    assert.equal(starts.length, 4000);
    const rounds = starts.filter((start, i) => i > 0 && start < starts[i - 1]!).length;
    assert.ok(rounds < 4000 / 1000, `${rounds + 1} rounds`);
  });

  test('is filled while rows are taken, and no further', async () => {
    const rows: RowValues[] = Array.from({ length: 4 }, (_, n) => ['m', String(n), 'u']);
    const { source, asked } = sourceOf(Array.from({ length: 50 }, () => rows));
    const pool = poolOf(source, 16);
    for (let taken = 1; taken <= 10; taken++) {
      assert.equal((await pool.take(4))?.rows.length, 4);
      await turns();
      assert.equal(asked.length, taken + 4);
    }
    pool.close();
  });

  test('holds only so much text, and gives only so much at once, however few rows that is', async () => {
    const long = 'x'.repeat(3 * 1024 * 1024);
    const { source, asked } = sourceOf(Array.from({ length: 50 }, (_, n): RowValues[] => [['m', String(n), long]]));
    const pool = poolOf(source);
    assert.equal((await pool.take(1000))?.rows.length, 2);
    await turns();
    assert.ok(asked.length <= 10, `${asked.length} slices were read`);
    pool.close();
  });

  test('gives what it has read, and then the error of the source', async () => {
    const source = {
      async slice(_part: string, after: string | null): Promise<PullSlice> {
        if (after !== null) throw new Error('it went away');
        return { rows: [['m', 'a', 'u']], odd: [], next: '1' };
      },
    } as unknown as PullSource;
    const pool = poolOf(source);
    assert.deepEqual(await pool.take(10), { rows: [['m', 'a', 'u']], passed: [{ mark: null, odd: 0, left: 0 }] });
    assert.equal(await pool.take(10), null);
    assert.throws(() => pool.requireWhole(), /it went away/);
  });

  test('reads nothing more once it is closed', async () => {
    const rows: RowValues[] = [['m', '0', 'u']];
    const { source, asked } = sourceOf(Array.from({ length: 50 }, () => rows));
    const pool = poolOf(source, 8);
    await pool.take(1);
    pool.close();
    const before = asked.length;
    await turns();
    assert.ok(asked.length <= before + 1);
  });
});

test('fewer rows are stored at once where that took long, more where it did not, within bounds', () => {
  assert.ok(nextRows(FIRST_ROWS, 200) < FIRST_ROWS);
  assert.ok(nextRows(FIRST_ROWS, 5) > FIRST_ROWS);
  fc.assert(
    fc.property(fc.integer({ min: 500, max: 4000 }), fc.double({ min: 0, noNaN: true }), (rows, tookMs) => {
      const next = nextRows(rows, tookMs);
      assert.ok(next >= 500 && next <= 4000 && Number.isInteger(next));
      assert.ok(next <= rows * 1.5 + 1 && (next >= rows / 2 - 1 || next === 500));
    }),
  );
});
