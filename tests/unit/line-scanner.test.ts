import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { LineScanner } from '../../lib/asyncrpc/service.ts';
import { slateOf } from '../../lib/asyncrpc/wire/slate.ts';
import { HASH_WORDS, readHash } from '../../lib/storage/memory/hex.ts';
import { createTaskScanner, createUnihashScanner } from '../../lib/storage/memory/line-scanner.ts';
import { UnihashTable } from '../../lib/storage/memory/unihash-table.ts';

const hash = (n: number) => n.toString(16).padStart(64, '0');

function words(text: string): Int32Array {
  const read = new Int32Array(HASH_WORDS);
  assert.ok(readHash(slateOf(Buffer.from(text)).view, 0, read, 0));
  return read;
}

/** Tasks 0 to 99 of two methods, and their unihashes 100 to 199. */
function filled() {
  const table = new UnihashTable(8 * 1024 * 1024);
  const tasks = new Map<string, string>();
  for (let n = 0; n < 100; n++) {
    for (const method of ['oe.sstatesig.OEOuthashBasic', 'm', 'Ã©']) {
      table.set(method, words(hash(n)), words(hash(100 + n)));
      tasks.set(`${method} ${hash(n)}`, hash(100 + n));
    }
  }
  return { table, tasks };
}

/** Scans all there is, as a connection does: from the start of the first line that was not answered. */
function scanAll(scanner: LineScanner, input: Buffer, most: number) {
  let from = 0;
  let text = '';
  let lines = 0;
  for (;;) {
    const output = slateOf(Buffer.alloc(input.length - from, '?'));
    const scanned = scanner.scan(slateOf(input), from, input.length, output, most);
    text += output.bytes.toString('latin1', 0, scanned.written);
    lines += scanned.lines;
    if (scanned.end === from) return { end: from, text, lines };
    from = scanned.end;
  }
}

const END = '\n';
const method = fc.constantFrom('oe.sstatesig.OEOuthashBasic', 'm', 'unknown', 'M', '');
const good = fc.tuple(method, fc.nat(150)).map(([name, n]) => `${name} ${hash(n)}`);
const odd = fc.oneof(
  fc.constantFrom(
    'END',
    '',
    ' ',
    'm',
    `m ${hash(1)} `,
    `m  ${hash(1)}`,
    `m ${hash(1)}\r`,
    hash(1),
    `é ${hash(1)}`,
    `Ã© ${hash(1)}`,
    `Ã© ${hash(1)}`,
  ),
  fc.tuple(good, fc.nat(90), fc.string({ maxLength: 2, unit: 'binary' })).map(([line, at, put]) => {
    return (line.slice(0, at) + put + line.slice(at + put.length)).replaceAll('\n', '');
  }),
);
const anyLine = fc.oneof({ weight: 12, arbitrary: good }, { weight: 1, arbitrary: odd });

for (const missesAreKnown of [true, false]) {
  describe(`get-stream lines scanned where misses are ${missesAreKnown ? 'known' : 'not known'}`, () => {
    test('are answered as a Map answers them, up to the first that is not for the table', () => {
      const { table, tasks } = filled();
      const methods = new Set([...tasks.keys()].map((task) => task.split(' ')[0]));
      fc.assert(
        fc.property(
          fc.array(anyLine, { maxLength: 40 }),
          fc.nat(80),
          fc.integer({ min: 1, max: 50 }),
          (all, cut, most) => {
            const bytes = Buffer.from(all.map((line) => line + END).join(''), 'utf8');
            const input = bytes.subarray(0, Math.max(0, bytes.length - cut));
            let expected = '';
            let end = 0;
            let lines = 0;
            for (const line of all) {
              const next = end + Buffer.byteLength(line) + 1;
              const shaped = /^([^ ]+) ([0-9a-f]{64})$/.exec(line);
              if (next > input.length || !shaped || !methods.has(shaped[1]) || shaped[1] === 'Ã©') break;
              const unihash = tasks.get(line);
              if (!unihash && !missesAreKnown) break;
              expected += `${unihash ?? ''}${END}`;
              end = next;
              lines++;
            }
            assert.deepEqual(
              scanAll(
                createTaskScanner(table, () => missesAreKnown),
                input,
                most,
              ),
              {
                end,
                text: expected,
                lines,
              },
            );
          },
        ),
        { numRuns: 500 },
      );
    });
  });
}

describe('exists-stream lines scanned', () => {
  test('are answered as a Set answers them, up to the first that is not for the table', () => {
    const { table, tasks } = filled();
    const known = new Set(tasks.values());
    const line = fc.oneof(
      { weight: 12, arbitrary: fc.nat(250).map(hash) },
      { weight: 1, arbitrary: fc.constantFrom('END', '', hash(1).toUpperCase().replace('1', 'A'), `${hash(1)} `, 'x') },
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), fc.nat(80), fc.boolean(), (all, cut, absencesAreKnown) => {
        const bytes = Buffer.from(all.map((each) => each + END).join(''));
        const input = bytes.subarray(0, Math.max(0, bytes.length - cut));
        let expected = '';
        let end = 0;
        let lines = 0;
        for (const each of all) {
          const next = end + each.length + 1;
          if (next > input.length || !/^[0-9a-f]{64}$/.test(each)) break;
          if (!known.has(each) && !absencesAreKnown) break;
          expected += `${known.has(each)}${END}`;
          end = next;
          lines++;
        }
        const scanner = createUnihashScanner(table, () => absencesAreKnown);
        assert.deepEqual(scanAll(scanner, input, 1000), { end, text: expected, lines });
      }),
      { numRuns: 500 },
    );
  });
});

test('a scanner takes no method for another whose number it has since the table was cleared', () => {
  const table = new UnihashTable(8 * 1024 * 1024);
  const scanner = createTaskScanner(table, () => true);
  const answer = (line: string) => scanAll(scanner, Buffer.from(line + END), 10).text;
  table.set('a', words(hash(1)), words(hash(101)));
  assert.equal(answer(`a ${hash(1)}`), hash(101) + END);
  table.clear();
  table.set('b', words(hash(1)), words(hash(201)));
  assert.equal(answer(`a ${hash(1)}`), '');
  assert.equal(answer(`b ${hash(1)}`), hash(201) + END);
});
