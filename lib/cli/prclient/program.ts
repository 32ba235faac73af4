import { FORMATS } from '../../prserv/files/formats.ts';
import { CHURN_ORDERS } from '../../prserv/insights/churn-orders.ts';
import type { Option } from '../../settings/options.ts';
import { completionCommand } from '../args/completion.ts';
import type { Program } from '../args/table.ts';
import {
  BACKGROUND,
  COMMON_ENVIRONMENT,
  COMMON_FLAGS,
  FILE_BACKGROUND,
  PING,
  SOURCE_FILES,
  TARGET_FILE,
} from '../client/common.ts';
import { LOGIN_FLAGS } from '../client/login.ts';
import { DEFAULT_SERVER, openPrCall, type PrCall } from './call.ts';

const VERSION = { name: 'VERSION', describe: 'The package: PN-PV-PR' };
const PKGARCH = { name: 'PKGARCH', describe: 'The architecture of the package' };
const CHECKSUM = { name: 'CHECKSUM', describe: 'The hash of the contents of the package' };
const VALUE = { name: 'VALUE', describe: 'The PR value: a number, or dotted numbers' };
const HISTORY: Option = {
  name: 'history',
  type: 'boolean',
  describe: 'A checksum keeps its first value; without it a value never goes down',
};
const FORMAT: Option = {
  name: 'format',
  type: 'string',
  values: ['FORMAT'],
  choices: FORMATS,
  default: "told by the file's name, otherwise bitbake",
  describe: 'The format of the file',
};

