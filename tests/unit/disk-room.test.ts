import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mostBytes } from '../../lib/storage/sqlite/engine/disk-room.ts';

const bytes = fc.integer({ min: 0, max: 1_000_000 });

/** What a write takes of the disk: the log and the file grow by what they have no unused place for. */
const growth = (written: number, reused: number, empty: number) =>
  Math.max(0, written - reused) + Math.max(0, written - empty);

test('as much may be written as the log and the file can grow by, and no more', () => {
  fc.assert(
    fc.property(bytes, bytes, bytes, (free, reused, empty) => {
      const most = mostBytes(free, reused, empty);
      assert.ok(growth(most, reused, empty) <= free, `${most} bytes do not fit`);
      assert.ok(growth(most + 1, reused, empty) > free, `more than ${most} bytes fit`);
    }),
  );
});

test('nothing may be written while what is in the log does not fit into the file, however much of the log is unused', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000, max: -1 }), bytes, bytes, (free, reused, empty) => {
      assert.ok(mostBytes(free, reused, empty) < 0);
    }),
  );
});
