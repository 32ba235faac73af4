import { PAGE_ROWS } from './http/page-settings.ts';
import { LIMIT_OPTIONS, type Option, WORKER_TIMEOUT, WORKERS } from './options.ts';
import { MIRROR_ROWS } from './publishing/mirror-settings.ts';
import { TLS_ROWS, UPSTREAM_TLS_ROWS } from './tls-options.ts';
import { FIGURES_ROWS, INSIGHT_ROWS, JOB_ROWS, SHARED_STATE_ROWS } from './work-settings.ts';

const group = (name: string, rows: readonly Omit<Option, 'group'>[]): readonly Option[] =>
  rows.map((row) => ({ ...row, group: name, setting: true }));

/** Modes of Unix sockets. */
export const SOCKET_MODE = { pattern: '^0?[0-7]{3}$', expected: 'three octal digits, such as 0660' } as const;

/** The sync modes; README (Durability) describes them. config.ts checks the number of seconds. */
export const SYNC_MODE = {
  pattern: '^(immediate|on_shutdown|periodic:\\d+(\\.\\d+)?)$',
  expected: 'immediate, periodic:SECONDS (0.01 to 86400) or on_shutdown',
} as const;

/** The login at the upstream of a service. */
const loginRows = (service: string, upstream: string): readonly Omit<Option, 'group'>[] => [
  {
    name: `${service}-upstream-user`,
    type: 'string',
    default: undefined,
    describe: `Log in to the ${upstream} as this user`,
    reloads: true,
  },
  {
    name: `${service}-upstream-token`,
    type: 'string',
    default: undefined,
    describe: 'The token for that login; by default the one in .netrc under the full address of the upstream',
    secret: true,
    reloads: true,
  },
];

