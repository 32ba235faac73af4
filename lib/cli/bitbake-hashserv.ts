import { ConfigError } from '../errors.ts';
import type { Option } from '../options.ts';
import type { Flags } from '../settings/settings.ts';
import { dropIn, explain, logLevel, settingsFor, unabbreviated } from './bitbake.ts';
import { parseFlags } from './options.ts';
import { runServer } from './run-server.ts';

/** Option → its variable; where neither is given, the option's default. */
const VARIABLES: Readonly<Record<string, string>> = {
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

const option: typeof dropIn = (name, alias, type, value, describe) =>
  dropIn(name, alias, type, value, VARIABLES[name] ? `${describe} [${VARIABLES[name]}]` : describe);

export const HASHSERV_OPTIONS: readonly Option[] = [
  option('bind', 'b', 'string', 'unix://./hashserve.sock', 'Listen here'),
  option('database', 'd', 'string', './hashserv.db', 'SQLite file'),
  option('log', 'l', 'string', 'WARNING', 'Log level: CRITICAL, ERROR, WARNING, INFO or DEBUG'),
  option('upstream', 'u', 'string', undefined, 'Upstream server'),
  option('read-only', 'r', 'boolean', false, 'Never write; the variable must be 1'),
  option('db-username', null, 'string', undefined, 'Taken and not needed: SQLite knows no users'),
  option('db-password', null, 'string', undefined, 'Taken and not needed'),
  option('anon-perms', null, 'string', undefined, 'What clients may do without a login: PERM[,PERM...]'),
  option('admin-user', null, 'string', undefined, 'Create this user with all permissions, or reset it'),
  option('admin-password', null, 'string', undefined, 'Its password'),
  option('reuseport', null, 'boolean', false, 'Taken and not needed: one process serves all clients'),
];

/** `bitbake-hashserv`: BitBake's hash equivalence server, by its own flags and environment. */
export async function run(args: readonly string[]): Promise<number> {
  const flags = await parseFlags(
    'bitbake-hashserv [options]\n\nHash equivalence server.',
    HASHSERV_OPTIONS,
    unabbreviated(HASHSERV_OPTIONS, args),
  );
  if (!flags) return 0;
  const given = (name: string) => text(flags, name) ?? (process.env[VARIABLES[name]!] || undefined);
  const serve: Flags = {
    bind: [given('bind') ?? 'unix://./hashserve.sock'],
    hashserv: true,
    prserv: false,
    'hashserv-db': sqliteFile(given('database') ?? './hashserv.db'),
    'log-level': logLevel(given('log') ?? 'WARNING', flags.log === undefined ? VARIABLES.log! : '--log'),
    'hashserv-upstream': given('upstream'),
    'read-only': flags['read-only'] === true || process.env[VARIABLES['read-only']!] === '1' || undefined,
    'anon-perms': given('anon-perms'),
    'admin-user': given('admin-user'),
    'admin-password': given('admin-password'),
  };
  return runServer({
    command: 'bitbake-hashserv',
    settings: await settingsFor(serve, process.env),
    reload: () => settingsFor(serve, process.env),
    onLogger(log) {
      explain(log, 'bitbake-hashserv', serve);
      for (const name of ['db-username', 'db-password'])
        if (given(name)) log.warn(`--${name} is not needed: SQLite knows no users`);
    },
  });
}

function text(flags: Flags, name: string): string | undefined {
  return flags[name] as string | undefined;
}

/**
 * A file name from what BitBake takes for a database: a file, or a URL of SQLAlchemy's.
 * @throws ConfigError for another database than SQLite
 */
function sqliteFile(database: string): string {
  const url = /^([\w+]+):\/\/(.*)$/.exec(database);
  if (!url) return database;
  if (/^sqlite(\+\w+)?$/.test(url[1]!)) return url[2]!.replace(/^\//, '');
  throw new ConfigError(`--database: ${url[1]} databases are not served; name an SQLite file`);
}
