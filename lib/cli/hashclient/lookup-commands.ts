import type { Program } from '../args/table.ts';
import { PING } from '../client/common.ts';
import type { HashCall } from './call.ts';

const METHOD = { name: 'METHOD', describe: 'How outputs were hashed, e.g. oe.sstatesig.OEOuthashBasic' };
const TASKHASH = { name: 'TASKHASH', describe: 'What goes into the task, as a hash' };

/** Subcommands that ask the server something, or see how fast it is. */
export const LOOKUP_COMMANDS: Program<HashCall>['commands'] = {
  get: {
    describe: 'Show the unihash of a task, with what was reported of it',
    details: 'Prints JSON, and nothing when the task is unknown.',
    arguments: [METHOD, TASKHASH],
    examples: [
      [
        'bakeserv-hashclient get oe.sstatesig.OEOuthashBasic 0b5b…',
        'what the server by the socket here knows of a task',
      ],
    ],
    run: async (call) => (await import('./lookups.ts')).get(call),
  },
  'get-outhash': {
    describe: 'Show the oldest report of an output',
    details: 'Prints JSON, and nothing when the output is unknown.',
    arguments: [METHOD, { name: 'OUTHASH', describe: 'What came out of the task, as a hash' }, TASKHASH],
    run: async (call) => (await import('./lookups.ts')).getOuthash(call),
  },
  'unihash-exists': {
    describe: 'Say whether any task has a unihash',
    arguments: [{ name: 'UNIHASH', describe: 'The unihash asked about' }],
    options: [
      {
        name: 'quiet',
        type: 'boolean',
        alias: 'q',
        describe: 'Print nothing: the exit status says it, 0 for yes and 1 for no',
      },
    ],
    examples: [['bakeserv-hashclient unihash-exists --quiet "$UNIHASH" && echo known', 'in a script']],
    run: async (call) => (await import('./lookups.ts')).unihashExists(call),
  },
  stats: {
    describe: 'Show how many requests there were and how long they took',
    options: [{ name: 'reset', type: 'boolean', describe: 'Begin to count anew; shows the figures before' }],
    run: async (call) => (await import('./lookups.ts')).stats(call),
  },
  ping: PING,
  stress: {
    describe: 'Put the server under load and measure it',
    details: 'Every client has one look-up in flight at a time. The same seeds ask the same hashes.',
    options: [
      { name: 'clients', values: ['N'], type: 'integer', default: '10', describe: 'Clients at once' },
      { name: 'requests', values: ['N'], type: 'integer', default: '1000', describe: 'Look-ups of each client' },
      { name: 'report', type: 'boolean', describe: 'Report what is missed' },
      { name: 'taskhash-seed', type: 'string', values: ['S'], describe: 'What taskhashes are made from' },
      { name: 'outhash-seed', type: 'string', values: ['S'], describe: 'What outhashes are made from' },
    ],
    run: async (call) => (await import('./stress.ts')).stress(call),
  },
};
