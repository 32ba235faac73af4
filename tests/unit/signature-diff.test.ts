import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { atOnce } from '../../lib/insights/in-turns.ts';
import { readFileLine, readSignature } from '../../lib/insights/signature.ts';
import { diffInTurns, diffSignatures, type SignatureDiff } from '../../lib/insights/signature-diff.ts';

const text = (task: string, build: number) =>
  fs.readFileSync(new URL(`../siginfo/hello-${task}-${build}.siginfo`, import.meta.url), 'utf8');

/** Entries as a line each. */
const told = (diff: SignatureDiff) =>
  diff.form === 'lines'
    ? diff.entries.map(({ kind, number, text }) => `${kind} ${number} ${text}`)
    : diff.entries.map((entry) =>
        entry.kind === 'changed' ? `${entry.path}: ${entry.changes.join(', ')}` : `${entry.path}: ${entry.kind}`,
      );

describe('two signature texts of a task', () => {
  test('say which files of a sysroot are not the same', () => {
    const diff = diffSignatures(text('populate_sysroot', 1), text('populate_sysroot', 2));
    assert.deepEqual(told(diff), [
      './usr/bin/hello: content',
      './usr/share/doc/hello/build-info: content',
      './usr/share/man/man1/hello.1.gz: content',
      './usr/include/hello/config.h: only-there',
    ]);
    assert.deepEqual(diff.counts, { content: 3, 'only-there': 1 });
    assert.deepEqual(diff.header, []);
    assert.equal(diff.same, false);
  });

  test('say so of a package too, whose lines have owners and times', () => {
    const diff = diffSignatures(text('package', 1), text('package', 2));
    assert.deepEqual(diff.counts, { mode: 1, content: 10, size: 7, 'only-there': 1 });
    assert.ok(diff.form === 'files');
    const conf = diff.entries.find(({ path }) => path === './etc/hello.conf');
    assert.ok(conf?.kind === 'changed');
    assert.deepEqual([conf.here.mode, conf.there.mode], ['-rw-r--r--', '-rw-------']);
    assert.deepEqual([conf.here.owner, conf.here.group, conf.here.time], ['root', 'root', '1700000000']);
    assert.deepEqual(told(diffSignatures(text('package', 1), text('package', 1))), []);
  });

  test('are compared about the task too', () => {
    const diff = diffSignatures(text('populate_sysroot', 1), text('package', 1), 5);
    assert.deepEqual(
      diff.header.map(({ kind, text }) => `${kind} ${text}`),
      ['only-here task=populate_sysroot', 'only-there task=package'],
    );
    assert.equal(diff.entries.length, 5, 'what is listed has an end');
    assert.ok(diff.counts.mode! > 10, 'what is counted has none');
  });

  test('are compared by lines when one has another form', () => {
    for (const other of [
      '',
      'a\nb\nb\n',
      `${text('package', 1)}\nx`,
      `${text('package', 1)}-rw-  ./etc/hello.conf\n`,
    ]) {
      const lines = other.split('\n').filter((line, i, all) => line !== '' || i < all.length - 1);
      const diff = diffSignatures('a\nb\n', other);
      assert.equal(diff.form, 'lines');
      const rest = [...lines];
      const mine = ['a', 'b'].filter((line) => {
        const at = rest.indexOf(line);
        if (at >= 0) rest.splice(at, 1);
        return at < 0;
      });
      assert.equal(diff.counts['only-here'] ?? 0, mine.length);
      assert.equal(diff.counts['only-there'] ?? 0, rest.length);
    }
    assert.deepEqual(told(diffSignatures('same\nhere\n', 'there\nsame')), ['only-here 2 here', 'only-there 1 there']);
  });
});

