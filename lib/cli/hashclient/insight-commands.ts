import type { Program } from '../args/table.ts';
import { SHARED_STATE_OPTIONS } from '../insights/shared-state-options.ts';
import type { HashCall } from './call.ts';

/** What the databases can tell beside look-ups. */
export const INSIGHT_COMMANDS: Program<HashCall>['commands'] = {
  insights: {
    describe: 'Show what the database can tell beside look-ups',
    details:
      'unstable: tasks that did not build the same output each time, and with --diff what differs in two outputs of one, file by file. ' +
      'equivalences: what was found equal, by recipe and by day, and what never is. ' +
      'age: how old reports are, by month, how large everything is, and what a garbage collection would remove. ' +
      'lookups: hits, misses and upstream hits over time, by method, and the tasks that were missed most in the last hour. ' +
      'shared-state: which unihashes have no object in a shared-state folder or on a mirror, and which objects no unihash names; ' +
      'the folder is read where this command runs. ' +
      'What each says, and what to do about it, is in docs/insights.md. Of a million rows it takes some seconds; nobody else waits meanwhile.',
    arguments: [
      { name: 'NAME', describe: 'Which one', choices: ['unstable', 'equivalences', 'age', 'lookups', 'shared-state'] },
    ],
    options: [
      { name: 'limit', type: 'integer', values: ['N'], describe: 'The most entries of a list; 100 without it' },
      {
        name: 'list',
        type: 'string',
        values: ['LIST'],
        describe: 'Only this list of it; --csv has the first otherwise',
      },
      { name: 'csv', type: 'boolean', describe: 'Print one list as CSV' },
      {
        name: 'recipe',
        type: 'string',
        values: ['PN'],
        describe: 'unstable, equivalences: only of this recipe',
      },
      {
        name: 'task',
        type: 'string',
        values: ['TASK'],
        describe: 'unstable, equivalences: only this task, as it is reported',
      },
      {
        name: 'since',
        type: 'string',
        values: ['TIME'],
        describe: 'unstable, equivalences: only what was reported since (2026-11, 2026-11-22 or 2026-11-22T03:04, UTC)',
      },
      {
        name: 'diff',
        type: 'string',
        values: ['TASKHASH'],
        describe: 'unstable: compare the signature texts of two outputs of this task, by default the newest two',
      },
      {
        name: 'method',
        type: 'string',
        values: ['METHOD'],
        describe: 'With --diff: the method of the task, where several have it',
      },
      {
        name: 'outhash',
        type: 'string',
        values: ['OUTHASH'],
        describe: 'With --diff: one output; --other is the other',
      },
      { name: 'other', type: 'string', values: ['OUTHASH'], describe: 'With --diff: what --outhash is compared with' },
      {
        name: 'max-age',
        type: 'number',
        values: ['SECONDS'],
        describe: 'age: what a garbage collection with this age would remove; 0 without it',
      },
      {
        name: 'span',
        type: 'string',
        values: ['SPAN'],
        choices: ['hour', 'day', 'month'],
        describe: 'lookups: how far back; an hour without it',
      },
      ...SHARED_STATE_OPTIONS,
    ],
    examples: [
      ['bakeserv-hashclient insights unstable --since 2026-11', 'which tasks are not reproducible'],
      ['bakeserv-hashclient insights unstable --diff 0b5b…', 'and what is not'],
      ['bakeserv-hashclient insights age --max-age 2592000', 'what is older than 30 days and used by nothing'],
      ['bakeserv-hashclient insights age --csv > months.csv', 'for a spreadsheet'],
      ['bakeserv-hashclient insights shared-state --sstate-dir /srv/sstate', 'what the server names and nobody has'],
    ],
    run: async (call) =>
      call.args.text('NAME') === 'shared-state'
        ? (await import('../insights/shared-state.ts')).sharedState(call)
        : (await import('../insights/run.ts')).insights(call),
  },
};
