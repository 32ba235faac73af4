import { completionCommand } from '../client/completion-command.ts';
import { CONNECTION_FLAGS } from '../client/connect.ts';
import type { FlagSpec, ProgramSpec } from '../client/table.ts';
import { DEFAULT_ADDRESS, type HashCall, openHashCall } from './call.ts';

const METHOD = { name: 'METHOD', describe: 'How outputs were hashed, e.g. oe.sstatesig.OEOuthashBasic' };
const TASKHASH = { name: 'TASKHASH', describe: 'What goes into the task, as a hash' };
const MARK = { name: 'MARK', describe: 'The name of the collection' };
const PERMISSIONS = {
  name: 'PERMISSION',
  describe: '@read, @report, @db-admin, @user-admin, @all or @none',
  many: true as const,
};
const USER: FlagSpec = { name: 'username', short: 'u', values: ['USER'], describe: 'The user meant' };
const OWN_USER: FlagSpec = { ...USER, default: 'yourself' };
const WHERE: FlagSpec = {
  name: 'where',
  short: 'w',
  values: ['KEY', 'VALUE'],
  repeats: true,
  describe: 'Rows whose column KEY is VALUE; given several times, all must match',
};

/** Every subcommand of bakeserv-hashclient. */
export const HASH_CLIENT: ProgramSpec<HashCall> = {
  name: 'bakeserv-hashclient',
  about: 'Asks and manages a hash equivalence server.',
  details:
    'A drop-in for bitbake-hashclient that needs no BitBake tree: the same subcommands, options, output and exit status, ' +
    'and more. The exit status is 0 when all went well, 1 when a call was refused or failed, 2 for wrong usage.',
  flags: [
    {
      name: 'address',
      values: ['ADDRESS'],
      default: DEFAULT_ADDRESS,
      describe: 'The server: unix://PATH, HOST:PORT, ws://HOST:PORT or wss://HOST:PORT',
    },
    { name: 'log', values: ['LEVEL'], default: 'WARNING', describe: 'With INFO or DEBUG, say who was connected to' },
    { name: 'login', short: 'l', values: ['USER'], describe: 'Log in as this user' },
    { name: 'password', short: 'p', values: ['TOKEN'], describe: 'The token of that user' },
    { name: 'become', short: 'b', values: ['USER'], describe: 'After the login, act as this user' },
    { name: 'no-netrc', short: 'n', describe: 'Take no login from netrc' },
    ...CONNECTION_FLAGS,
    { name: 'json', describe: 'Print results, and errors, as JSON' },
  ],
  environment: [
    ['NETRC', 'A netrc file to read in place of ~/.netrc; the machine is the whole address'],
    ['NO_COLOR', 'No colours, also on a terminal'],
  ],
  files: [['~/.netrc', 'Logins: machine ADDRESS login USER password TOKEN']],
  open: openHashCall,
  close: (call) => call.close(),
  commands: {
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
      flags: [
        { name: 'quiet', short: 'q', describe: 'Print nothing: the exit status says it, 0 for yes and 1 for no' },
      ],
      examples: [['bakeserv-hashclient unihash-exists --quiet "$UNIHASH" && echo known', 'in a script']],
      run: async (call) => (await import('./lookups.ts')).unihashExists(call),
    },
    stats: {
      describe: 'Show how many requests there were and how long they took',
      flags: [{ name: 'reset', describe: 'Begin to count anew; shows the figures before' }],
      run: async (call) => (await import('./lookups.ts')).stats(call),
    },
    ping: {
      describe: 'Measure round trips',
      flags: [
        { name: 'count', short: 'n', values: ['COUNT'], type: 'integer', default: '10', describe: 'How many' },
        { name: 'quiet', short: 'q', describe: 'Only the summary' },
      ],
      run: async ({ args, out, client }) => {
        const server = await client();
        return (await import('../client/ping.ts')).ping(args, out, () => server.ping());
      },
    },
    stress: {
      describe: 'Put the server under load and measure it',
      details: 'Every client has one look-up in flight at a time. The same seeds ask the same hashes.',
      flags: [
        { name: 'clients', values: ['N'], type: 'integer', default: '10', describe: 'Clients at once' },
        { name: 'requests', values: ['N'], type: 'integer', default: '1000', describe: 'Look-ups of each client' },
        { name: 'report', describe: 'Report what is missed' },
        { name: 'taskhash-seed', values: ['S'], describe: 'What taskhashes are made from' },
        { name: 'outhash-seed', values: ['S'], describe: 'What outhashes are made from' },
      ],
      run: async (call) => (await import('./stress.ts')).stress(call),
    },
    remove: {
      describe: 'Remove hash rows',
      flags: [WHERE, { name: 'dry-run', describe: 'Only count what would go' }],
      examples: [['bakeserv-hashclient remove -w taskhash 0b5b…', 'forget one task']],
      run: async (call) => (await import('./database.ts')).remove(call),
    },
    'clean-unused': {
      describe: 'Remove old reports of outputs whose task has no unihash any more',
      arguments: [{ name: 'SECONDS', type: 'number', describe: 'Only what is older than this' }],
      run: async (call) => (await import('./database.ts')).cleanUnused(call),
    },
    'get-db-usage': {
      describe: 'Count the rows of each table',
      run: async (call) => (await import('./database.ts')).usage(call),
    },
    'get-db-query-columns': {
      describe: 'List the columns that --where understands',
      run: async (call) => (await import('./database.ts')).queryColumns(call),
    },
    'gc-status': {
      describe: 'Show the garbage collection in progress',
      run: async (call) => (await import('./marks.ts')).gcStatus(call),
    },
    'gc-mark': {
      describe: 'Mark hashes to keep',
      details: 'A new MARK starts a new collection; what is reported from then on is kept.',
      arguments: [MARK],
      flags: [WHERE],
      run: async (call) => (await import('./marks.ts')).gcMark(call),
    },
    'gc-sweep': {
      describe: 'Remove every hash that is not marked, and end the collection',
      arguments: [MARK],
      run: async (call) => (await import('./marks.ts')).gcSweep(call),
    },
    'gc-mark-stream': {
      describe: 'Mark hashes to keep, from standard input',
      details: 'Each line names rows: "column value column value …".',
      arguments: [MARK],
      examples: [
        ['sed "s/^/unihash /" keep.txt | bakeserv-hashclient gc-mark-stream today', 'keep a list of unihashes'],
      ],
      run: async (call) => (await import('./gc.ts')).gcMarkStream(call),
    },
    gc: {
      describe: 'Remove every hash that is not in use, in one go',
      details:
        'Marks what the shared-state folder or the list names, shows how many hashes are kept and removed, sweeps, and ' +
        'removes reports that are of no more use. A list holds a unihash a line, or "column value column value …". ' +
        'When more than half would go it is refused without --yes.',
      flags: [
        { name: 'sstate-dir', values: ['DIR'], completes: 'folder', describe: 'Keep what has a file in this folder' },
        {
          name: 'keep-from',
          values: ['FILE'],
          completes: 'file',
          describe: 'Keep what this list names; - is standard input',
        },
        {
          name: 'max-age',
          values: ['SECONDS'],
          type: 'number',
          default: '0',
          describe: 'Of the reports without a unihash, remove those older than this',
        },
        { name: 'mark', values: ['NAME'], default: 'gc- and the time', describe: 'The name of the collection' },
        { name: 'dry-run', describe: 'Only count; nothing is marked or removed' },
        { name: 'yes', describe: 'Also when more than half would be removed' },
      ],
      examples: [
        ['bakeserv-hashclient gc --sstate-dir /srv/sstate --dry-run', 'see what would go'],
        ['bakeserv-hashclient gc --sstate-dir /srv/sstate', 'remove what no shared-state file is left of'],
      ],
      run: async (call) => (await import('./gc.ts')).gc(call),
    },
    export: {
      describe: 'Write every hash row as JSON lines',
      arguments: [
        { name: 'FILE', describe: 'Where to; standard output if left out', optional: true, completes: 'file' },
      ],
      flags: [{ name: 'resume', describe: 'Go on with the FILE of an export that was interrupted' }],
      examples: [['bakeserv-hashclient export hashes.jsonl', 'for a backup, or for another server']],
      run: async (call) => (await import('./transfer.ts')).exportHashes(call),
    },
    import: {
      describe: 'Store the rows of an export',
      details: 'Rows that are there already stay as they are, so an import can be repeated.',
      arguments: [{ name: 'FILE', describe: 'Of an export; - is standard input', many: true, completes: 'file' }],
      flags: [{ name: 'from-line', values: ['N'], type: 'integer', default: '1', describe: 'Begin with this line' }],
      examples: [['bakeserv-hashclient --address :8686 import hashes.jsonl', 'into another server']],
      run: async (call) => (await import('./transfer.ts')).importHashes(call),
    },
    diff: {
      describe: 'Compare what two servers say of tasks',
      details:
        'Prints the tasks of which they differ: method, taskhash, the unihash of the first and of the second, - for ' +
        'none. The exit status is 1 when there are any.',
      arguments: [
        { name: 'ADDRESS', describe: 'The first server' },
        { name: 'OTHER', describe: 'The second server' },
      ],
      flags: [
        {
          name: 'taskhashes',
          values: ['FILE'],
          required: true,
          completes: 'file',
          describe: 'Lines "method taskhash"; - is standard input',
        },
      ],
      examples: [
        [
          'bakeserv-hashclient diff unix://./hashserve.sock hash.example.com:8686 --taskhashes tasks.txt',
          'two servers',
        ],
      ],
      run: async (call) => (await import('./diff.ts')).diff(call),
    },
    'get-user': {
      describe: 'Show a user',
      flags: [OWN_USER],
      run: async (call) => (await import('./users.ts')).getUser(call),
    },
    'get-all-users': {
      describe: 'List the users',
      run: async (call) => (await import('./users.ts')).getAllUsers(call),
    },
    'new-user': {
      describe: 'Create a user, and show the token to log in with',
      arguments: [PERMISSIONS],
      flags: [{ ...USER, required: true }],
      examples: [['bakeserv-hashclient -l admin -p "$TOKEN" new-user -u builder @read @report', 'for a build machine']],
      run: async (call) => (await import('./users.ts')).newUser(call),
    },
    'set-user-perms': {
      describe: 'Give a user other permissions',
      arguments: [PERMISSIONS],
      flags: [{ ...USER, required: true }],
      run: async (call) => (await import('./users.ts')).setUserPermissions(call),
    },
    'refresh-token': {
      describe: 'Give a user a new token; the old one no longer counts',
      flags: [OWN_USER],
      run: async (call) => (await import('./users.ts')).refreshToken(call),
    },
    'delete-user': {
      describe: 'Delete a user',
      flags: [OWN_USER],
      run: async (call) => (await import('./users.ts')).deleteUser(call),
    },
    completion: completionCommand('bakeserv-hashclient', () => HASH_CLIENT),
  },
};
