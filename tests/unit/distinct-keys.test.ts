import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { distinctKeys } from '../../lib/hashserv/store-rules.ts';
import type { Where } from '../../lib/hashserv/where.ts';

test('a where that comes again is looked up once, and each is answered its own count', () => {
  const where = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.option(fc.constantFrom('t1', 't2')));
  fc.assert(
    fc.property(fc.array(where, { maxLength: 60 }), (asked) => {
      const wheres = asked.map(
        ([unihash, taskhash]): Where => [
          ['unihash', unihash],
          ...(taskhash === null ? [] : [['taskhash', taskhash] as const]),
        ],
      );
      const { keys, countsOf } = distinctKeys(wheres);
      assert.equal(keys.length, new Set(asked.map(String)).size);
      // The count of a key tells which it is; those that match nothing have no row.
      const size = ([unihash, , taskhash]: readonly (string | null)[]) =>
        'abc'.indexOf(unihash!) * 10 + Number(taskhash?.[1] ?? 0);
      const rows = keys.map((key, i) => ({ i, n: size(key) })).filter(({ n }) => n > 0);
      assert.deepEqual(
        countsOf(rows),
        asked.map(([unihash, taskhash]) => size([unihash, null, taskhash])),
      );
    }),
  );
});
