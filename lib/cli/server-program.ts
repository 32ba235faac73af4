import { CONFIG_OPTION, SERVE_OPTIONS } from '../settings/serve-options.ts';
import { completionCommand } from './args/completion.ts';
import type { Program } from './args/table.ts';
import type { ServerCall } from './commands/call.ts';
import { AUTO_OPTIONS, PRIVATE_OPTIONS } from './tables/auto-options.ts';
import { HASHSERV_OPTIONS, PRSERV_OPTIONS } from './tables/bitbake-options.ts';
import { STATUS_OPTIONS } from './tables/status-options.ts';
import { WARM_OPTIONS } from './tables/warm-options.ts';

/** Every subcommand of bakeserv. */
export const SERVER: Program<ServerCall> = {
  name: 'bakeserv',
  about: 'One server for the hash equivalence and PR values of BitBake / Yocto builds.',
  details:
    'One server for the two shared memories of BitBake / Yocto builds. Options of `serve` may be given as flags, in the ' +
    'environment, and in the configuration file: the flag is the strongest, then the environment. `bakeserv config ' +
    'check` reports what is wrong with them, `bakeserv config print` where each was set.',
  options: [],
  environment: [],
  files: [
    ['./bakeserv.yaml, /etc/bakeserv/bakeserv.yaml', 'The configuration file that is read when none is named'],
    ['DIR/.bakeserv', "Lock, control socket and log of a build folder's private server"],
  ],
  statuses: [
    ['0', 'All went well.'],
    ['1', 'An error.'],
    ['2', 'Wrong usage, or a wrong setting.'],
    ['3', 'A database can no longer be trusted.'],
    ['other', 'Of `bakeserv run`: the status of its command.'],
  ],
  sections: [
    [
      'SIGNALS',
      'SIGTERM and SIGINT end a server when what was read has been answered and the databases are closed, within 10 s; a second one ends it at once. SIGHUP reopens the log and reads the settings again.',
    ],
  ],
  open: (_shared, args, words) => ({ args, flags: args.flags(), words }),
  close: () => {},
  commands: {
    serve: {
      describe: 'Serve hash equivalence and PR values to BitBake builds, until a signal',
      options: [CONFIG_OPTION, ...SERVE_OPTIONS],
      examples: [
        ['bakeserv serve', 'both services on ./hashserve.sock and 127.0.0.1:8585'],
        ['bakeserv serve --bind :8585 --hashserv-db /var/lib/bakeserv/hash.db', 'for a farm'],
      ],
      run: async (call) => (await import('./commands/serve.ts')).run(call),
    },
    config: {
      describe: 'Check the settings, or show each with where it was set',
      details:
        '`check` makes every check of `bakeserv serve` short of opening the databases and listening, `print` shows every ' +
        'option, its value and where that was set (secrets are masked), `schema` prints the JSON Schema of the ' +
        'configuration file, for editors.',
      arguments: [{ name: 'ACTION', describe: 'What to do', choices: ['check', 'print', 'schema'], isCommand: true }],
      options: [CONFIG_OPTION, ...SERVE_OPTIONS],
      examples: [
        ['bakeserv config check --config /etc/bakeserv/bakeserv.yaml', 'before a restart'],
        ['bakeserv config print | grep -v "# default"', 'what was changed, and by whom'],
      ],
      run: async (call) => (await import('./commands/config.ts')).run(call),
    },
    auto: {
      describe: 'Start (or find) a private server for a build folder, and print what BitBake has to be told',
      details: 'The server runs in the background and ends by itself.',
      options: AUTO_OPTIONS,
      examples: [
        ['eval "$(bakeserv auto)"', 'BB_HASHSERVE and PRSERV_HOST for the builds of this shell'],
        ['bakeserv auto --format conf > conf/bakeserv.conf', 'for "include conf/bakeserv.conf" in local.conf'],
        ['bakeserv auto --stop', 'when the day is over'],
      ],
      run: async (call) => (await import('./commands/auto.ts')).run(call),
    },
    run: {
      describe: 'Run a command with a private server: bakeserv run -- bitbake world',
      details:
        'Sets BB_HASHSERVE and PRSERV_HOST (and lets BitBake see them), keeps the server alive, stops it afterwards ' +
        "unless another build uses it, and exits with the command's status.",
      arguments: [{ name: 'COMMAND', describe: 'Behind --, with its own arguments', optional: true, many: true }],
      options: PRIVATE_OPTIONS,
      examples: [['bakeserv run -- bitbake core-image-minimal', 'a build with its own server']],
      run: async (call) => (await import('./commands/run.ts')).run(call),
    },
    warm: {
      describe: 'Have a server fetch from its upstream what it misses',
      details: 'Asks for the tasks of FILE (lines "method taskhash"), of standard input, or of another database.',
      arguments: [
        {
          name: 'FILE',
          describe: 'Lines "method taskhash"; standard input without it',
          optional: true,
          completes: 'file',
        },
      ],
      options: WARM_OPTIONS,
      examples: [
        ['bakeserv warm tasks.txt', 'lines "method taskhash" of a file'],
        ['bakeserv warm --from-db old/hashserv.db --address build1:8686', 'everything another database knows'],
      ],
      run: async (call) => (await import('./commands/warm.ts')).run(call),
    },
    status: {
      describe: 'Show the running servers of this user on this machine',
      details: 'Services that systemd gave a folder in /run are shown too.',
      options: STATUS_OPTIONS,
      examples: [['bakeserv status --check', 'with status 1 when something is wrong']],
      run: async (call) => (await import('./commands/status.ts')).run(call),
    },
    'bitbake-hashserv': {
      describe: 'As BitBake’s command of that name, with its flags and environment',
      details: 'Also `contrib/bitbake/bitbake-hashserv`: BitBake’s hash equivalence server by its own flags.',
      options: HASHSERV_OPTIONS,
      run: async (call) => (await import('./commands/bitbake-hashserv.ts')).run(call),
    },
    'bitbake-prserv': {
      describe: 'As BitBake’s command of that name, with its flags and environment',
      details: 'Also `contrib/bitbake/bitbake-prserv`: BitBake’s PR server by its own flags.',
      options: PRSERV_OPTIONS,
      run: async (call) => (await import('./commands/bitbake-prserv.ts')).run(call),
    },
    completion: completionCommand('bakeserv', () => SERVER),
  },
};