/** Every subcommand of bakeserv-prclient. */
export const PR_CLIENT: Program<PrCall> = {
  name: 'bakeserv-prclient',
  about: 'Queries and manages a PR server.',
  details:
    'The exit status is 0 when all went well, 1 when a call was refused or failed, or when the package or checksum is unknown, ' +
    '2 for wrong usage.',
  options: [
    {
      name: 'server',
      type: 'string',
      values: ['ADDRESS'],
      default: DEFAULT_SERVER,
      describe: 'The server: HOST:PORT, unix://PATH, tls://HOST:PORT, ws://HOST:PORT or wss://HOST:PORT',
    },
    ...LOGIN_FLAGS,
    ...COMMON_FLAGS,
  ],
  environment: [
    ['PRSERV_SERVER_ADDR', 'The server, unless --server names it'],
    ['NETRC', 'A netrc file to read instead of ~/.netrc; the machine is the full address'],
    ...COMMON_ENVIRONMENT,
  ],
  files: [['~/.netrc', 'Tokens for --login: machine ADDRESS login USER password TOKEN']],
  statuses: [
    ['0', 'All went well.'],
    ['1', 'A call was refused or failed, or the answer of a test is no.'],
    ['2', 'Wrong usage.'],
  ],
  open: openPrCall,
  close: (call) => call.close(),
  commands: {
    'get-pr': {
      describe: 'Show the PR value of a checksum; a new checksum is given one',
      arguments: [VERSION, PKGARCH, CHECKSUM],
      options: [HISTORY],
      examples: [['bakeserv-prclient get-pr zlib-1.3.1-r0 core2-64 4f2c…', 'the value a build would get']],
      run: async (call) => (await import('./values.ts')).getPr(call),
    },
    'test-pr': {
      describe: 'Show the PR value of a known checksum; status 1 when it is unknown',
      arguments: [VERSION, PKGARCH, CHECKSUM],
      options: [HISTORY],
      run: async (call) => (await import('./values.ts')).testPr(call),
    },
    'test-package': {
      describe: 'Report whether a package is known; status 1 when it is not',
      arguments: [VERSION, PKGARCH],
      run: async (call) => (await import('./values.ts')).testPackage(call),
    },
    'max-package-pr': {
      describe: 'Show the largest PR value of a package; status 1 when it is unknown',
      arguments: [VERSION, PKGARCH],
      run: async (call) => (await import('./values.ts')).maxPackagePr(call),
    },
    'import-one': {
      describe: 'Store a PR value as it is',
      arguments: [VERSION, PKGARCH, CHECKSUM, VALUE],
      run: async (call) => (await import('./values.ts')).importOne(call),
    },
    export: {
      describe: 'Write PR rows to a file',
      details:
        "The format follows from the file's name (.inc and .conf: BitBake's dump, .json, .jsonl, .csv) or from --format. " +
        'Without --history the row with the largest value of each package is written, with it every row. The export goes ' +
        'to FILE.part, which becomes FILE when it is complete: a failure leaves the old FILE.',
      arguments: [TARGET_FILE],
      options: [
        FORMAT,
        { name: 'version', type: 'string', values: ['PN-PV-PR'], describe: 'Only this version' },
        { name: 'pkgarch', type: 'string', values: ['PKGARCH'], describe: 'Only this architecture' },
        { name: 'checksum', type: 'string', values: ['CHECKSUM'], describe: 'Only this checksum' },
        { name: 'history', type: 'boolean', describe: 'Write every row' },
        { name: 'colinfo', type: 'boolean', describe: 'Also write the description of the table' },
        { name: 'lockdown', type: 'boolean', describe: 'Add PRSERV_LOCKDOWN = "1" to a BitBake dump' },
        FILE_BACKGROUND,
      ],
      examples: [
        ['bakeserv-prclient export --history backup.jsonl', 'everything, for a backup'],
        ['bakeserv-prclient export --pkgarch core2-64 prs.inc', 'for a layer'],
      ],
      run: async (call) => (await import('./export.ts')).exportPrs(call),
    },
    import: {
      describe: 'Store the PR rows of files',
      details:
        'All files are read completely first: if anything in them is wrong, nothing is stored, unless --keep-going ' +
        'is given. A bakeserv server then stores all rows in one transaction (in several above 50,000 rows, all of ' +
        "which it looks at before the first); BitBake's server takes them one by one, so that a failure of the server " +
        'leaves what was stored before. Rows that are there already stay as they are, so an import can be repeated.',
      arguments: [SOURCE_FILES],
      options: [
        FORMAT,
        { name: 'keep-going', type: 'boolean', describe: 'Skip what is wrong in a file' },
        FILE_BACKGROUND,
      ],
      examples: [['bakeserv-prclient --server new-host:8585 import backup.jsonl', 'into another server']],
      run: async (call) => (await import('./import.ts')).importPrs(call),
    },
    remove: {
      describe: 'Remove PR rows that were imported by mistake',
      details:
        'Removes the rows that match all options; --dry-run shows them. A removed value may be given out again: do not ' +
        'remove a value that a package was built with. Works only from a local address of a bakeserv server, or with a login that has @db-admin where the server asks for one.',
      options: [
        { name: 'version', type: 'string', values: ['PN-PV-PR'], describe: 'Rows of this version' },
        { name: 'pkgarch', type: 'string', values: ['PKGARCH'], describe: 'Rows of this architecture' },
        { name: 'checksum', type: 'string', values: ['CHECKSUM'], describe: 'Rows of this checksum' },
        { name: 'value', type: 'string', values: ['VALUE'], describe: 'Rows with this value' },
        { name: 'dry-run', type: 'boolean', describe: 'Only show what would be removed' },
        BACKGROUND,
      ],
      examples: [
        ['bakeserv-prclient remove --version zlib-1.3.1-r0 --value 998999999 --dry-run', 'see what would be removed'],
      ],
      run: async (call) => (await import('./remove.ts')).remove(call),
    },
    history: {
      describe: 'List every checksum of a package with its value, in order; status 1 when there is none',
      arguments: [VERSION, PKGARCH],
      run: async (call) => (await import('./packages.ts')).history(call),
    },
    find: {
      describe: 'Find packages by a part of their version; status 1 when there is none',
      details: 'Case as it is. Prints version, architecture, largest PR value and how many values there are.',
      arguments: [{ name: 'TEXT', describe: 'A part of PN-PV-PR' }],
      options: [
        { name: 'limit', type: 'integer', values: ['N'], default: '100', describe: 'Packages to show, at most 500' },
      ],
      examples: [['bakeserv-prclient find busybox', 'every version of a recipe, on every architecture']],
      run: async (call) => (await import('./packages.ts')).find(call),
    },
    list: {
      describe: 'List packages: version, architecture and largest PR value',
      options: [
        {
          name: 'like',
          type: 'string',
          values: ['TEXT'],
          describe: 'Only versions that contain this text, ignoring case',
        },
      ],
      examples: [['bakeserv-prclient list --like openssl', 'the current value of a recipe']],
      run: async (call) => (await import('./packages.ts')).list(call),
    },
    insights: {
      describe: 'Show what the database can tell beside look-ups',
      details:
        'churn: which recipes get new values most often, how many are new, skipped and left. ' +
        'What it says, and what to do about it, is in docs/insights.md.',
      arguments: [{ name: 'NAME', describe: 'Which one', choices: ['churn'] }],
      options: [
        { name: 'limit', type: 'integer', values: ['N'], describe: 'The most recipes shown; 100 without it' },
        { name: 'csv', type: 'boolean', describe: 'Print them as CSV' },
        { name: 'days', type: 'integer', values: ['N'], describe: 'Values of so many days are new; 30 without it' },
        {
          name: 'sort',
          type: 'string',
          values: ['ORDER'],
          choices: CHURN_ORDERS,
          describe: 'Most new values first, most values, most skipped, or fewest left; new without it',
        },
      ],
      examples: [['bakeserv-prclient insights churn --days 7', "which packages' PR never stands still"]],
      run: async (call) => {
        const [{ insights }, { PR_VIEWS }] = await Promise.all([
          import('../insights/run.ts'),
          import('../insights/views.ts'),
        ]);
        return insights(call, PR_VIEWS);
      },
    },
    'is-readonly': {
      describe: 'Report whether the server is read-only',
      run: async (call) => (await import('./values.ts')).isReadonly(call),
    },
    ping: PING,
    completion: completionCommand('bakeserv-prclient', () => PR_CLIENT),
  },
};
