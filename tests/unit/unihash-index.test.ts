import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HASH_WORDS } from '../../lib/storage/memory/hex.ts';
import { UnihashTable } from '../../lib/storage/memory/unihash-table.ts';

const MIB = 1024 * 1024;

/** The words of a hash: `n` and zeros. */
function words(n: number): Int32Array {
  const made = new Int32Array(HASH_WORDS);
  made[0] = n;
  return made;
}

/** What a table says of a unihash. */
function said(table: UnihashTable, unihash: number): 'there' | 'absent' | 'unclear' {
  if (table.hasUnihash(words(unihash))) return 'there';
  return table.lacksUnihash(words(unihash)) ? 'absent' : 'unclear';
}

const UNIHASHES = [0, 1, 2, 3, 4];

describe('what a table says of unihashes', () => {
  test('is what a look at each of its rows says, whatever was added, changed, removed and cleared', () => {
    const step = fc.record({
      what: fc.oneof({ weight: 30, arbitrary: fc.constantFrom('set', 'delete') }, fc.constant('clear')),
      task: fc.nat(9),
      unihash: fc.constantFrom(...UNIHASHES),
    });
    const property = fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new UnihashTable(8 * MIB);
      const model = new Map<number, number>();
      for (const { what, task, unihash } of steps) {
        if (what === 'set') {
          table.set('m', words(task), words(unihash));
          model.set(task, unihash);
        } else if (what === 'delete') {
          table.delete('m', words(task));
          model.delete(task);
        } else {
          table.clear();
          model.clear();
        }
        const there = new Set(model.values());
        for (const each of UNIHASHES) {
          const answer = said(table, each);
          // One whose row that stood for it has gone is unclear until another comes, or all have gone.
          assert.ok(there.has(each) ? answer !== 'absent' : answer === 'absent', `${each} is ${answer}`);
        }
      }
    });
    fc.assert(property, { numRuns: 300 });
  });

  test('is unclear where more rows have one than are counted, and the one that stood for them has gone', () => {
    const table = new UnihashTable(16 * MIB);
    const rows = 0xffff + 10;
    for (let task = 0; task < rows; task++) table.set('m', words(task), words(-1));
    assert.equal(said(table, -1), 'there');
    table.delete('m', words(0));
    for (let task = 1; task < rows; task++) {
      assert.equal(said(table, -1), 'unclear');
      table.delete('m', words(task));
    }
    assert.notEqual(said(table, -1), 'there');
    table.clear();
    assert.equal(said(table, -1), 'absent');
  });

  test('is absent of none where very many had their row taken out before others with the same', () => {
    const table = new UnihashTable(16 * MIB);
    const many = 10_001;
    for (let n = 0; n < many; n++) {
      table.set('m', words(2 * n), words(n));
      table.set('m', words(2 * n + 1), words(n));
    }
    for (let n = 0; n < many; n++) table.delete('m', words(2 * n));
    for (const n of [0, 5000, many - 1, many]) assert.equal(said(table, n), 'unclear');
  });

  test('is absent of none where rows were given up for want of room', () => {
    const table = new UnihashTable(2 * MIB);
    for (let n = 0; table.evicted === 0; n++) table.set('m', words(n), words(n));
    assert.equal(said(table, 0), 'unclear');
  });
});