const ROWS: readonly Option[] = [
  ...group('Server', [
    {
      name: 'bind',
      type: 'listeners',
      default: ['unix://./hashserve.sock', '127.0.0.1:8585'],
      describe:
        'Listen on this address: unix://PATH, HOST:PORT, [V6]:PORT, :PORT, tls://HOST:PORT, ws://HOST:PORT, wss://HOST:PORT, http://HOST:PORT or https://HOST:PORT; repeat it for several; port 0 picks a free port. Rights of this listener follow behind commas: read-only, services=hashserv, anon-perms=@read,@report, pr=read-only, pr=none, pr-auth, no-page, socket-mode=0660, socket-group=builders, proxy-protocol, tls-cert=FILE, tls-key=FILE, tls-client-ca=FILE; name=builders takes a socket of systemd instead; see docs/permissions.md and docs/tls.md',
      reloads: true,
    },
    {
      name: 'socket-mode',
      type: 'string',
      default: undefined,
      describe: 'Who may connect to Unix sockets, as for chmod: 0660, for example; by default the umask decides',
      ...SOCKET_MODE,
    },
    {
      name: 'socket-group',
      type: 'string',
      default: undefined,
      describe: 'The group of Unix sockets, by name or number; the server must belong to it, or run as root',
    },
    {
      name: 'hashserv',
      type: 'boolean',
      default: true,
      describe: 'Serve hash equivalence; --no-hashserv turns it off',
    },
    { name: 'prserv', type: 'boolean', default: true, describe: 'Serve PR values; --no-prserv turns it off' },
    WORKERS,
    WORKER_TIMEOUT,
    {
      name: 'history',
      type: 'boolean',
      default: false,
      describe:
        'The mode of get-pr requests that do not name one: with history, a checksum keeps its first value; without, a value never goes down',
    },
    {
      name: 'self-check',
      type: 'boolean',
      default: false,
      describe: 'After the start, send each listener a request as a client would, and print the answer',
    },
    {
      name: 'json',
      type: 'boolean',
      default: false,
      describe: 'Print results on stdout as JSON objects, one per line',
    },
  ]),
  ...group('Databases', [
    {
      name: 'hashserv-db',
      type: 'string',
      default: './hashserv.db',
      describe: 'SQLite file of the hash equivalence service, or postgres://USER@HOST/DATABASE',
    },
    {
      name: 'prserv-db',
      type: 'string',
      default: './prserv.sqlite3',
      describe: 'SQLite file of the PR service, or postgres://USER@HOST/DATABASE; may be the same',
    },
    {
      name: 'init',
      type: 'boolean',
      default: false,
      describe: 'Create a new database in an existing empty file, which is refused otherwise',
    },
    {
      name: 'sync-mode',
      type: 'string',
      default: 'immediate',
      describe: 'When writes are synced to the disk: immediate (before each answer), periodic:SECONDS, or on_shutdown',
      ...SYNC_MODE,
    },
    {
      name: 'hashserv-sync-mode',
      type: 'string',
      default: undefined,
      describe: 'The same, for the hash equivalence database only',
      ...SYNC_MODE,
    },
    {
      name: 'prserv-sync-mode',
      type: 'string',
      default: undefined,
      describe: 'The same, for the PR database only',
      ...SYNC_MODE,
    },
    {
      name: 'cache-size',
      type: 'bytes',
      default: 96 * 1024 * 1024,
      describe: 'Memory for unihashes, about 90 bytes each; those in memory are answered without the database',
    },
  ]),
  ...group('Access', [
    {
      name: 'read-only',
      type: 'boolean',
      default: false,
      describe: 'Answer from the databases, and never write to them',
    },
    {
      name: 'immutable',
      type: 'boolean',
      default: false,
      describe:
        'With --read-only: nobody else writes to the databases either, so read them without locks and do not watch them for changes',
    },
    {
      name: 'anon-perms',
      type: 'string',
      default: undefined,
      describe:
        'What clients may do without a login, on every listener that does not say: a comma-separated list of @read, @report, @db-admin, @none; by default @read,@report,@db-admin on Unix sockets and loopback addresses, @read,@report on others',
      reloads: true,
    },
    {
      name: 'trust-proxy',
      type: 'strings',
      default: undefined,
      describe:
        'Proxies that are believed when they say who their client is: a comma-separated list of addresses, networks such as 10.0.0.0/8, and unix for one that connects over a Unix socket. They say so by X-Forwarded-For (WebSocket, HTTP), or by the PROXY protocol on listeners with proxy-protocol',
    },
    {
      name: 'allow-origin',
      type: 'strings',
      default: undefined,
      describe:
        'Let web pages of this origin (SCHEME://HOST[:PORT]) connect to WebSocket listeners; repeat it for several; by default no page may',
    },
    {
      name: 'admin-user',
      type: 'string',
      default: undefined,
      describe: 'Create this user with all permissions, or reset it',
      reloads: true,
    },
    {
      name: 'admin-password',
      type: 'string',
      default: undefined,
      describe:
        'The password of that user; better set in the environment, where other users of the machine cannot see it',
      secret: true,
      reloads: true,
    },
  ]),
  ...group('Page', PAGE_ROWS),
  ...group('TLS', TLS_ROWS),
  ...group('Upstream', [
    {
      name: 'hashserv-upstream',
      type: 'string',
      default: undefined,
      describe: 'Ask this hash equivalence server for what is not known here',
    },
    {
      name: 'prserv-upstream',
      type: 'string',
      default: undefined,
      describe: 'Take PR values from this PR server; values given out here go under its own',
    },
    ...loginRows('hashserv', 'hash equivalence upstream'),
    ...loginRows('prserv', 'PR upstream, a bakeserv listener with pr-auth,'),
    {
      name: 'ca',
      type: 'string',
      default: undefined,
      describe:
        'PEM file of certificate authorities to trust for tls:// and wss:// addresses, in addition to those of the system',
    },
    ...UPSTREAM_TLS_ROWS,
    {
      name: 'upstream-timeout',
      type: 'seconds',
      default: 3,
      describe: 'A look-up that the upstream has not answered after this time counts as a miss',
    },
    {
      name: 'upstream-report-timeout',
      type: 'seconds',
      default: 15,
      describe: 'The same for the look-up of a report: whether the upstream knows its output',
    },
    {
      name: 'upstream-connect-timeout',
      type: 'seconds',
      default: 3,
      describe: 'Time to connect to an upstream',
    },
    {
      name: 'upstream-miss-ttl',
      type: 'seconds-or-0',
      default: 0,
      describe: 'Do not ask the upstream again for this long about a task it did not have; 0: always ask',
    },
  ]),
  ...group('Mirrors', MIRROR_ROWS),
  ...group('Jobs', JOB_ROWS),
  ...group('Figures over time', FIGURES_ROWS),
  ...group('Insights', [...INSIGHT_ROWS, ...SHARED_STATE_ROWS]),
  ...group('Logging', [
    {
      name: 'log-level',
      type: 'string',
      default: 'info',
      choices: ['error', 'warn', 'info', 'debug'],
      describe: 'How much is logged to stderr',
      reloads: true,
    },
    {
      name: 'log-format',
      type: 'string',
      default: 'text',
      choices: ['text', 'json'],
      describe: 'Log lines for people (text) or for log collectors (json)',
    },
    {
      name: 'log-file',
      type: 'string',
      default: undefined,
      describe: 'Log to this file instead of stderr; SIGHUP reopens it, for log rotation',
    },
    {
      name: 'access-log',
      type: 'string',
      default: undefined,
      describe:
        'Write a line of JSON for each request, stream and connection to this file, or to standard output (-); SIGHUP reopens it',
    },
  ]),
  ...LIMIT_OPTIONS,
];

/** The other way to give a secret: the name of a file that others can neither read nor write. */
const secretFile = ({ name, group, reloads }: Option): Option => ({
  name: `${name}-file`,
  type: 'string',
  default: undefined,
  describe: `Read --${name} from this file, keeping it off the command line and out of the environment; refused if others may read or write the file`,
  ...(group && { group }),
  ...(reloads && { reloads }),
  setting: true,
});

/** The options of `bakeserv serve`: each is a flag, an environment variable and a key of the configuration file. */
export const SERVE_OPTIONS: readonly Option[] = ROWS.flatMap((row) => (row.secret ? [row, secretFile(row)] : [row]));

/** Where the configuration file is; for `bakeserv serve` and `bakeserv config`. */
export const CONFIG_OPTION: Option = {
  name: 'config',
  type: 'string',
  default: undefined,
  describe: 'Configuration file, YAML or JSON; by default ./bakeserv.yaml, then /etc/bakeserv/bakeserv.yaml',
  group: 'Server',
  setting: true,
  completes: 'file',
};
