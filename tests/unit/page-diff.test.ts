import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Comparison, compareSignatures } from '../../web/src/diff/compare.ts';
import { groupByReason, reasonFor } from '../../web/src/diff/reasons.ts';
import { readSignature } from '../../web/src/diff/signature.ts';
import { changesOf, summaryOf } from '../../web/src/diff/summary.ts';

const SIGNATURES = new URL('../siginfo/', import.meta.url);

const text = (file: string) => fs.readFileSync(new URL(file, SIGNATURES), 'utf8');
const compare = (first: string, second: string): Comparison =>
  compareSignatures(readSignature(first), readSignature(second));

const HEAD = 'OEOuthashBasic\n1\ntask=package\n';
const sum = (character: string) => character.repeat(64);
const file = (
  path: string,
  { mode = 'rw-r--r--', owner = 'root       root', time = '1700000000', size = 17, checksum = sum('a') } = {},
) => `-${mode}       ${owner} ${time} ${String(size).padStart(20)} ${checksum} ${path}\n`;

describe('signature texts', () => {
  test('of a task with owners and times are read file by file', () => {
    const { files, others } = readSignature(
      HEAD + file('./etc/a b') + `lrwxrwxrwx root root 1700000000       ./lib -> usr/lib\n`,
    );
    assert.deepEqual(files.get('./etc/a b'), {
      path: './etc/a b',
      type: '-',
      mode: 'rw-r--r--',
      owner: 'root:root',
      time: '1700000000',
      size: 17,
      checksum: sum('a'),
      target: null,
    });
    assert.equal(files.get('./lib')?.target, 'usr/lib');
    assert.deepEqual(others, ['OEOuthashBasic', '1', 'task=package']);
  });

  test('of a task without them have less', () => {
    const { files } = readSignature(`drwx                    .\n-rw-      17 ${sum('b')} ./a\n`);
    assert.deepEqual([...files.keys()], ['.', './a']);
    assert.equal(files.get('./a')?.owner, null);
    assert.equal(files.get('./a')?.size, 17);
    assert.equal(files.get('.')?.checksum, null);
  });

  test('of another form are lines', () => {
    const { files, lines } = compare('form 2\nalpha\nbeta\nbeta\n', 'form 2\nbeta\ngamma\n');
    assert.deepEqual(files, []);
    assert.deepEqual(
      lines.map(({ line, isFirst }) => [line, isFirst]),
      [
        ['alpha', true],
        ['beta', true],
        ['gamma', false],
      ],
    );
  });

  test('lose no line, whatever is in them', () => {
    const line = fc.oneof(fc.string(), fc.constantFrom('-rw- ./a', 'drwx .', `-rw- 1 ${sum('c')} ./b`, '-rw- ./a'));
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const whole = lines.join('\n');
        const { files, others } = readSignature(whole);
        assert.equal(files.size + others.length, whole.split('\n').filter((each) => each !== '').length);
      }),
    );
  });

  test('of 16 MiB in one line are a line', () => {
    const long = `-rw-${' '.repeat(16 * 1024 * 1024)}`;
    assert.deepEqual(
      readSignature(long).others.map(({ length }) => length),
      [long.length],
    );
  });
});

describe('two outputs of a task', () => {
  test('differ in content, mode, owner, time, type and target, each named', () => {
    const first =
      HEAD + file('./same') + file('./content') + file('./mode') + file('./owner') + file('./time') + file('./gone');
    const second =
      HEAD +
      file('./same') +
      file('./content', { checksum: sum('b'), size: 18 }) +
      file('./mode', { mode: 'rwxr-xr-x' }) +
      file('./owner', { owner: 'ci ci' }) +
      file('./time', { time: '1700000001' }) +
      file('./new');
    const { files, equal, all, lines } = compare(first, second);
    assert.deepEqual(
      files.map(({ path, aspects }) => [path, ...aspects]),
      [['./content', 'content'], ['./gone'], ['./mode', 'mode'], ['./new'], ['./owner', 'owner'], ['./time', 'time']],
    );
    assert.deepEqual([equal, all, lines.length], [1, 7, 0]);
    assert.deepEqual(changesOf(files[0]!), [
      { name: 'content', first: 'aaaaaaaa…', second: 'bbbbbbbb…' },
      { name: 'size', first: '17 B', second: '18 B' },
    ]);
    assert.equal(changesOf(files[1]!)[0]!.second, 'not there');
    assert.equal(changesOf(files[2]!)[0]!.first, 'rw-r--r--');
    assert.equal(
      summaryOf({ files, equal, all, lines }),
      '6 of 7 files and folders differ: 1 with other content, 1 with other permissions, 1 with another owner, 1 with another time, 1 only in the first build, 1 only in the second build.',
    );
  });

  test('are the same the other way around, with the sides exchanged', () => {
    const name = fc.constantFrom('./a', './b', './c', './d');
    const entry = fc.record({ path: name, size: fc.integer({ min: 0, max: 2 }), mode: fc.constantFrom('rw-', 'rwx') });
    const output = fc
      .uniqueArray(entry, { selector: ({ path }) => path })
      .map((entries) => entries.map(({ path, ...rest }) => file(path, rest)).join(''));
    fc.assert(
      fc.property(output, output, (a, b) => {
        const [there, back] = [compare(a, b), compare(b, a)];
        assert.deepEqual(
          there.files.map(({ path, first, second, aspects }) => ({ path, first: second, second: first, aspects })),
          back.files,
        );
        assert.equal(there.equal + there.files.length, there.all);
      }),
    );
  });

  test('whose texts are equal are said to be, and to differ in what is not in them', () => {
    assert.match(
      summaryOf(compare(HEAD + file('./a'), HEAD + file('./a'))),
      /texts are equal, although the outputs are not/,
    );
  });
});

describe('the real texts of two builds of hello', () => {
  test('say what differs in its package, and what commonly makes that', () => {
    const found = compare(text('hello-package-1.siginfo'), text('hello-package-2.siginfo'));
    assert.equal(
      summaryOf(found),
      '12 of 1,824 files and folders differ: 10 with other content, 1 with other permissions, 1 only in the second build.',
    );
    const reasons = groupByReason(found.files).map(({ reason, files }) => [reason.title, files.length]);
    assert.deepEqual(reasons[0], ['A message catalogue', 7]);
    assert.deepEqual(
      new Map(found.files.map((each) => [each.path, reasonFor(each).title])).get('./usr/bin/hello'),
      'A program or library',
    );
  });

  test('name the gzip header, the program, the note of host and time and the header with a path of its sysroot', () => {
    const { files } = compare(text('hello-populate_sysroot-1.siginfo'), text('hello-populate_sysroot-2.siginfo'));
    assert.deepEqual(
      files.map((each) => [each.path, reasonFor(each).title]),
      [
        ['./usr/bin/hello', 'A program or library'],
        ['./usr/include/hello/config.h', 'There in one build only'],
        ['./usr/share/doc/hello/build-info', 'A note about the build itself'],
        ['./usr/share/man/man1/hello.1.gz', 'Compressed with the time in it'],
      ],
    );
  });
});
