import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { diffSignatures } from '../../lib/insights/signature-diff.ts';
import type { DiffInsight, FileDifference } from '../../web/src/api/diff.ts';
import { groupByReason, reasonFor } from '../../web/src/diff/reasons.ts';
import { changesOf, summaryOf } from '../../web/src/diff/summary.ts';

const SIGNATURES = new URL('../siginfo/', import.meta.url);
const text = (file: string) => fs.readFileSync(new URL(file, SIGNATURES), 'utf8');

/** As the server answers, of texts. */
function compare(first: string, second: string, limit = 1000): DiffInsight {
  const output = { outhash: '', created: null, owner: null, PN: null, task: null, siginfo_bytes: 1 };
  return {
    ...(diffSignatures(first, second, limit) as Pick<DiffInsight, 'form'> & DiffInsight),
    taskhash: '',
    method: '',
    here: output,
    there: output,
    outputs: [],
    made: '',
    seconds: 0,
  };
}

const HEAD = 'OEOuthashBasic\n1\ntask=package\n';
const sum = (character: string) => character.repeat(64);
const file = (
  path: string,
  { mode = 'rw-r--r--', owner = 'root       root', time = '1700000000', size = 17, checksum = sum('a') } = {},
) => `-${mode}       ${owner} ${time} ${String(size).padStart(20)} ${checksum} ${path}\n`;

const filesOf = (diff: DiffInsight): readonly FileDifference[] => (diff.form === 'files' ? diff.entries : []);

describe('two outputs of a task, as the page tells it', () => {
  test('differ in content, mode, owner and time, or are on one side: each file counts once in the sentence', () => {
    const first = HEAD + ['same', 'content', 'mode', 'owner', 'time', 'gone'].map((name) => file(`./${name}`)).join('');
    const second =
      HEAD +
      file('./same') +
      file('./content', { checksum: sum('b'), size: 18 }) +
      file('./mode', { mode: 'rwxr-xr-x', time: '1700000001' }) +
      file('./owner', { owner: 'ci ci' }) +
      file('./time', { time: '1700000001' }) +
      file('./new');
    const diff = compare(first, second);
    assert.equal(
      summaryOf(diff),
      '6 of 7 files and folders differ: 1 with other content, 1 with other permissions, 1 with another owner, 1 with another time, 1 only in the first build, 1 only in the second build.',
    );
    const changes = new Map(filesOf(diff).map((each) => [each.path, changesOf(each)]));
    assert.deepEqual(changes.get('./content'), [
      { name: 'content', first: 'aaaaaaaa…', second: 'bbbbbbbb…' },
      { name: 'size', first: '17 B', second: '18 B' },
    ]);
    assert.deepEqual(changes.get('./gone'), [
      { name: 'only in the first', first: 'file, 17 B, rw-r--r--', second: 'not there' },
    ]);
    assert.deepEqual(changes.get('./owner'), [{ name: 'owner', first: 'root:root', second: 'ci:ci' }]);
    assert.deepEqual(
      changes.get('./mode')!.map(({ name }) => name),
      ['permissions', 'time'],
    );
  });

  test('of which more differs than the server tells are summed up by what it counts', () => {
    const many = (checksum: string) => Array.from({ length: 1200 }, (_, i) => file(`./${i}`, { checksum })).join('');
    assert.equal(
      summaryOf(compare(HEAD + many(sum('a')), HEAD + many(sum('b')))),
      'More than 1,000 of 1,200 files and folders differ: 1,200 with other content.',
    );
  });

  test('whose texts are equal differ in what is not in them', () => {
    const same = HEAD + file('./a');
    assert.match(summaryOf(compare(same, same)), /texts are equal, although the outputs are not/);
    assert.match(summaryOf(compare(same, same.replace('task=package', 'task=other'))), /^No file differs, but 2 lines/);
  });

  test('whose texts name no files are told by lines', () => {
    assert.equal(
      summaryOf(compare('form 2\nalpha\nbeta', 'form 2\nbeta\n')),
      'The texts name no files. 1 line only in the first, 0 lines only in the second.',
    );
  });

  test('have a link that leads elsewhere, and something that is no file any more', () => {
    const link = (target: string) => `lrwxrwxrwx root root 1700000000   ./lib -> ${target}\n`;
    const [moved] = filesOf(compare(HEAD + link('a'), HEAD + link('b')));
    assert.equal(reasonFor(moved!).title, 'A link that leads elsewhere');
    assert.deepEqual(changesOf(moved!), [{ name: 'leads to', first: 'a', second: 'b' }]);
    const [other] = filesOf(compare(HEAD + file('./lib'), HEAD + link('b')));
    assert.equal(reasonFor(other!).title, 'Something else altogether');
    assert.deepEqual(
      changesOf(other!).find(({ name }) => name === 'type'),
      { name: 'type', first: 'file', second: 'link' },
    );
  });
});

describe('the real texts of two builds of hello', () => {
  test('say what differs in its package, and what commonly makes that', () => {
    const diff = compare(text('hello-package-1.siginfo'), text('hello-package-2.siginfo'));
    assert.equal(
      summaryOf(diff),
      '12 of 1,824 files and folders differ: 10 with other content, 1 with other permissions, 1 only in the second build.',
    );
    const [first] = groupByReason(filesOf(diff)).map(({ reason, files }) => [reason.title, files.length]);
    assert.deepEqual(first, ['A message catalogue', 7]);
  });

  test('name the gzip header, the program, the note of host and time and the header with a path of its sysroot', () => {
    const diff = compare(text('hello-populate_sysroot-1.siginfo'), text('hello-populate_sysroot-2.siginfo'));
    assert.deepEqual(
      new Map(filesOf(diff).map((each) => [each.path, reasonFor(each).title])),
      new Map([
        ['./usr/bin/hello', 'A program or library'],
        ['./usr/share/doc/hello/build-info', 'A note about the build itself'],
        ['./usr/share/man/man1/hello.1.gz', 'Compressed with the time in it'],
        ['./usr/include/hello/config.h', 'There in one build only'],
      ]),
    );
  });
});
