import type { Option } from '../../settings/options.ts';

/** An option of a BitBake command. */
const dropIn = (
  name: string,
  alias: string | null,
  type: 'string' | 'boolean',
  value: Option['default'],
  describe: string,
): Option => ({
  name,
  ...(alias && { alias }),
  type,
  default: value,
  describe,
  ...(name.endsWith('password') && { secret: true as const }),
});

/** Option of bitbake-hashserv → its variable; where neither is given, the option's default. */
export const HASHSERV_VARIABLES: Readonly<Record<string, string>> = {
  bind: 'HASHSERVER_BIND',
  database: 'HASHSERVER_DB',
  log: 'HASHSERVER_LOG_LEVEL',
  upstream: 'HASHSERVER_UPSTREAM',
  'read-only': 'HASHSERVER_READ_ONLY',
  'db-username': 'HASHSERVER_DB_USERNAME',
  'db-password': 'HASHSERVER_DB_PASSWORD',
  'anon-perms': 'HASHSERVER_ANON_PERMS',
  'admin-user': 'HASHSERVER_ADMIN_USER',
  'admin-password': 'HASHSERVER_ADMIN_PASSWORD',
};

const hashserv: typeof dropIn = (name, alias, type, value, describe) =>
  dropIn(name, alias, type, value, HASHSERV_VARIABLES[name] ? `${describe} [${HASHSERV_VARIABLES[name]}]` : describe);

export const HASHSERV_OPTIONS: readonly Option[] = [
  hashserv('bind', 'b', 'string', 'unix://./hashserve.sock', 'Listen on this address'),
  hashserv('database', 'd', 'string', './hashserv.db', 'SQLite file'),
  hashserv('log', 'l', 'string', 'WARNING', 'Log level: CRITICAL, ERROR, WARNING, INFO or DEBUG'),
  hashserv('upstream', 'u', 'string', undefined, 'Upstream server'),
  hashserv('read-only', 'r', 'boolean', false, 'Never write; the variable must be 1'),
  hashserv('db-username', null, 'string', undefined, 'Accepted but ignored: SQLite has no users'),
  hashserv('db-password', null, 'string', undefined, 'Accepted but ignored'),
  hashserv('anon-perms', null, 'string', undefined, 'What clients may do without a login: PERM[,PERM...]'),
  hashserv('admin-user', null, 'string', undefined, 'Create this user with all permissions, or reset it'),
  hashserv('admin-password', null, 'string', undefined, 'The password of that user'),
  hashserv('reuseport', null, 'boolean', false, 'Accepted but ignored: one process serves all clients'),
];

export const PRSERV_OPTIONS: readonly Option[] = [
  dropIn('file', 'f', 'string', 'prserv.sqlite3', 'SQLite file'),
  dropIn('log', 'l', 'string', 'prserv.log', 'Log file of a server in the background'),
  dropIn('loglevel', null, 'string', 'INFO', 'CRITICAL, ERROR, WARNING, INFO or DEBUG'),
  dropIn('start', null, 'boolean', false, 'Start a server in the background'),
  dropIn('stop', null, 'boolean', false, 'Stop the server of this host and port, and wait until it has ended'),
  dropIn('host', null, 'string', '0.0.0.0', 'Listen on this address'),
  dropIn('port', null, 'string', '8585', 'Listen on this port'),
  dropIn('read-only', 'r', 'boolean', false, 'Never write'),
  dropIn('upstream', 'u', 'string', undefined, 'Upstream server [PRSERV_UPSTREAM]'),
  dropIn(
    'foreground',
    null,
    'boolean',
    false,
    'Not a BitBake option: serve in this process, for a supervisor or a container',
  ),
];
