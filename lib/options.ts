import { DEFAULT_LIMITS, type Limits } from './asyncrpc/limits.ts';

/** How an option's text is read: `strings` may be given several times, `seconds` may have decimals, `bytes` a unit. */
export type OptionType = 'string' | 'strings' | 'boolean' | 'integer' | 'seconds' | 'seconds-or-0' | 'bytes';

/** One option of `bakeserv serve`: the command line, the environment, the documentation are all read from this row. */
export interface Option {
  readonly name: string;
  readonly type: OptionType;
  /** What is done without it, in words where the value depends on something. */
  readonly default: string | number | boolean | readonly string[] | undefined;
  readonly describe: string;
  readonly group: string;
  readonly choices?: readonly string[];
  /** A limit: the field of Limits it sets. */
  readonly limit?: keyof Limits;
  /** Masked wherever settings are shown; `NAME-file` names a file that holds it. */
  readonly secret?: true;
  /** What a text must look like, and that in words; more than its type says. */
  readonly pattern?: string;
  readonly expected?: string;
  /** Only as a flag: it is about one call, not about a server. */
  readonly flagOnly?: true;
  /** One letter. */
  readonly alias?: string;
}

const SERVER = 'Server';
const DATABASE = 'Databases';
const ACCESS = 'Access';
const UPSTREAM = 'Upstream';
const LOGGING = 'Logging';
const LIMITS = 'Limits';

const limit = (name: string, type: 'integer' | 'seconds' | 'bytes', field: keyof Limits, describe: string): Option => ({
  name,
  type,
  default: type === 'seconds' ? DEFAULT_LIMITS[field] / 1000 : DEFAULT_LIMITS[field],
  describe,
  group: LIMITS,
  limit: field,
});

const SYNC_MODE = {
  pattern: '^(immediate|on_shutdown|periodic:\\d+(\\.\\d+)?)$',
  expected: 'immediate, periodic:SECONDS (0.01 to 86400) or on_shutdown',
} as const;

