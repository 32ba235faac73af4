import type { Program } from '../args/table.ts';
import { FILE_BACKGROUND, SOURCE_FILES, TARGET_FILE } from '../client/common.ts';
import type { HashCall } from './call.ts';

/** Subcommands that move rows between servers, or compare servers. */
export const TRANSFER_COMMANDS: Program<HashCall>['commands'] = {
  export: {
    describe: 'Write every hash row as JSON lines',
    details:
      'The export goes to FILE.part, which becomes FILE when it is complete: a failure leaves the old FILE, and ' +
      'FILE.part for --resume.',
    arguments: [TARGET_FILE],
    options: [{ name: 'resume', type: 'boolean', describe: 'Resume an interrupted export to FILE' }, FILE_BACKGROUND],
    examples: [['bakeserv-hashclient export hashes.jsonl', 'for a backup, or for another server']],
    run: async (call) => (await import('./transfer.ts')).exportHashes(call),
  },
  import: {
    describe: 'Store the rows of an export',
    details: 'Rows that are there already stay as they are, so an import can be repeated.',
    arguments: [SOURCE_FILES],
    options: [
      { name: 'from-line', values: ['N'], type: 'integer', default: '1', describe: 'Start at this line' },
      FILE_BACKGROUND,
    ],
    examples: [['bakeserv-hashclient --address :8686 import hashes.jsonl', 'into another server']],
    run: async (call) => (await import('./transfer.ts')).importHashes(call),
  },
  diff: {
    describe: 'Compare the unihashes of tasks on two servers',
    details:
      'Prints the tasks whose unihashes differ: method, taskhash, unihash on the first server and on the second, - for ' +
      'none. With --json, prints an object for each, then one with the counts. The exit status is 1 if any differ.',
    arguments: [
      { name: 'ADDRESS', describe: 'The first server' },
      { name: 'OTHER', describe: 'The second server' },
    ],
    options: [
      {
        name: 'taskhashes',
        type: 'string',
        values: ['FILE'],
        required: true,
        completes: 'file',
        describe: 'Lines "method taskhash"; - is standard input',
      },
    ],
    examples: [
      ['bakeserv-hashclient diff unix://./hashserve.sock hash.example.com:8686 --taskhashes tasks.txt', 'two servers'],
    ],
    run: async (call) => (await import('./diff.ts')).diff(call),
  },
};
