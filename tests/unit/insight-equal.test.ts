import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { FoundEqual, UnihashPosition } from '../../lib/hashserv/insight-rows.ts';
import { readEqual } from '../../lib/hashserv/insights/equal-tasks.ts';
import { SharedUnihashes } from '../../lib/hashserv/insights/shared-unihashes.ts';

interface Stored extends FoundEqual {
  readonly id: number;
}

/** Rows with one of a few unihashes each, in the order of unihashes, and of one in that of ids. */
const tables = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 9 })), { maxLength: 40 })
  .map((rows) =>
    rows
      .map(
        ([unihash, day], i): Stored => ({
          id: i + 1,
          unihash: `u${unihash}`,
          PN: `p${i}`,
          task: null,
          created: day === 0 ? null : `2026-01-0${day}`,
        }),
      )
      .sort((a, b) => (a.unihash === b.unihash ? a.id - b.id : a.unihash < b.unihash ? -1 : 1)),
  );

/** Reads a table as an engine does, in slices of so many rows. */
function reader(table: readonly Stored[], sliceRows: number) {
  const isEqual = ({ unihash }: Stored, i: number) => table[i - 1]?.unihash === unihash;
  return {
    async equal(after: UnihashPosition) {
      const from = table.findIndex(({ id }) => id === after.id) + 1;
      const slice = table.slice(from, from + sliceRows);
      const ids = slice.filter((row, i) => isEqual(row, from + i)).map(({ id }) => id);
      return { ids, looked: slice.length, next: slice.length < sliceRows ? null : slice.at(-1)! };
    },
    async equalTasks(ids: readonly number[]) {
      assert.deepEqual(
        ids,
        [...ids].sort((a, b) => a - b),
        'ids that lie close together are read much faster',
      );
      return ids.map((wanted) => table.find(({ id }) => id === wanted)!);
    },
  };
}

describe('tasks that were found equal', () => {
  test('are read once each, and their unihashes are whole, whatever is held at once', async () => {
    const numbers = fc.integer({ min: 1, max: 7 });
    await fc.assert(
      fc.asyncProperty(tables, numbers, numbers, numbers, async (table, sliceRows, maxHeld, limit) => {
        const shared = new SharedUnihashes(limit);
        const read: FoundEqual[] = [];
        let looked = 0;
        const step = async (count: number) => {
          looked += count;
        };
        for await (const { tasks, complete } of readEqual(reader(table, sliceRows), step, maxHeld)) {
          for (const each of tasks) {
            read.push(each);
            shared.add(each);
          }
          if (complete) shared.close(complete.but);
        }
        const groups = [...new Set(table.map(({ unihash }) => unihash))]
          .map((unihash) => table.filter((row) => row.unihash === unihash))
          .filter((rows) => rows.length > 1);
        const found = groups.flatMap(([, ...others]) => others);
        const names = (rows: readonly FoundEqual[]) => rows.map(({ PN }) => PN).sort();
        assert.deepEqual(names(read), names(found));
        assert.equal(shared.count, groups.length);
        const newest = groups
          .map(([first, ...others]) => ({
            unihash: first!.unihash,
            tasks: 1 + others.length,
            last: others
              .map(({ created }) => created ?? '')
              .sort()
              .at(-1)!,
          }))
          .sort((a, b) => (a.last === b.last ? (a.unihash < b.unihash ? -1 : 1) : a.last > b.last ? -1 : 1));
        assert.deepEqual(
          shared.newest.map(({ unihash, tasks, last }) => ({ unihash, tasks, last: last ?? '' })),
          newest.slice(0, limit),
        );
        assert.ok(looked <= 2 * table.length + 1e-6);
      }),
    );
  });
});
