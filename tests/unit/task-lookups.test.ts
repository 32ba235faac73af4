import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { slateOf } from '../../lib/asyncrpc/wire/slate.ts';
import { countTasks } from '../../lib/hashserv/commands/count-tasks.ts';
import { joinMethods, OTHER_METHODS, TaskLookups } from '../../lib/meter/task-lookups.ts';
import { joinMisses, TopMisses } from '../../lib/meter/top-misses.ts';
import { hash } from '../helpers.ts';

/** Counts a hit for each line of a stream, which are scanned one by one, and not from the beginning of what holds them. */
function countHits(lookups: TaskLookups, ...methods: readonly string[]): void {
  const scanner = countTasks({ scan: (_input, _from, to) => ({ end: to, written: 65, lines: 1, misses: 0 }) }, lookups);
  for (const method of methods) {
    const input = slateOf(Buffer.from(`xyz\n${method} ${hash(1)}\n`));
    scanner.scan(input, 4, input.bytes.length, slateOf(Buffer.alloc(65)), 256);
  }
}

describe('look-ups by method', () => {
  test('are counted under the method of the line, as text and as bytes, and past seven under other', () => {
    const lookups = new TaskLookups();
    for (let n = 0; n < 12; n++) {
      lookups.ofLine(`m${n} ${hash(n)}`).hits++;
      countHits(lookups, `m${n}`);
      lookups.of(`m${n}`).upstreamHits++;
    }
    const counts = lookups.counts();
    assert.equal(counts.length, 8);
    for (const { method, hits, misses, upstreamHits } of counts) {
      const times = method === OTHER_METHODS ? 5 : 1;
      assert.deepEqual([hits, misses, upstreamHits], [2 * times, 0, times], method);
    }
  });

  test('a method whose name begins with that of another is another', () => {
    const lookups = new TaskLookups();
    for (const method of ['a', 'ab', 'a', 'abc', 'ab']) lookups.ofLine(`${method} ${hash(1)}`).hits++;
    countHits(lookups, 'ab', 'a', 'ab', 'abcdefgh', 'abcdefg', 'abcdefgh');
    assert.deepEqual(
      lookups.counts().map(({ method, hits }) => [method, hits]),
      [
        ['a', 3],
        ['ab', 4],
        ['abc', 1],
        ['abcdefgh', 2],
        ['abcdefg', 1],
      ],
    );
  });

  test('of several workers are one', () => {
    const count = (method: string, hits: number) => ({ method, hits, misses: 1, upstreamHits: 0 });
    assert.deepEqual(joinMethods([[count('a', 1), count('b', 2)], [count('a', 4)]]), [
      { ...count('a', 5), misses: 2 },
      count('b', 2),
    ]);
  });
});

describe('tasks that are missed most', () => {
  test('are those that come again and again, most often first', () => {
    const missed = new TopMisses(() => 0);
    missed.noteAll([...Array(50).fill('m often'), ...Array(20).fill('m twice'), 'm once']);
    assert.deepEqual(missed.top(2), [
      { task: 'm often', count: 50 },
      { task: 'm twice', count: 20 },
    ]);
  });

  test('are found among any number of others, in a room that does not grow', () => {
    let now = 0;
    // Slowly enough that all are noted, and all in one part of the hour.
    const missed = new TopMisses(() => {
      now += 5;
      return now;
    });
    for (let n = 0; n < 20_000; n++) missed.noteAll([`m ${n}`, 'm again']);
    const [first] = missed.top(1);
    assert.equal(first!.task, 'm again');
    assert.ok(missed.top(10_000).length <= 1000);
  });

  test('are forgotten after an hour', () => {
    let now = 0;
    const missed = new TopMisses(() => now);
    missed.noteAll(['m old']);
    now = 59 * 60_000;
    missed.noteAll(['m new']);
    assert.deepEqual(
      missed.top(10).map(({ task }) => task),
      ['m new', 'm old'],
    );
    now = 61 * 60_000;
    assert.deepEqual(
      missed.top(10).map(({ task }) => task),
      ['m new'],
    );
  });

  test('count about right where only some are noted', () => {
    let seed = 1;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const missed = new TopMisses(() => 0, random);
    for (let n = 0; n < 4000; n++) missed.noteAll(Array.from({ length: 256 }, (_, i) => (i % 4 === 0 ? 'm a' : 'm b')));
    const counts = new Map(missed.top(2).map(({ task, count }) => [task, count]));
    const all = 4000 * 256;
    assert.ok(Math.abs(counts.get('m a')! / (all / 4) - 1) < 0.25, JSON.stringify([...counts]));
    assert.ok(Math.abs(counts.get('m b')! / ((all * 3) / 4) - 1) < 0.25);
  });

  test('of several workers are one', () => {
    const lists = [
      [{ task: 'm a', count: 2 }],
      [
        { task: 'm b', count: 3 },
        { task: 'm a', count: 2 },
      ],
    ];
    assert.deepEqual(joinMisses(lists, 1), [{ task: 'm a', count: 4 }]);
  });
});

test('lines that are answered from their bytes are counted, and exactly those that were missed are noted', () => {
  const line = fc.record({ n: fc.integer({ min: 0, max: 30 }), known: fc.boolean() });
  fc.assert(
    fc.property(fc.array(fc.array(line, { minLength: 1, maxLength: 20 }), { maxLength: 10 }), (blocks) => {
      const lookups = new TaskLookups();
      const wanted = new Map<string, number>();
      let hits = 0;
      for (const block of blocks) {
        const before = 'xyz\n';
        const input = slateOf(Buffer.from(before + block.map(({ n }) => `m ${hash(n)}\n`).join('')));
        const answers = Buffer.from(block.map(({ known }) => (known ? `${hash(99)}\n` : '\n')).join(''));
        const misses = block.filter(({ known }) => !known);
        for (const { n } of misses) wanted.set(`m ${hash(n)}`, (wanted.get(`m ${hash(n)}`) ?? 0) + 1);
        hits += block.length - misses.length;
        const scanner = countTasks(
          {
            scan(_input, _from, to, output) {
              answers.copy(output.bytes);
              return { end: to, written: answers.length, lines: block.length, misses: misses.length };
            },
          },
          lookups,
        );
        scanner.scan(input, before.length, input.bytes.length, slateOf(Buffer.alloc(2000)), 256);
      }
      const noted = new Map(lookups.missed.top(1000).map(({ task, count }) => [task, count]));
      assert.deepEqual(noted, new Map([...wanted].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))));
      assert.equal(lookups.counts()[0]?.hits ?? 0, hits);
    }),
  );
});
