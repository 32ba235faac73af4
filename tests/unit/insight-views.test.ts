import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { DIFF_VIEW } from '../../lib/cli/insights/diff-view.ts';
import { csvLines, sizeText, tableLines } from '../../lib/cli/insights/table.ts';
import { count, type Entry, text, time } from '../../lib/cli/insights/view.ts';
import { escaped } from '../../lib/errors.ts';

const COLUMNS = [text('PN', 'Recipe'), count('n', 'Tasks'), time('last', 'Last')];
/** What would forge a line, turn text around, reach a terminal, or be taken for a formula. */
const HOSTILE = [
  '<script>alert(1)</script>',
  '\u001b[2J',
  'a\nb\r\n',
  '\u202egpj.exe',
  '=1+1',
  '@SUM(A1)',
  'x'.repeat(1 << 20),
];

describe('insights for people', () => {
  test('stand in columns, numbers at the right, and what is not there is a dash', () => {
    const entries = [
      { PN: 'zlib', n: 1234, last: '2026-11-22T03:04:05.123456+00:00' },
      { PN: null, n: 5, last: null },
    ];
    assert.deepEqual(tableLines(COLUMNS, entries), [
      'Recipe  Tasks  Last (UTC)',
      'zlib    1,234  2026-11-22 03:04:05',
      '-           5  -',
    ]);
    assert.deepEqual([0, 1023, 1024, 1.5 * 2 ** 20, 2 ** 50].map(sizeText), [
      '0 B',
      '1023 B',
      '1.0 KiB',
      '1.5 MiB',
      '1024.0 TiB',
    ]);
  });

  test('are one line each, whatever names hold', () => {
    const lines = tableLines(
      COLUMNS,
      HOSTILE.map((PN) => ({ PN, n: 1, last: PN })),
    );
    assert.equal(lines.length, 1 + HOSTILE.length);
    for (const line of lines) {
      assert.equal(escaped(line), line);
      assert.ok(line.length < 120, line.slice(0, 200));
    }
    assert.match(lines[4]!, /\\u202egpj\.exe/);
  });

  test('are CSV that is read back, with nothing that a spreadsheet runs', async () => {
    const names = fc.oneof(fc.constantFrom(...HOSTILE.slice(0, -1)), fc.string({ unit: 'binary' }));
    await fc.assert(
      fc.asyncProperty(fc.array(names, { maxLength: 5 }), async (given) => {
        const lines = await csvLines(
          [text('PN', 'Recipe'), count('n', 'Tasks')],
          given.map((PN, n) => ({ PN, n })),
        );
        assert.equal(lines.length, 1 + given.length);
        const [header, ...rows] = parse(`${lines.join('\n')}\n`) as string[][];
        assert.deepEqual(header, ['PN', 'n']);
        for (const [i, [PN, n]] of rows.entries()) {
          assert.equal(PN!.replace(/^'/, ''), escaped(given[i]!).replace(/^'/, ''));
          assert.doesNotMatch(PN!, /^[=+\-@\t\r]/);
          assert.equal(n, String(i));
        }
      }),
    );
  });
});

test('a comparison says of each file what is not the same', () => {
  const file = {
    path: './a',
    mode: '-rw-r--r--',
    owner: 'root',
    group: 'root',
    time: '1',
    size: '17',
    checksum: 'aa',
    target: null,
  };
  const there = { ...file, mode: '-rw-------', size: '20', checksum: 'bb' };
  const entries: Entry[] = [
    { kind: 'changed', path: './a', changes: ['content', 'size', 'mode'], here: file, there },
    { kind: 'only-there', path: './b', file },
  ];
  const header = [{ kind: 'only-here', number: 4, text: 'task=package' }];
  assert.deepEqual(DIFF_VIEW.lists[0]!.entries!({ header, entries }), [
    { path: 'line 4: task=package', change: 'only in the older output' },
    { path: './a', change: 'other content; size 17 > 20; mode rw-r--r-- > rw-------' },
    { path: './b', change: 'only in the newer output' },
  ]);
});
