import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Binding } from '../../lib/storage/sqlite/engine/binding.ts';
import { createDiskRoom, mostBytes } from '../../lib/storage/sqlite/engine/disk-room.ts';
import { temporaryFolder } from '../wire/helpers.ts';

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

/** A connection whose log another checkpoint keeps from being emptied for so many tries. @returns also what the tries were */
function heldLog(tries: number, refusal: Error | null = null): { connection: Binding; asked: () => number } {
  let asked = 0;
  const all = async (sql: string) => {
    if (sql.includes('TRUNCATE')) {
      asked++;
      if (refusal) throw refusal;
      return [{ busy: Number(asked <= tries) }];
    }
    return [sql.includes('NOOP') ? { log: 0 } : { bytes: 0, empty: 0 }];
  };
  return { connection: { all } as unknown as Binding, asked: () => asked };
}

for (const { what, tries, refusal, asked } of [
  { what: 'is emptied at once', tries: 0, refusal: null, asked: 1 },
  {
    what: 'another checkpoint keeps from being emptied for a moment is tried again',
    tries: 3,
    refusal: null,
    asked: 4,
  },
  { what: 'does not fit into the file is not tried again', tries: 3, refusal: new Error('full'), asked: 1 },
])
  test(`where there is no room, a log that ${what}`, async (t) => {
    const room = createDiskRoom(path.join(temporaryFolder(t), 'x.db'));
    const log = heldLog(tries, refusal);
    await assert.rejects(room.need(log.connection, Number.MAX_SAFE_INTEGER, 1)!, { code: 'storage-full' });
    assert.equal(log.asked(), asked);
  });

test('where there is no room, a log that is held for long does not hold up the write for ever', {
  timeout: 10_000,
}, async (t) => {
  const room = createDiskRoom(path.join(temporaryFolder(t), 'x.db'));
  const log = heldLog(Number.POSITIVE_INFINITY);
  await assert.rejects(room.need(log.connection, Number.MAX_SAFE_INTEGER, 1)!, { code: 'storage-full' });
  assert.ok(log.asked() > 2, `${log.asked()} tries`);
});

test('what a checkpoint moves into the file while the disk is looked at counts once', async (t) => {
  const file = path.join(temporaryFolder(t), 'x.db');
  const [owed, free] = [1_000_000, 1_500_000];
  fs.writeFileSync(file, '');
  const all = async (sql: string) => {
    if (sql.includes('TRUNCATE')) throw new Error('the disk is full');
    return [sql.includes('NOOP') ? { log: 0 } : { bytes: owed, empty: 0 }];
  };
  // All of the log goes into the file right after the disk was looked at.
  const room = createDiskRoom(file, async () => {
    setImmediate(() => fs.truncateSync(file, owed));
    const before = free - fs.statSync(file).size;
    await new Promise(setImmediate);
    return before;
  });
  await assert.rejects(room.need({ all } as unknown as Binding, 300_000, 1)!, { code: 'storage-full' });
});
