import type { Command } from '../args/table.ts';
import type { ServerCall } from '../commands/call.ts';
import { flag } from './flag.ts';
import { PULL_OPTIONS, text } from './pull-options.ts';

/** What only a pull of everything has. */
const LEFT_OUT = ['packages', 'methods', 'since'];

export const PROMOTE_OPTIONS = [
  ...PULL_OPTIONS.filter(({ name }) => !LEFT_OUT.includes(name)),
  flag('yes', 'Do not ask', 'Output'),
  text(
    'list',
    'FILE',
    'Write every name of the list into this file, a line of JSON each: with --dry-run, or before the question. --json has up to 10,000 of a kind',
    'Output',
    { completes: 'file' },
  ),
];

export const PROMOTE_COMMAND: Command<ServerCall> = {
  describe: 'Take some packages of another server into the running server, after a look at the list',
  details:
    'Their PR values, the tasks that were reported for them, and all tasks that share a unihash with one of these. Done by the running server of this user, as a job, as ' +
    '`bakeserv pull` is. The list is shown and asked about; what is done is what was shown. With status 1 where there are conflicts, unless --on-conflict says what to do.',
  arguments: [
    { name: 'SOURCE', describe: 'As that of `bakeserv pull`', completes: 'file' },
    { name: 'PACKAGE', describe: 'A recipe (PN), or a whole version such as busybox-1.36.1-r0', many: true },
  ],
  options: PROMOTE_OPTIONS,
  examples: [
    ['bakeserv promote nightly.example.org:8686 busybox', 'the list, and a question'],
    ['bakeserv promote nightly.example.org:8686 busybox --dry-run --list list.jsonl', 'all of the list, for scripts'],
    ['bakeserv promote nightly.example.org:8686 busybox-1.36.1-r0 --yes', 'of one version, for scripts'],
  ],
  run: async (call) => (await import('../publish/promote.ts')).run(call),
};
