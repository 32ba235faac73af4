import type { Option } from '../../settings/options.ts';
import type { Program } from '../args/table.ts';
import type { HashCall } from './call.ts';

const MARK = { name: 'MARK', describe: 'The name of the collection' };
const WHERE: Option = {
  name: 'where',
  type: 'strings',
  alias: 'w',
  values: ['KEY', 'VALUE'],
  describe: 'Rows whose column KEY is VALUE; given several times, all must match',
};

/** Subcommands about what is in the database, and what goes from it. */
export const DATABASE_COMMANDS: Program<HashCall>['commands'] = {
  remove: {
    describe: 'Remove hash rows',
    options: [WHERE, { name: 'dry-run', type: 'boolean', describe: 'Only count what would go' }],
    examples: [['bakeserv-hashclient remove -w taskhash 0b5b…', 'forget one task']],
    run: async (call) => (await import('./database.ts')).remove(call),
  },
  'clean-unused': {
    describe: 'Remove old reports of outputs whose task has no unihash any more',
    arguments: [{ name: 'SECONDS', type: 'number', describe: 'Only what is older than this' }],
    run: async (call) => (await import('./database.ts')).cleanUnused(call),
  },
  'get-db-usage': {
    describe: 'Count the rows of each table',
    run: async (call) => (await import('./database.ts')).usage(call),
  },
  'get-db-query-columns': {
    describe: 'List the columns that --where understands',
    run: async (call) => (await import('./database.ts')).queryColumns(call),
  },
  'gc-status': {
    describe: 'Show the garbage collection in progress',
    run: async (call) => (await import('./marks.ts')).gcStatus(call),
  },
  'gc-mark': {
    describe: 'Mark hashes to keep',
    details: 'A new MARK starts a new collection; what is reported from then on is kept.',
    arguments: [MARK],
    options: [WHERE],
    run: async (call) => (await import('./marks.ts')).gcMark(call),
  },
  'gc-sweep': {
    describe: 'Remove every hash that is not marked, and end the collection',
    arguments: [MARK],
    run: async (call) => (await import('./marks.ts')).gcSweep(call),
  },
  'gc-mark-stream': {
    describe: 'Mark hashes to keep, from standard input',
    details: 'Each line names rows: "column value column value …".',
    arguments: [MARK],
    examples: [['sed "s/^/unihash /" keep.txt | bakeserv-hashclient gc-mark-stream today', 'keep a list of unihashes']],
    run: async (call) => (await import('./gc.ts')).gcMarkStream(call),
  },
  gc: {
    describe: 'Remove every hash that is not in use, in one go',
    details:
      'Marks what the shared-state folder or the list names, shows how many hashes are kept and removed, sweeps, and ' +
      'removes reports that are of no more use. A list holds a unihash a line, or "column value column value …". ' +
      'When more than half would go it is refused without --yes.',
    options: [
      {
        name: 'sstate-dir',
        type: 'string',
        values: ['DIR'],
        completes: 'folder',
        describe: 'Keep what has a file in this folder',
      },
      {
        name: 'keep-from',
        type: 'string',
        values: ['FILE'],
        completes: 'file',
        describe: 'Keep what this list names; - is standard input',
      },
      {
        name: 'max-age',
        values: ['SECONDS'],
        type: 'number',
        default: '0',
        describe: 'Of the reports without a unihash, remove those older than this',
      },
      {
        name: 'mark',
        type: 'string',
        values: ['NAME'],
        default: 'gc- and the time',
        describe: 'The name of the collection',
      },
      { name: 'dry-run', type: 'boolean', describe: 'Only count; nothing is marked or removed' },
      { name: 'yes', type: 'boolean', describe: 'Also when more than half would be removed' },
    ],
    examples: [
      ['bakeserv-hashclient gc --sstate-dir /srv/sstate --dry-run', 'see what would go'],
      ['bakeserv-hashclient gc --sstate-dir /srv/sstate', 'remove what no shared-state file is left of'],
    ],
    run: async (call) => (await import('./gc.ts')).gc(call),
  },
};
