import type { Option } from '../../settings/options.ts';
import type { Args } from '../args/args.ts';
import type { Argument, Command, Program } from '../args/table.ts';
import { CONNECTION_FLAGS } from './connect.ts';
import type { Out } from './out.ts';

/** What the tables of both programs share: options, environment, arguments and subcommands. */

export const COMMON_FLAGS: readonly Option[] = [
  ...CONNECTION_FLAGS,
  { name: 'json', type: 'boolean', describe: 'Print results, and errors, as JSON' },
];

export const COMMON_ENVIRONMENT: Program<never>['environment'] = [['NO_COLOR', 'No colours, not even on a terminal']];

/** Of commands that a server can do as a job. */
export const BACKGROUND: Option = {
  name: 'background',
  type: 'boolean',
  describe: 'Have the server do it as a job, print the ID of that and do not wait (`bakeserv jobs`); needs bakeserv',
};

/** Of those that read or write a file, which is then the server's machine's. */
export const FILE_BACKGROUND: Option = {
  ...BACKGROUND,
  describe:
    'Have the server do it as a job, print the ID of that and do not wait (`bakeserv jobs`); for the user that the server runs as, on its machine',
};

/** Of `export`. */
export const TARGET_FILE: Argument = {
  name: 'FILE',
  describe: 'The file to write; by default standard output',
  optional: true,
  completes: 'file',
};

/** Of `import`. */
export const SOURCE_FILES: Argument = {
  name: 'FILE',
  describe: 'A file of an export; - is standard input',
  many: true,
  completes: 'file',
};

export const PING: Command<{
  readonly args: Args;
  readonly out: Out;
  client(): Promise<{ ping(): Promise<void> }>;
}> = {
  describe: 'Measure round trips',
  options: [
    { name: 'count', alias: 'n', values: ['COUNT'], type: 'integer', default: '10', describe: 'How many pings' },
    { name: 'quiet', type: 'boolean', alias: 'q', describe: 'Only the summary' },
  ],
  run: async ({ args, out, client }) => {
    const server = await client();
    return (await import('./ping.ts')).ping(args, out, () => server.ping());
  },
};
