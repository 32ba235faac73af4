import { ConfigError } from '../../errors.ts';
import type { Flags } from '../../settings/settings.ts';
import { runServer } from '../process/run-server.ts';
import { HASHSERV_OPTIONS, HASHSERV_VARIABLES } from '../tables/bitbake-options.ts';
import { explain, inWordsOf, logLevel, settingsFor } from './bitbake.ts';
import type { ServerCall } from './call.ts';

/** `bitbake-hashserv`: takes the flags and environment of BitBake's hash equivalence server. */
export async function run({ flags }: ServerCall): Promise<number> {
  const given = (name: string) => text(flags, name) ?? (process.env[HASHSERV_VARIABLES[name]!] || undefined);
  const serve: Flags = {
    // An address and nothing else: as an object it may hold commas.
    bind: [{ address: given('bind') ?? 'unix://./hashserve.sock' }],
    hashserv: true,
    prserv: false,
    'hashserv-db': sqliteFile(given('database') ?? './hashserv.db'),
    'log-level': logLevel(given('log') ?? 'WARNING', flags.log === undefined ? HASHSERV_VARIABLES.log! : '--log'),
    'hashserv-upstream': given('upstream'),
    'read-only': flags['read-only'] === true || process.env[HASHSERV_VARIABLES['read-only']!] === '1' || undefined,
    'anon-perms': given('anon-perms'),
    'admin-user': given('admin-user'),
    'admin-password': given('admin-password'),
  };
  const where = (name: string) => (text(flags, name) === undefined ? HASHSERV_VARIABLES[name]! : `--${name}`);
  const words = {
    '--hashserv-upstream': where('upstream'),
    '--hashserv-db': where('database'),
    BAKESERV_ADMIN_PASSWORD: `--admin-password or ${HASHSERV_VARIABLES['admin-password']}`,
  };
  return inWordsOf(HASHSERV_OPTIONS, words, async () =>
    runServer({
      command: 'bitbake-hashserv',
      settings: await settingsFor(serve, process.env),
      reload: () => settingsFor(serve, process.env),
      onLogger(log) {
        explain(log, 'bitbake-hashserv', serve);
        for (const name of ['db-username', 'db-password'])
          if (given(name)) log.warn(`--${name} is not needed: SQLite knows no users`);
      },
    }),
  );
}

function text(flags: Flags, name: string): string | undefined {
  return flags[name] as string | undefined;
}

/**
 * The file name in BitBake's database argument: a file, or an SQLAlchemy URL.
 * @throws ConfigError for a database other than SQLite
 */
function sqliteFile(database: string): string {
  const url = /^([\w+]+):\/\/(.*)$/.exec(database);
  if (!url) return database;
  if (/^sqlite(\+\w+)?$/.test(url[1]!)) return url[2]!.replace(/^\//, '');
  throw new ConfigError(`--database: ${url[1]} databases are not served; name an SQLite file`);
}
