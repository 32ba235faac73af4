import type { Program } from '../args/table.ts';
import { SHARED_STATE_OPTIONS } from '../insights/shared-state-options.ts';
import type { HashCall } from './call.ts';

/** What the databases can tell beside look-ups. */
export const INSIGHT_COMMANDS: Program<HashCall>['commands'] = {
  insights: {
    describe: 'Show what the database can tell beside look-ups',
    details:
      'age: how old reports are, by month, how large everything is, and what a garbage collection would remove. ' +
      'lookups: hits, misses and upstream hits over time, by method, and the tasks that were missed most in the last hour. ' +
      'shared-state: which unihashes have no object in a shared-state folder or on a mirror, and which objects no unihash names; ' +
      'the folder is read where this command runs. ' +
      'What each says, and what to do about it, is in docs/insights.md. Of a million rows it takes some seconds; nobody else waits meanwhile.',
    arguments: [{ name: 'NAME', describe: 'Which one', choices: ['age', 'lookups', 'shared-state'] }],
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
