import { CONFIG_OPTION, SERVE_OPTIONS } from '../settings/serve-options.ts';
import { completionCommand } from './args/completion.ts';
import type { Program } from './args/table.ts';
import type { ServerCall } from './commands/call.ts';
import { AUTO_OPTIONS, PRIVATE_OPTIONS } from './tables/auto-options.ts';
import { HASHSERV_OPTIONS, PRSERV_OPTIONS } from './tables/bitbake-options.ts';
import { CLONE_OPTIONS, COPY_OPTIONS } from './tables/copy-options.ts';
import { JOBS_OPTIONS } from './tables/jobs-options.ts';
import { PROMOTE_COMMAND } from './tables/promote-command.ts';
import { PULL_OPTIONS } from './tables/pull-options.ts';
import { RELOAD_OPTIONS } from './tables/reload-options.ts';
import { STAGE_COMMANDS } from './tables/stage-commands.ts';
import { STATUS_OPTIONS } from './tables/status-options.ts';
import { BACKUP_OPTIONS, CHECK_OPTIONS, MIGRATE_OPTIONS, RESTORE_OPTIONS } from './tables/upkeep-options.ts';
import { WARM_OPTIONS } from './tables/warm-options.ts';

/** Every subcommand of bakeserv. */
export const SERVER: Program<ServerCall> = {
  name: 'bakeserv',
  about: 'One server for the hash equivalence and PR values of BitBake / Yocto builds.',
  details:
    'One server for the two shared memories of BitBake / Yocto builds. Options of `serve` may be given as flags, in the ' +
    'environment, and in the configuration file: flags win over the environment, and that over the file. `bakeserv config ' +
    'check` reports what is wrong with them, `bakeserv config print` shows where each was set.',
  options: [],
  environment: [],
  files: [
    [
      './bakeserv.yaml, /etc/bakeserv/bakeserv.yaml',
      'The configuration files that are read when none is named: the first that exists',
    ],
    ['DIR/.bakeserv', "Lock, control socket and log of a build folder's private server"],
  ],
  statuses: [
    ['0', 'All went well.'],
    ['1', 'An error.'],
    ['2', 'Wrong usage, or a wrong setting.'],
    ['3', 'A database can no longer be trusted.'],
    ['other', 'The status of the command of `bakeserv run`.'],
  ],
  sections: [
    [
      'SIGNALS',
      'On SIGTERM or SIGINT a server answers the requests it has read, closes the databases and ends, within 10 s; a second signal ends it at once. SIGHUP reopens the log and reads the settings again, as `bakeserv reload` does.',
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
    worker: {
      describe: 'One process of a server with --workers',
      arguments: [{ name: 'NUMBER', describe: 'Which of them it is', optional: true }],
      hidden: true,
      run: async () => (await import('./commands/worker.ts')).run(),
    },
    config: {
      describe: 'Check the settings, or show each value and where it was set',
      details:
        '`check` makes every check of `bakeserv serve`, short of opening the databases and listening. `print` shows every ' +
        'option, its value and where that was set (secrets are masked). `schema` prints the JSON Schema of the ' +
        'configuration file, for editors.',
      arguments: [{ name: 'ACTION', describe: 'What to do', choices: ['check', 'print', 'schema'], isCommand: true }],
      options: [CONFIG_OPTION, ...SERVE_OPTIONS],
      examples: [
        ['bakeserv config check --config /etc/bakeserv/bakeserv.yaml', 'before a restart'],
        ['bakeserv config print | grep -v "# default"', 'what was changed, and where'],
      ],
      run: async (call) => (await import('./commands/config.ts')).run(call),
    },
    auto: {
      describe: 'Start (or find) a private server for a build folder, and print the variables for BitBake',
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
      arguments: [
        {
          name: 'COMMAND',
          describe: 'The command and its arguments, after --',
          optional: true,
          many: true,
          isBehindDashes: true,
        },
      ],
      options: PRIVATE_OPTIONS,
      examples: [['bakeserv run -- bitbake core-image-minimal', 'a build with its own server']],
      run: async (call) => (await import('./commands/run.ts')).run(call),
    },
    ...STAGE_COMMANDS,
    warm: {
      describe: 'Make a server fetch what it does not have from its upstream',
      details: 'Asks for the tasks of FILE (lines "method taskhash"), of standard input, or of another database.',
      arguments: [
        {
          name: 'FILE',
          describe: 'Lines "method taskhash"; by default standard input',
          optional: true,
          completes: 'file',
        },
      ],
      options: WARM_OPTIONS,
      examples: [
        ['bakeserv warm tasks.txt', 'lines "method taskhash" of a file'],
        ['bakeserv warm --from-db old/hashserv.db --address build1:8686', 'everything in another database'],
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
    reload: {
      describe: 'Have a running server read its settings again, and report what it took over',
      details:
        'As SIGHUP does, with an answer: what is in force now, what waits for a restart, and what is wrong (status 1; ' +
        'wrong settings change nothing). Without PID, --dir or --socket the only server of this user is meant. Only ' +
        'the user that a server runs as can do this.',
      arguments: [
        { name: 'PID', describe: 'The process of the server, as `bakeserv status` shows it', optional: true },
      ],
      options: RELOAD_OPTIONS,
      examples: [['bakeserv reload --json', 'for scripts']],
      run: async (call) => (await import('./commands/reload.ts')).run(call),
    },
    jobs: {
      describe: 'Show, start, wait for and cancel the jobs of a running server',
      details:
        'Long work runs in the server (docs/jobs.md). Without --pid, --dir or --socket the only server of this user is asked, ' +
        'as its owner: of all jobs, those that name files of this machine included. With --address a server is asked as a client, ' +
        'with the rights of one. Parameters of a kind are NAME=TEXT, or NAME:=JSON for what is not a text. The status of ' +
        '`wait` is 0 when the job was done.',
      arguments: [
        {
          name: 'ACTION',
          describe: 'What to do',
          choices: ['list', 'show', 'wait', 'cancel', 'log', 'start'],
          isCommand: true,
        },
        {
          name: 'WHAT',
          describe: 'The ID of a job; for start a KIND and its parameters',
          optional: true,
          many: true,
        },
      ],
      options: JOBS_OPTIONS,
      examples: [
        ['bakeserv jobs start backup folder=/var/backups/bakeserv --wait', 'with a bar on a terminal'],
        ['bakeserv jobs start clean-unused max_age_seconds:=2592000', 'prints the ID and is done'],
        ['bakeserv jobs list --states waiting,running', 'what there is to do'],
      ],
      run: async (call) => (await import('./jobs/run.ts')).run(call),
    },
    backup: {
      describe: 'Copy the databases into a folder, also while a server writes to them',
      details:
        'Each copy is the database at one moment, checked and on disk before it has its name: hashserv-TIME.db and ' +
        'prserv-TIME.sqlite3, one file when both services share one. Nothing is overwritten. The databases are those of the ' +
        'configuration; with --hashserv-db or --prserv-db those alone.',
      arguments: [{ name: 'DIR', describe: 'Where the copies go; made if it is not there', completes: 'folder' }],
      options: BACKUP_OPTIONS,
      examples: [
        ['bakeserv backup /var/backups/bakeserv', 'the databases of the configuration'],
        ['bakeserv backup /backup --prserv-db /var/lib/bakeserv/prserv.sqlite3 --keep 30', 'PR values alone, a month'],
      ],
      run: async (call) => (await import('./upkeep/backup.ts')).run(call),
    },
    check: {
      describe: 'Check database files: whether they are whole, complete, and hold only what servers can use',
      details: 'They are only read, and may be in use. The status is 3 when something is wrong with a file.',
      arguments: [{ name: 'FILE', describe: 'A database or a backup', many: true, completes: 'file' }],
      options: CHECK_OPTIONS,
      examples: [['bakeserv check /var/backups/bakeserv/*', 'every backup']],
      run: async (call) => (await import('./upkeep/check.ts')).run(call),
    },
    restore: {
      describe: 'Put a backup in the place of the database it was made of, while no server has that',
      details:
        'Which service it is for is found out from the backup, which is checked first. What was there is kept beside it. ' +
        'PR values given out since the backup would be given out again: the command shows them and asks.',
      arguments: [{ name: 'BACKUP', describe: 'A file that bakeserv backup made', completes: 'file' }],
      options: RESTORE_OPTIONS,
      examples: [['bakeserv restore /var/backups/bakeserv/prserv-20261121T190000Z.sqlite3', 'after systemctl stop']],
      run: async (call) => (await import('./upkeep/restore.ts')).run(call),
    },
    copy: {
      describe: 'Copy hashes and PR values between database files, PostgreSQL databases and running servers',
      details:
        'FROM may be in use, TO may not. Rows that are there already are compared and stay as they are: the status is 1 when some ' +
        'differ. A copy that ended early goes on when it is started again. At the end both are compared, row by row or by a hash.',
      arguments: [
        {
          name: 'FROM',
          describe:
            'A database file, postgres://USER@HOST/DATABASE, or a running server: unix://PATH, HOST:PORT, ws://HOST:PORT …',
          completes: 'file',
        },
        { name: 'TO', describe: 'The same', completes: 'file' },
      ],
      options: COPY_OPTIONS,
      examples: [
        ['bakeserv copy /var/lib/bakeserv/hashserv.db postgres://bakeserv@db/bakeserv', 'after systemctl stop'],
        ['bakeserv copy build1:8686 hashes.db --hashes', 'what a running server has'],
        ['bakeserv copy --dry-run old.db new.db', 'what would be new, and what differs'],
      ],
      run: async (call) => (await import('./transfer/copy.ts')).run(call),
    },
    pull: {
      describe: 'Take the hashes and PR values of another server, a database or an export into the running server',
      details:
        'Done by the running server of this user, as a job. PR values come in one transaction: clients see all of them or none. ' +
        'Where there are conflicts the status is 1, and nothing is written unless --on-conflict says what to do.',
      arguments: [
        {
          name: 'SOURCE',
          describe:
            'An address of a server (unix://PATH, HOST:PORT, tls://HOST:PORT, ws://HOST:PORT or wss://HOST:PORT), a database file, a folder with database files, ' +
            'a postgres:// address, or a file that bakeserv-hashclient export or bakeserv-prclient export has written',
          completes: 'file',
        },
      ],
      options: PULL_OPTIONS,
      examples: [
        ['bakeserv pull nightly.example.org:8686 --dry-run', 'what is new, and what is in conflict'],
        ['bakeserv pull nightly.example.org:8686 --on-conflict keep', 'ours stays, the rest comes in'],
        ['bakeserv pull nightly.example.org:8686 --prs --packages "busybox*"', 'some PR values'],
        ['bakeserv pull /mnt/old/hashserv.db', 'a database file, or an export'],
      ],
      run: async (call) => (await import('./publish/pull.ts')).run(call),
    },
    promote: PROMOTE_COMMAND,
    clone: {
      describe:
        'Make a new server of another one: its databases in a new folder, checked, with a configuration to start it',
      details:
        'A copy of all that the source has, as by `bakeserv copy`, and compared with it. The folder has its name only when all of it is there: what a command that ' +
        'failed or was interrupted made is removed, and what a killed one left by the next one.',
      arguments: [
        {
          name: 'SOURCE',
          describe: 'A database file, a folder with database files, postgres://…, or the address of a running bakeserv',
          completes: 'file',
        },
        { name: 'DIR', describe: 'The folder to make; an empty one may be there', completes: 'folder' },
      ],
      options: CLONE_OPTIONS,
      examples: [
        ['bakeserv clone nightly.example.org:8686 /var/lib/bakeserv-release', 'of a running server'],
        ['bakeserv clone /var/backups/bakeserv/hashserv-20261121T190000Z.db /srv/look', 'of a backup'],
      ],
      run: async (call) => (await import('./transfer/clone.ts')).run(call),
    },
    db: {
      describe: 'Make the tables that a PostgreSQL database lacks, as a server does when it starts',
      details:
        'For a database whose tables somebody else than the server is to make. The databases are those of the configuration; ' +
        'with --hashserv-db or --prserv-db those.',
      arguments: [{ name: 'ACTION', describe: 'What to do', choices: ['migrate'], isCommand: true }],
      options: MIGRATE_OPTIONS,
      examples: [['bakeserv db migrate --dry-run', 'the statements, without running them']],
      run: async (call) => (await import('./upkeep/migrate.ts')).run(call),
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
