import type { Program } from '../args/table.ts';
import { PING } from '../client/common.ts';
import type { HashCall } from './call.ts';

const METHOD = { name: 'METHOD', describe: 'How outputs were hashed, e.g. oe.sstatesig.OEOuthashBasic' };
const TASKHASH = { name: 'TASKHASH', describe: 'The hash of the inputs of the task' };

/** Subcommands that look something up, or measure the server. */
export const LOOKUP_COMMANDS: Program<HashCall>['commands'] = {
  get: {
    describe: 'Show the unihash of a task, and what was reported about it',
    details: 'Prints JSON, and nothing when the task is unknown.',
    arguments: [METHOD, TASKHASH],
    examples: [
      [
        'bakeserv-hashclient get oe.sstatesig.OEOuthashBasic 0b5b…',
        'what the server on the socket in this folder knows about a task',
      ],
    ],
    run: async (call) => (await import('./lookups.ts')).get(call),
  },
  'get-outhash': {
    describe: 'Show the oldest report of an output',
    details: 'Prints JSON, and nothing when the output is unknown.',
    arguments: [METHOD, { name: 'OUTHASH', describe: 'The hash of the output of the task' }, TASKHASH],
    run: async (call) => (await import('./lookups.ts')).getOuthash(call),
  },
  find: {
    describe: 'Show whatever is known of a taskhash, an outhash, a unihash or a recipe',
    details:
      "64 hex digits are looked for as each of the three. Anything else is a recipe's name, in which * at the beginning and at the end stands for " +
      'any text; of a recipe the newest reports are shown. A line for each report: method, taskhash, unihash, outhash, recipe with its ' +
      'version, task, when and by whom it was reported, and whether a signature text is stored. The status is 1 when nothing is known.',
    arguments: [{ name: 'TEXT', describe: 'A hash, or the name of a recipe' }],
    options: [
      { name: 'limit', type: 'integer', values: ['N'], default: '100', describe: 'Reports to show, at most 500' },
    ],
    examples: [
      ['bakeserv-hashclient find 0b5b…', 'what a hash is, who reported it, and what is equivalent'],
      ["bakeserv-hashclient find 'linux-*'", 'the newest reports of these recipes'],
    ],
    run: async (call) => (await import('./lookups.ts')).find(call),
  },
  'unihash-exists': {
    describe: 'Report whether any task has a unihash',
    arguments: [{ name: 'UNIHASH', describe: 'The unihash to look up' }],
    options: [
      {
        name: 'quiet',
        type: 'boolean',
        alias: 'q',
        describe: 'Print nothing; the exit status is 0 for yes and 1 for no',
      },
    ],
    examples: [['bakeserv-hashclient unihash-exists --quiet "$UNIHASH" && echo known', 'in a script']],
    run: async (call) => (await import('./lookups.ts')).unihashExists(call),
  },
  stats: {
    describe: 'Show how many requests there were and how long they took',
    options: [{ name: 'reset', type: 'boolean', describe: 'Reset the counters; shows the figures before the reset' }],
    run: async (call) => (await import('./lookups.ts')).stats(call),
  },
  ping: PING,
  stress: {
    describe: 'Put load on the server and measure it',
    details: 'Every client has one look-up in flight at a time. The same seeds ask the same hashes.',
    options: [
      { name: 'clients', values: ['N'], type: 'integer', default: '10', describe: 'Clients at once' },
      { name: 'requests', values: ['N'], type: 'integer', default: '1000', describe: 'Look-ups of each client' },
      { name: 'report', type: 'boolean', describe: 'Report hashes that are missed' },
      { name: 'taskhash-seed', type: 'string', values: ['S'], describe: 'Seed for the taskhashes' },
      { name: 'outhash-seed', type: 'string', values: ['S'], describe: 'Seed for the outhashes' },
    ],
    run: async (call) => (await import('./stress.ts')).stress(call),
  },
};
