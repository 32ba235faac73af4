import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { AccessFile, type WriteBytes } from '../../lib/access-log/file.ts';
import type { LogFields, Logger } from '../../lib/log.ts';
import { SILENT } from '../../lib/log.ts';
import { temporaryFolder } from '../helpers.ts';

/** A disk that takes what it is told to take. */
function disk() {
  const asked: ((error: NodeJS.ErrnoException | null, written: number) => void)[] = [];
  let text = '';
  const write: WriteBytes = (_descriptor, bytes, from, done) => {
    asked.push((error, written) => {
      if (!error) text += bytes.subarray(from, from + written);
      done(error, written);
    });
  };
  return {
    write,
    text: () => text,
    /** Answers the write that waits: so many bytes, or all. */
    take: (written = Number.POSITIVE_INFINITY, error: NodeJS.ErrnoException | null = null) => {
      const next = asked.shift();
      if (next) next(error, written);
      return next !== undefined;
    },
    get waits() {
      return asked.length;
    },
  };
}

function recorder(): { log: Logger; said: [string, LogFields | undefined][] } {
  const said: [string, LogFields | undefined][] = [];
  return { said, log: { ...SILENT, warn: (message, fields) => said.push([message, fields]) } };
}

const full = () => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });

function opened(t: TestContext, maxBytes: number, write: WriteBytes, log: Logger) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const name = path.join(temporaryFolder(t), 'access');
  return { name, file: new AccessFile({ file: name, log, maxBytes, write }) };
}

describe('the file of an access log', () => {
  test('writes lines of a moment together, one write at a time', (t) => {
    const { write, take, text } = disk();
    const { file } = opened(t, 1000, write, SILENT);
    file.add('a');
    file.add('b');
    assert.equal(take(), false, 'nothing is written before the moment is over');
    t.mock.timers.tick(50);
    file.add('c');
    assert.equal(take(4), true);
    assert.equal(text(), 'a\nb\n');
    take(2);
    assert.equal(text(), 'a\nb\nc\n');
  });

  test('drops and counts what a slow disk cannot take, and says so once it goes on', (t) => {
    const { write, take, text, waits } = disk();
    assert.equal(waits, 0);
    const { log, said } = recorder();
    const { file } = opened(t, 10, write, log);
    file.add('first');
    t.mock.timers.tick(50);
    for (let i = 0; i < 100; i++) file.add(`${i % 10}`);
    assert.deepEqual(said, []);
    take(6);
    take(1000);
    const lines = text().split('\n');
    assert.equal(lines[0], 'first');
    const { kind, lines: lost } = JSON.parse(lines[1]!);
    assert.deepEqual([kind, lost], ['dropped', 95]);
    assert.deepEqual(lines.slice(2), ['0', '1', '2', '3', '4', '']);
    for (let i = 0; i < 100; i++) file.add('again');
    t.mock.timers.tick(50);
    take(1000);
    assert.match(text(), /"kind":"dropped".*"kind":"dropped"/s, 'the access log tells of each gap');
    assert.deepEqual(
      said,
      [['lines of the access log were dropped: its disk is full or too slow', { lines: 95 }]],
      'and the log of the first, then seldom',
    );
  });

  test('keeps what a full disk does not take, and tries again', (t) => {
    const { write, take, text } = disk();
    const { log, said } = recorder();
    const { file } = opened(t, 1000, write, log);
    file.add('{"a":1}');
    t.mock.timers.tick(50);
    take(3);
    for (let i = 0; i < 3; i++) {
      take(0, full());
      t.mock.timers.tick(1000);
    }
    take(5);
    assert.equal(text(), '{"a":1}\n');
    assert.equal(said.length, 1, 'one warning, not one for each attempt');
  });

  test('goes on in the new file after a rotation, with whole lines, also on a full disk', (t) => {
    const { write, take, text } = disk();
    const { name, file } = opened(t, 1000, write, SILENT);
    file.add('first');
    file.add('second');
    t.mock.timers.tick(50);
    take(3);
    fs.renameSync(name, `${name}.1`);
    file.reopen();
    assert.ok(fs.existsSync(name), 'there at once');
    take(0, full());
    t.mock.timers.tick(1000);
    take(1000);
    assert.equal(text(), 'firsecond\n', 'the rest of the line that was begun is left out of the new file');
  });

  test('loses no line without counting it, and tears none, whatever the disk does', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const step = fc.oneof(
      fc.record({ add: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ take: fc.integer({ min: 0, max: 60 }) }),
      fc.record({ fail: fc.constant(true) }),
      fc.record({ tick: fc.constantFrom(10, 60, 1000) }),
    );
    const name = path.join(temporaryFolder(t), 'access');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { write, take, text } = disk();
        const file = new AccessFile({ file: name, log: SILENT, maxBytes: 80, write });
        let added = 0;
        for (const each of steps) {
          if ('add' in each) for (let i = 0; i < each.add; i++) file.add(JSON.stringify({ n: added++ }));
          else if ('take' in each) take(each.take);
          else if ('fail' in each) take(0, full());
          else t.mock.timers.tick(each.tick);
        }
        file.add('{"last":1}');
        added++;
        for (let i = 0; i < 10; i++) {
          t.mock.timers.tick(1000);
          while (take());
        }
        const lines = text()
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line));
        const lost = lines.reduce((sum, { kind, lines: count }) => sum + (kind === 'dropped' ? count : 0), 0);
        const numbers = lines.flatMap(({ n }) => (n === undefined ? [] : [n]));
        assert.deepEqual(
          numbers,
          [...numbers].sort((a, b) => a - b),
        );
        assert.equal(numbers.length + lost + lines.filter(({ last }) => last).length, added);
        void file.close();
      }),
      { numRuns: 200 },
    );
  });

  test('cannot be a pipe that nobody reads, nor in a folder that is not there', (t) => {
    assert.throws(() => new AccessFile({ file: path.join(temporaryFolder(t), 'no/file'), log: SILENT }), /ENOENT/);
  });

  test('is written once and to its end when the server stops, whatever it waited for', async (t) => {
    for (const wait of [() => {}, (take: () => void) => take()]) {
      const { write, take, text } = disk();
      const { file } = opened(t, 1000, write, SILENT);
      file.add('a');
      // Either the moment is not over, or the disk was full and the next attempt is to come.
      wait(() => {
        t.mock.timers.tick(50);
        take(0, full());
      });
      const closed = file.close();
      t.mock.timers.tick(60);
      take();
      assert.equal(take(), false, 'no second write is under way');
      await closed;
      assert.equal(text(), 'a\n');
      t.mock.timers.reset();
    }
  });

  test('is whole when it was really written', async (t) => {
    const name = path.join(temporaryFolder(t), 'access');
    const file = new AccessFile({ file: name, log: SILENT });
    for (let i = 0; i < 1000; i++) file.add(`${i}`);
    await file.close();
    assert.equal(fs.readFileSync(name, 'utf8').split('\n').length, 1001);
    assert.equal(fs.statSync(name).mode & 0o777, 0o640);
    file.add('late');
    file.reopen();
  });
});
