import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { RowValues } from '../../lib/hashserv/store.ts';
import { FIRST_ROWS, nextRows } from '../../lib/pull/pace.ts';
import type { PullSource } from '../../lib/pull/source.ts';
import { type Window, windowsFrom } from '../../lib/pull/windows.ts';

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

describe('windows of rows', () => {
  test('have each row of the source once, and each slice in its order with its place', async () => {
    await fc.assert(
      fc.asyncProperty(slices, fc.integer({ min: 1, max: 30 }), async (given, windowRows) => {
        const windows: Window[] = [];
        for await (const window of windowsFrom(sourceOf(given).source, 'unihashes', null, windowRows))
          windows.push(window);
        const read = windows.flatMap((window) => window.slices);
        assert.deepEqual(
          read.map(({ slice }) => slice.rows),
          given,
        );
        assert.deepEqual(
          read.map(({ at }) => at),
          given.map((_, i) => (i === 0 ? null : String(i))),
        );
        for (const { slices: own, rows } of windows) {
          const all = own.flatMap(({ slice }) => slice.rows);
          assert.equal(rows.length, all.length);
          assert.deepEqual(new Set(rows), new Set(all));
        }
      }),
    );
  });

  test('have rows with neighbouring taskhashes together, so that they meet on pages', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(0xffff), { maxLength: 60 }), async (numbers) => {
        const rows = numbers.map((n): RowValues => ['m', n.toString(16).padStart(4, '0'), 'u']);
        for await (const window of windowsFrom(sourceOf([rows]).source, 'unihashes', null)) {
          const starts = window.rows.map((row) => row[1]!.slice(0, 2));
          assert.deepEqual(starts, [...starts].sort());
        }
      }),
    );
  });

  test('are read one ahead of what is stored, and no further', async () => {
    const rows: RowValues[] = Array.from({ length: 4 }, (_, n) => ['m', String(n), 'u']);
    const { source, asked } = sourceOf(Array.from({ length: 50 }, () => rows));
    const windows = windowsFrom(source, 'unihashes', null, 8);
    for (let taken = 1; taken <= 10; taken++) {
      await windows.next();
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(asked.length, (taken + 1) * 2);
    }
    await windows.return(undefined);
  });

  test('end with the error of the source, where it is read', async () => {
    const source = { slice: async () => Promise.reject(new Error('it went away')) } as unknown as PullSource;
    await assert.rejects(windowsFrom(source, 'unihashes', null).next(), /it went away/);
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
