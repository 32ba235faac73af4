import type { Program } from '../args/table.ts';
import { SOURCE_FILES, TARGET_FILE } from '../client/common.ts';
import type { HashCall } from './call.ts';

/** Subcommands that move rows between servers, or compare servers. */
export const TRANSFER_COMMANDS: Program<HashCall>['commands'] = {
  export: {
    describe: 'Write every hash row as JSON lines',
    details:
      'FILE is written beside its place (FILE.part) and moved there when it is whole: a failure leaves the old one, and ' +
      'what was written for --resume to go on with.',
    arguments: [TARGET_FILE],
    options: [{ name: 'resume', type: 'boolean', describe: 'Go on with the FILE of an export that was interrupted' }],
    examples: [['bakeserv-hashclient export hashes.jsonl', 'for a backup, or for another server']],
    run: async (call) => (await import('./transfer.ts')).exportHashes(call),
  },
  import: {
    describe: 'Store the rows of an export',
    details: 'Rows that are there already stay as they are, so an import can be repeated.',
    arguments: [SOURCE_FILES],
    options: [{ name: 'from-line', values: ['N'], type: 'integer', default: '1', describe: 'Begin with this line' }],
    examples: [['bakeserv-hashclient --address :8686 import hashes.jsonl', 'into another server']],
    run: async (call) => (await import('./transfer.ts')).importHashes(call),
  },
  diff: {
    describe: 'Compare what two servers say of tasks',
    details:
      'Prints the tasks of which they differ: method, taskhash, the unihash of the first and of the second, - for ' +
      'none. With --json an object for each, and then one with the counts. The exit status is 1 when there are any.',
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
