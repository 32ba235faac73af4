import type { Option } from '../../settings/options.ts';
import type { Program } from '../args/table.ts';
import { BACKGROUND } from '../client/common.ts';
import type { HashCall } from './call.ts';

const MARK = { name: 'MARK', describe: 'The name of the collection' };
const WHERE: Option = {
  name: 'where',
  type: 'strings',
  alias: 'w',
  values: ['KEY', 'VALUE'],
  describe: 'Rows whose column KEY is VALUE; given several times, all must match',
};

/** Subcommands that look into the database or remove rows. */
export const DATABASE_COMMANDS: Program<HashCall>['commands'] = {
  remove: {
    describe: 'Remove hash rows',
    options: [WHERE, { name: 'dry-run', type: 'boolean', describe: 'Only count what would be removed' }, BACKGROUND],
    examples: [['bakeserv-hashclient remove -w taskhash 0b5b…', 'forget one task']],
    run: async (call) => (await import('./database.ts')).remove(call),
  },
  'clean-unused': {
    describe: 'Remove old reports of outputs whose task no longer has a unihash',
    arguments: [{ name: 'SECONDS', type: 'number', describe: 'Only reports older than this' }],
    options: [BACKGROUND],
    run: async (call) => (await import('./database.ts')).cleanUnused(call),
  },
  'get-db-usage': {
    describe: 'Count the rows of each table',
    run: async (call) => (await import('./database.ts')).usage(call),
  },
  'get-db-query-columns': {
    describe: 'List the columns that --where accepts',
    run: async (call) => (await import('./database.ts')).queryColumns(call),
  },
  'gc-status': {
    describe: 'Show the garbage collection in progress',
    run: async (call) => (await import('./marks.ts')).gcStatus(call),
  },
  'gc-mark': {
    describe: 'Mark hashes to keep',
    details: 'A new MARK starts a new collection; hashes reported after that are kept.',
    arguments: [MARK],
    options: [WHERE, BACKGROUND],
    run: async (call) => (await import('./marks.ts')).gcMark(call),
  },
  'gc-sweep': {
    describe: 'Remove every hash that is not marked, and end the collection',
    arguments: [MARK],
    options: [BACKGROUND],
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
    describe: 'Remove every hash that is not in use, in one step',
    details:
      'Marks what the shared-state folder or the list names, shows how many hashes are kept and removed, sweeps, and ' +
      'removes reports that are no longer needed. A list has one unihash per line, or "column value column value …". ' +
      'If more than half would be removed, it is refused without --yes.',
    options: [
      {
        name: 'sstate-dir',
        type: 'string',
        values: ['DIR'],
        completes: 'folder',
        describe: 'Keep hashes that have a file in this folder',
      },
      {
        name: 'keep-from',
        type: 'string',
        values: ['FILE'],
        completes: 'file',
        describe: 'Keep hashes that this list names; - is standard input',
      },
      {
        name: 'max-age',
        values: ['SECONDS'],
        type: 'number',
        default: '0',
        describe: 'Remove reports without a unihash that are older than this',
      },
      {
        name: 'mark',
        type: 'string',
        values: ['NAME'],
        default: 'gc- and the time',
        describe: 'The name of the collection',
      },
      { name: 'dry-run', type: 'boolean', describe: 'Only count; nothing is marked or removed' },
      { name: 'yes', type: 'boolean', describe: 'Proceed even if more than half would be removed' },
      {
        ...BACKGROUND,
        describe: 'Once the rows to keep are marked, have the server do the rest as a job, and print the ID of that',
      },
    ],
    examples: [
      ['bakeserv-hashclient gc --sstate-dir /srv/sstate --dry-run', 'see what would be removed'],
      ['bakeserv-hashclient gc --sstate-dir /srv/sstate', 'remove hashes without a shared-state file'],
    ],
    run: async (call) => (await import('./gc.ts')).gc(call),
  },
};
