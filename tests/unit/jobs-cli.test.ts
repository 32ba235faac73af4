import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, test } from 'node:test';
import { UsageError } from '../../lib/cli/args/usage-error.ts';
import { readParameters, withAdvice } from '../../lib/cli/jobs/parameters.ts';
import { describeJob, lineOf, type ShownJob } from '../../lib/cli/jobs/show.ts';
import { untilAnswered } from '../../lib/cli/publish/job.ts';
import { waitOrLeave } from '../../lib/cli/publish/leave.ts';
import { InvokeError } from '../../lib/errors.ts';
import { JobsAwayError } from '../../lib/jobs/elsewhere.ts';

describe('parameters of bakeserv jobs start', () => {
  test('that are texts and should be numbers are refused with how numbers are written', () => {
    const refused = new InvokeError('job-start: clean-unused: max_age_seconds must be number');
    const told = withAdvice(refused, { max_age_seconds: '2592000' }) as Error;
    assert.equal(told.message, `${refused.message}; what is not a text is written max_age_seconds:=JSON`);
    // What is said of something else stays as it is.
    assert.equal(withAdvice(refused, { max_age_seconds: true }), refused);
    const missing = new InvokeError('job-start: gc: mark is missing');
    assert.equal(withAdvice(missing, { max_age_seconds: '1' }), missing);
    const broken = new Error('mark must be number');
    assert.equal(withAdvice(broken, { mark: '1' }), broken);
  });

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

  test('name a source where there is such a file, and otherwise an address; what opens it is in files too', () => {
    assert.deepEqual(readParameters(['source=package.json', 'ca=a.pem', 'token_file=t'], true), {
      ...{ source: `${process.cwd()}/package.json`, ca: `${process.cwd()}/a.pem`, token_file: `${process.cwd()}/t` },
    });
    for (const address of ['host:8686', 'unix:///s', 'postgres://h/d'])
      assert.deepEqual(readParameters([`source=${address}`], true), { source: address });
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

describe('Ctrl-C while a job is waited for', () => {
  for (const [json, told] of [
    [false, 'job 7 goes on in the server: bakeserv jobs wait 7 --pid 12\n'],
    [true, '{"error": "job 7 goes on in the server: bakeserv jobs wait 7 --pid 12"}\n'],
  ] as const)
    test(`leaves it, and tells how to come back${json ? ', as JSON' : ''}`, async (t) => {
      const terminal = new EventEmitter();
      const written = t.mock.method(process.stderr, 'write', () => true);
      const status = await new Promise((exit) => {
        void waitOrLeave(7, { options: ['--pid', '12'], json }, () => new Promise(() => {}), terminal, exit);
        terminal.emit('SIGINT');
      });
      const text = written.mock.calls.map(({ arguments: [each] }) => each).join('');
      written.mock.restore();
      assert.deepEqual([status, text.trimStart()], [130, told]);
    });

  test('is its own again once the job has ended', async () => {
    const terminal = new EventEmitter();
    assert.equal(
      await waitOrLeave(
        7,
        { options: [], json: false },
        async () => 'done',
        terminal,
        () => assert.fail(),
      ),
      'done',
    );
    assert.equal(terminal.listenerCount('SIGINT'), 0);
  });
});

describe('a look at a job', () => {
  const away = new JobsAwayError({ what: 'show', args: [] as never });

  test('goes on while the process that runs jobs is being replaced', async () => {
    let looks = 0;
    // As a client hears of it.
    const look = async () => (++looks < 3 ? Promise.reject(new InvokeError(away.message)) : looks);
    assert.equal(await untilAnswered(look), 3);
  });

  test('ends with any other error, and when nobody takes over', async () => {
    const other = new InvokeError('there is no job 7 here');
    await assert.rejects(
      untilAnswered(() => Promise.reject(other)),
      other,
    );
    await assert.rejects(
      untilAnswered(() => Promise.reject(away), -1),
      /is being replaced: ask again/,
    );
  });

  test('of what may have been done says so', () => {
    const call = { what: 'start', args: [] as never } as const;
    assert.match(new JobsAwayError(call, new Error('gone')).message, /job-list tells whether it was done: ask again/);
    assert.doesNotMatch(new JobsAwayError(call).message, /job-list/);
  });
});
