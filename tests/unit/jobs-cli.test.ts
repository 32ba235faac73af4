import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UsageError } from '../../lib/cli/args/usage-error.ts';
import { readParameters } from '../../lib/cli/jobs/parameters.ts';
import { describeJob, lineOf, type ShownJob } from '../../lib/cli/jobs/show.ts';

describe('parameters of bakeserv jobs start', () => {
  test('are texts, or JSON behind :=', () => {
    const words = ['mark=nightly', 'remove:=5', 'where:={"method": "m"}', 'empty=', 'text=a=b:=c'];
    assert.deepEqual(readParameters(words, true), {
      mark: 'nightly',
      remove: 5,
      where: { method: 'm' },
      empty: '',
      text: 'a=b:=c',
    });
  });

  test('that name files are full paths, unless the server may be on another machine', () => {
    assert.deepEqual(readParameters(['file=a/b', 'folder=/c'], true), { file: `${process.cwd()}/a/b`, folder: '/c' });
    assert.deepEqual(readParameters(['file=a/b'], false), { file: 'a/b' });
  });

  test('keep names that objects have by themselves', () => {
    assert.deepEqual(Object.keys(readParameters(['__proto__=x'], true)), ['__proto__']);
  });

  for (const [words, says] of [
    [['mark'], /"mark" is not NAME=TEXT/],
    [['=x'], /is not NAME=TEXT/],
    [['remove:=five'], /"five" is not JSON; for a text write remove=TEXT/],
    [['a=1', 'a=2'], /a is given twice/],
  ] as const)
    test(`${words.join(' ')} is refused`, () =>
      assert.throws(
        () => readParameters(words, true),
        (error: Error) => error instanceof UsageError && says.test(error.message),
      ));
});

describe('a job is shown', () => {
  const job: ShownJob = {
    ...{ id: 7, kind: 'gc', parameters: { mark: 'm' }, state: 'running', user: null, address: 'unix' },
    ...{ created: '2026-11-22T00:00:00.000Z', started: '2026-11-22T00:00:01.000Z', ended: null },
    progress: { done: 25, total: 100, unit: 'rows', rate: 12.5, seconds_left: 6 },
    ...{ result: { count: 1 }, error: null },
  };

  test('with its progress, rate and time left', () => {
    assert.equal(
      lineOf(job),
      '    7  running      gc              2026-11-22T00:00:00  anonymous  25 of 100 rows (25 %), 13 a second, 6 s left',
    );
    assert.deepEqual(describeJob(job), [
      'job 7: gc, running',
      '  parameters  {"mark":"m"}',
      '  by          anonymous from unix, 2026-11-22T00:00:00.000Z',
      '  started     2026-11-22T00:00:01.000Z',
      '  progress    25 of 100 rows (25 %), 13 a second, 6 s left',
      '  result      {"count":1}',
    ]);
    assert.match(lineOf({ ...job, cancelling: true }), / cancelling /);
  });

  test('without what somebody else could have put into it', () => {
    const bad = { ...job, user: 'a\u001b[2Jb', error: 'x\ny' };
    for (const line of [lineOf(bad), ...describeJob(bad)]) assert.match(line, /^[ -~]*$/);
  });
});