test('the line of a file is read whatever its path holds', () => {
  const owned = (mode: string, fields: string, path: string) => readFileLine(`${mode} ${fields} ${path}`);
  const checksum = 'ab'.repeat(32);
  assert.deepEqual(owned('-rw-r--r--', `      root  staff 1700000000      17 ${checksum}`, './a b -> c  ./d'), {
    path: './a b -> c  ./d',
    mode: '-rw-r--r--',
    owner: 'root',
    group: 'staff',
    time: '1700000000',
    size: '17',
    checksum,
    target: null,
  });
  assert.equal(owned('lrwx', '        ', './a -> ../b')?.target, '../b');
  assert.equal(owned('drwx', '', '.')?.path, '.');
  assert.equal(owned('crw-rw-rw-', 'root root 1700000000 1,3', './dev/null')?.size, '1,3');
  for (const line of ['', 'task=package', '-rw-', '-rw- x y z u ./a', `-rw- ${' '.repeat(500)} ./a`, '-rw-r- ./a'])
    assert.equal(readFileLine(line), null, line);
});

test('a tree with random changes is told apart exactly', () => {
  const file = fc.record({ mode: fc.constantFrom('-rw-', '-rwx'), size: fc.nat(3), sum: fc.constantFrom('a', 'b') });
  const name = fc.stringMatching(/^[a-z ]{1,3}$/);
  const tree = fc.dictionary(name, file, { minKeys: 1, maxKeys: 8 });
  const write = (of: Record<string, { mode: string; size: number; sum: string }>) =>
    `M\n1\n${Object.entries(of)
      .map(([path, { mode, size, sum }]) => `${mode} ${String(size).padStart(20)} ${sum.repeat(64)} ./${path}\n`)
      .join('')}`;
  fc.assert(
    fc.property(tree, tree, (here, there) => {
      const diff = diffSignatures(write(here), write(there));
      const expected: string[] = [];
      for (const [path, file] of Object.entries(here)) {
        const other = there[path];
        if (!other) expected.push(`./${path}: only-here`);
        else {
          const changes = [
            ...(file.sum !== other.sum ? ['content'] : []),
            ...(file.size !== other.size ? ['size'] : []),
            ...(file.mode !== other.mode ? ['mode'] : []),
          ];
          if (changes.length > 0) expected.push(`./${path}: ${changes.join(', ')}`);
        }
      }
      for (const path of Object.keys(there)) if (!here[path]) expected.push(`./${path}: only-there`);
      assert.deepEqual(told(diff), expected);
    }),
  );
});

test('hostile texts of the longest size are compared in time that grows with them', () => {
  const long = 16 * 1024 * 1024;
  const texts = [
    '-rw- ./\r ./'.repeat(long / 10),
    `-rw-${' '.repeat(long)}`,
    '-rw- ./a\n'.repeat(long / 9),
    `${'x'.repeat(long)}\n`,
    '\n'.repeat(long / 4),
  ];
  for (const each of texts) {
    // A square of these lengths would take hours: the test would not end.
    const diff = diffSignatures(each, `${each}y`, 10);
    assert.equal(diff.same, false);
    assert.ok(JSON.stringify(diff).length < 100_000);
  }
  assert.equal(atOnce(readSignature('')), null);
});

test('a comparison gives others their turns, and says when there were more lines than it looks at', () => {
  const line = (n: number) => `-rw- ${String(n).padStart(20)} ${'ab'.repeat(32)} ./file-${n}\n`;
  const files = (count: number) => Array.from({ length: count }, (_, n) => line(n)).join('');
  const [here, there] = [files(50_000), files(49_999)];
  const work = diffInTurns(here, there, 10);
  let turns = 0;
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) {
      assert.deepEqual([step.value.counts, step.value.cut], [{ 'only-here': 1 }, false]);
      break;
    }
    turns++;
  }
  // Both are read, and then each is gone through.
  assert.equal(turns, 4 * Math.floor(49_999 / 2000) + 2);
  const lines = (count: number) => Array.from({ length: count }, (_, n) => `${n}\n`).join('');
  const [whole, more] = [lines(250_000), lines(250_001)];
  const diff = diffSignatures(whole, more);
  assert.deepEqual([diff.same, diff.cut, diff.entries], [false, true, []]);
  assert.equal(diffSignatures(whole, whole).cut, false);
});