const ROWS: readonly Option[] = [
  {
    name: 'bind',
    type: 'strings',
    default: ['unix://./hashserve.sock', '127.0.0.1:8585'],
    describe:
      'Listen here: unix://PATH, HOST:PORT, [V6]:PORT, :PORT or ws://HOST:PORT; several times for several listeners; port 0 asks for a free one',
    group: SERVER,
  },
  {
    name: 'hashserv',
    type: 'boolean',
    default: true,
    describe: 'Serve hash equivalence; --no-hashserv leaves it out',
    group: SERVER,
  },
  {
    name: 'prserv',
    type: 'boolean',
    default: true,
    describe: 'Serve PR values; --no-prserv leaves them out',
    group: SERVER,
  },
  {
    name: 'history',
    type: 'boolean',
    default: false,
    describe:
      'The mode of get-pr requests that do not say: with history a checksum keeps its first value, without a value never goes down',
    group: SERVER,
  },
  {
    name: 'self-check',
    type: 'boolean',
    default: false,
    describe: 'Once listening, ask every listener something as a client and print the answer',
    group: SERVER,
  },
  {
    name: 'json',
    type: 'boolean',
    default: false,
    describe: 'Print results on stdout as JSON objects, one a line',
    group: SERVER,
  },
  {
    name: 'hashserv-db',
    type: 'string',
    default: './hashserv.db',
    describe: 'SQLite file of the hash equivalence service',
    group: DATABASE,
  },
  {
    name: 'prserv-db',
    type: 'string',
    default: './prserv.sqlite3',
    describe: 'SQLite file of the PR service; may be the same file',
    group: DATABASE,
  },
  {
    name: 'init',
    type: 'boolean',
    default: false,
    describe: 'Begin a new database in an existing file of zero bytes, which is refused otherwise',
    group: DATABASE,
  },
  {
    name: 'sync-mode',
    type: 'string',
    default: 'immediate',
    describe: 'When the disk is told to sync: immediate (before each answer), periodic:SECONDS, or on_shutdown',
    group: DATABASE,
    ...SYNC_MODE,
  },
  {
    name: 'hashserv-sync-mode',
    type: 'string',
    default: undefined,
    describe: 'The same for the hash equivalence database alone',
    group: DATABASE,
    ...SYNC_MODE,
  },
  {
    name: 'prserv-sync-mode',
    type: 'string',
    default: undefined,
    describe: 'The same for the PR database alone',
    group: DATABASE,
    ...SYNC_MODE,
  },
  {
    name: 'cache-size',
    type: 'bytes',
    default: 64 * 1024 * 1024,
    describe: 'Memory for answers asked before',
    group: DATABASE,
  },
  {
    name: 'read-only',
    type: 'boolean',
    default: false,
    describe: 'Answer from the databases and never write',
    group: ACCESS,
  },
  {
    name: 'anon-perms',
    type: 'string',
    default: undefined,
    describe:
      'What clients may do without a login, on every listener: a comma-separated list of @read, @report, @db-admin, @none; without the option @read,@report,@db-admin on Unix sockets and loopback addresses and @read,@report on others',
    group: ACCESS,
  },
  {
    name: 'allow-origin',
    type: 'strings',
    default: undefined,
    describe:
      'Web pages of this origin (SCHEME://HOST[:PORT]) may connect to WebSocket listeners; several times for several; without the option no page may, whatever its origin',
    group: ACCESS,
  },
  {
    name: 'admin-user',
    type: 'string',
    default: undefined,
    describe: 'Create this user with all permissions, or reset it',
    group: ACCESS,
  },
  {
    name: 'admin-password',
    type: 'string',
    default: undefined,
    describe: 'Its password; better in the environment, where other users of the machine cannot see it',
    group: ACCESS,
    secret: true,
  },
  {
    name: 'hashserv-upstream',
    type: 'string',
    default: undefined,
    describe: 'Ask this hash equivalence server about what is not known here',
    group: UPSTREAM,
  },
  {
    name: 'prserv-upstream',
    type: 'string',
    default: undefined,
    describe: 'Take PR values from this PR server; values given out here go under its own',
    group: UPSTREAM,
  },
  {
    name: 'hashserv-upstream-user',
    type: 'string',
    default: undefined,
    describe: 'Log in to the hash equivalence upstream as this user',
    group: UPSTREAM,
  },
  {
    name: 'hashserv-upstream-token',
    type: 'string',
    default: undefined,
    describe: 'With this token; without one, the one that .netrc has under the upstream’s whole address',
    group: UPSTREAM,
    secret: true,
  },
  {
    name: 'ca',
    type: 'string',
    default: undefined,
    describe: 'PEM file of certificate authorities to trust for wss:// addresses, besides those of the system',
    group: UPSTREAM,
  },
  {
    name: 'upstream-timeout',
    type: 'seconds',
    default: 3,
    describe: 'A look-up the upstream has not answered by then counts as a miss',
    group: UPSTREAM,
  },
  {
    name: 'upstream-connect-timeout',
    type: 'seconds',
    default: 3,
    describe: 'Time to connect to an upstream',
    group: UPSTREAM,
  },
  {
    name: 'upstream-miss-ttl',
    type: 'seconds-or-0',
    default: 0,
    describe: 'Do not ask the upstream again for this long about a task it did not have; 0: always ask',
    group: UPSTREAM,
  },
  {
    name: 'log-level',
    type: 'string',
    default: 'info',
    choices: ['error', 'warn', 'info', 'debug'],
    describe: 'How much is logged, on stderr',
    group: LOGGING,
  },
  {
    name: 'log-format',
    type: 'string',
    default: 'text',
    choices: ['text', 'json'],
    describe: 'For people or for collectors',
    group: LOGGING,
  },
  limit('max-line', 'bytes', 'maxLineBytes', 'Longest line from a client'),
  limit('max-message', 'bytes', 'maxMessageBytes', 'Longest message, its chunks together'),
  limit(
    'max-message-before-login',
    'bytes',
    'maxMessageBeforeLoginBytes',
    'Longest message while a login is required and was not made',
  ),
  limit('max-partial', 'bytes', 'maxPartialBytes', 'Unfinished lines and messages of all clients together'),
  limit('max-json-depth', 'integer', 'maxJsonDepth', 'Nesting of a message'),
  limit('max-json-keys', 'integer', 'maxJsonKeys', 'Object keys in a message'),
  limit('handshake-timeout', 'seconds', 'handshakeTimeoutMs', 'Time for protocol line and headers'),
  limit('max-headers', 'integer', 'maxHeaders', 'Header lines'),
  limit('max-header-bytes', 'bytes', 'maxHeaderBytes', 'Header lines together'),
  limit('message-timeout', 'seconds', 'messageTimeoutMs', 'Time from the first byte of a message to its last'),
  limit(
    'max-connections',
    'integer',
    'maxConnections',
    'Clients at once; never more than the open-files limit less 128',
  ),
  limit('max-handshakes', 'integer', 'maxHandshakes', 'Clients in handshake at once; others wait their turn'),
  limit('max-handshakes-per-address', 'integer', 'maxHandshakesPerAddress', 'Of those, from one network address'),
  limit('max-in-flight', 'integer', 'maxInFlight', 'Stream lines, or requests of one kind, in flight on a connection'),
  limit(
    'max-in-flight-bytes',
    'bytes',
    'maxInFlightBytes',
    'Bytes in flight on a connection before it is no longer read',
  ),
  limit('output-pause', 'bytes', 'outputPauseBytes', 'Unsent output at which a connection is no longer read'),
  limit('output-limit', 'bytes', 'outputLimitBytes', 'Unsent output at which a connection is closed'),
  limit('output-timeout', 'seconds', 'outputTimeoutMs', 'A client that reads nothing for this long is closed'),
  limit('keep-alive', 'seconds', 'keepAliveMs', 'Idle time before the first TCP keep-alive probe'),
  limit(
    'websocket-ping',
    'seconds',
    'websocketPingMs',
    'Time between pings on WebSocket connections; two in a row without an answer close one',
  ),
  limit('drain-timeout', 'seconds', 'drainTimeoutMs', 'Time for clients to be finished with when the server stops'),
];

/** The other way to give a secret: the name of a file, which only its owner can read. */
const secretFile = ({ name, group }: Option): Option => ({
  name: `${name}-file`,
  type: 'string',
  default: undefined,
  describe: `A file that holds the --${name}, which then stands on no command line and in no environment`,
  group,
});

/** The options of `bakeserv serve`: each is a flag, an environment variable and a key of the configuration file. */
export const SERVE_OPTIONS: readonly Option[] = ROWS.flatMap((row) => (row.secret ? [row, secretFile(row)] : [row]));

/** Where the configuration file is; for `bakeserv serve` and `bakeserv config`. */
export const CONFIG_OPTION: Option = {
  name: 'config',
  type: 'string',
  default: undefined,
  describe:
    'Configuration file, YAML or JSON; without it ./bakeserv.yaml is looked for, then /etc/bakeserv/bakeserv.yaml',
  group: SERVER,
};

/** The environment variable of an option. */
export function environmentName(option: string): string {
  return `BAKESERV_${option.toUpperCase().replaceAll('-', '_')}`;
}

/** A number of bytes in the largest unit that divides it. */
export function sizeText(bytes: number): string {
  for (const [unit, size] of [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}
