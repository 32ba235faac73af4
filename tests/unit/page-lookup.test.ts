import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TaskRow } from '../../web/src/api/hashes.ts';
import type { Job } from '../../web/src/api/jobs.ts';
import { parameterTexts, progressText, resultLines } from '../../web/src/views/jobs/job-text.ts';
import { groupByTask, pairToCompare, recipeOf } from '../../web/src/views/lookup/groups.ts';

function row(values: Partial<TaskRow>): TaskRow {
  return {
    method: 'm',
    taskhash: 'a',
    unihash: null,
    outhash: null,
    owner: null,
    PN: null,
    PV: null,
    PR: null,
    task: null,
    created: null,
    siginfo: true,
    ...values,
  };
}

describe('what was looked up', () => {
  test('is grouped by task, with each output once', () => {
    const groups = groupByTask([
      row({ outhash: '1' }),
      row({ outhash: '2', unihash: 'u', PN: 'hello' }),
      row({ outhash: '1' }),
      row({ taskhash: 'b', outhash: '1' }),
    ]);
    assert.deepEqual(
      groups.map(({ taskhash, outputs }) => [taskhash, outputs.map(({ outhash }) => outhash)]),
      [
        ['a', ['1', '2']],
        ['b', ['1']],
      ],
    );
    assert.equal(groups[0]!.unihash, 'u');
    assert.equal(groups[0]!.name.PN, 'hello');
  });

  test('has its outputs from the oldest to the newest, as builds are told apart by their time', () => {
    const at = (outhash: string, created: string | null) => row({ outhash, created });
    const [group] = groupByTask([
      at('3', null),
      at('2', '2026-11-22T01:00:00+00:00'),
      at('1', '2026-11-21T09:00:00+00:00'),
    ]);
    assert.deepEqual(
      group!.outputs.map(({ outhash }) => outhash),
      ['1', '2', '3'],
    );
  });

  test('is compared where two outputs have a signature text', () => {
    const [group] = groupByTask([
      row({ outhash: '1', siginfo: false }),
      row({ outhash: '2' }),
      row({ outhash: '3' }),
      row({ outhash: '4' }),
    ]);
    assert.deepEqual(
      pairToCompare(group!)?.map(({ outhash }) => outhash),
      ['2', '4'],
    );
    const [other] = groupByTask([row({ outhash: '1', siginfo: false }), row({ outhash: '2' })]);
    assert.equal(pairToCompare(other!), null);
  });

  test('names a recipe with as much of its version as was reported', () => {
    assert.equal(recipeOf({ PN: 'hello', PV: '1.2', PR: 'r0' }), 'hello 1.2-r0');
    assert.equal(recipeOf({ PN: 'hello', PV: null, PR: null }), 'hello');
    assert.equal(recipeOf({ PN: null, PV: '1.2', PR: null }), null);
  });
});

describe('jobs in words', () => {
  const job: Job = {
    id: 1,
    kind: 'gc',
    parameters: {},
    state: 'running',
    user: null,
    address: '',
    created: '',
    started: null,
    ended: null,
    progress: { done: 1200, total: 8000, unit: 'rows', rate: 400, seconds_left: 17 },
    result: null,
    error: null,
  };

  test('tell how far they are, and how long it still takes while they run', () => {
    assert.equal(progressText(job), '1,200 of 8,000 rows (15 %), 400/s, 17 s left');
    assert.equal(progressText({ ...job, state: 'done' }), '1,200 of 8,000 rows (15 %)');
    const progress = { done: 3, total: null, unit: null, rate: null, seconds_left: null };
    assert.equal(progressText({ ...job, progress }), '3 steps');
  });

  test('have parameters and results of any shape', () => {
    assert.deepEqual(parameterTexts({ mark: 'a', remove: 4211, dry_run: true, where: { PN: 'x' } }), [
      'mark: a',
      'remove: 4,211',
      'dry_run: yes',
      'where: {"PN":"x"}',
    ]);
    assert.deepEqual(
      resultLines({
        prs: { new: 2, conflict_rows: [1, 2], raised_rows: [], rows: [{ a: 1 }] },
        read: 1000,
        error: null,
      }),
      [
        { name: 'PR values, new', value: '2' },
        { name: 'PR values, conflict rows', value: '2 rows' },
        { name: 'read', value: '1,000' },
      ],
    );
    assert.deepEqual(resultLines(null), []);
    assert.deepEqual(resultLines('done'), [{ name: 'result', value: 'done' }]);
  });
});
