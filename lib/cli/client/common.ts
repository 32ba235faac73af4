import type { Args } from './arguments.ts';
import { CONNECTION_FLAGS } from './connect.ts';
import type { Out } from './out.ts';
import type { ArgumentSpec, CommandSpec, FlagSpec, ProgramSpec } from './table.ts';

/** What the tables of both programs hold: options, environment, arguments and subcommands. */

export const COMMON_FLAGS: readonly FlagSpec[] = [
  ...CONNECTION_FLAGS,
  { name: 'json', describe: 'Print results, and errors, as JSON' },
];

export const COMMON_ENVIRONMENT: ProgramSpec<never>['environment'] = [['NO_COLOR', 'No colours, also on a terminal']];

/** Of `export`. */
export const TARGET_FILE: ArgumentSpec = {
  name: 'FILE',
  describe: 'Where to; standard output if left out',
  optional: true,
  completes: 'file',
};

/** Of `import`. */
export const SOURCE_FILES: ArgumentSpec = {
  name: 'FILE',
  describe: 'Of an export; - is standard input',
  many: true,
  completes: 'file',
};

export const PING: CommandSpec<{
  readonly args: Args;
  readonly out: Out;
  client(): Promise<{ ping(): Promise<void> }>;
}> = {
  describe: 'Measure round trips',
  flags: [
    { name: 'count', short: 'n', values: ['COUNT'], type: 'integer', default: '10', describe: 'How many' },
    { name: 'quiet', short: 'q', describe: 'Only the summary' },
  ],
  run: async ({ args, out, client }) => {
    const server = await client();
    return (await import('./ping.ts')).ping(args, out, () => server.ping());
  },
};
