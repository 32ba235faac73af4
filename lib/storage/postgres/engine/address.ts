import fs from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { ConfigError, reasonOf } from '../../../errors.ts';
import { hasIllWrittenPassword, withoutPassword } from '../../../settings/database-address.ts';

/** One of the hosts an address names. */
export interface Host {
  /** A name or address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
}

/** Which of several hosts is wanted (libpq's target_session_attrs). */
export type TargetSession = 'any' | 'read-write' | 'read-only' | 'primary' | 'standby' | 'prefer-standby';

/** What an address of a PostgreSQL database says, as libpq reads it. */
export interface PostgresAddress {
  readonly hosts: readonly Host[];
  readonly user: string;
  readonly database: string;
  /** Null: from PGPASSWORD or the password file, by host. */
  readonly password: string | null;
  readonly passFile: string | null;
  /** Null: no TLS. */
  readonly tls: ConnectionOptions | null;
  /** `sslmode=prefer`: without TLS where the server has none. */
  readonly tlsOptional: boolean;
  readonly target: TargetSession;
  readonly connectTimeoutMs: number;
  readonly applicationName: string;
  /** The address without its password, for logs and answers. */
  readonly shown: string;
}

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];
const TARGETS: readonly TargetSession[] = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'];
const PARAMETERS = [
  'host',
  'port',
  'user',
  'password',
  'dbname',
  'passfile',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'target_session_attrs',
  'connect_timeout',
  'application_name',
] as const;
type Parameter = (typeof PARAMETERS)[number];

const DEFAULT_CONNECT_TIMEOUT_MS = 5000;

/**
 * Reads `postgres://user@host:port,host:port/name?parameter=value`, with the environment of libpq's programs for what is
 * not said: PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGPASSFILE, PGSSLMODE.
 * @throws ConfigError naming what is wrong, never the password
 */
export function parsePostgresAddress(text: string, environment: NodeJS.ProcessEnv = process.env): PostgresAddress {
  const shown = withoutPassword(text);
  const bad = (why: string) => new ConfigError(`database ${shown}: ${why}`);
  const read = /^postgres(?:ql)?:\/\/(?:([^:@/?]*)(?::([^@/?]*))?@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(text);
  if (hasIllWrittenPassword(text)) throw bad('in a password @, / and ? are written %40, %2F and %3F');
  if (!read) throw bad('not an address; expected postgres://USER@HOST:PORT/DATABASE');
  const decode = (part: string | undefined, name: string) => {
    if (part === undefined || part === '') return undefined;
    try {
      return decodeURIComponent(part);
    } catch {
      throw bad(`${name} is not percent-encoded text: % itself is written %25`);
    }
  };
  const said = readParameters(read[5] ?? '', bad);
  const user = said.user ?? decode(read[1], 'the user') ?? environment.PGUSER ?? environment.USER ?? '';
  if (user === '') throw bad('no user is named; write postgres://USER@HOST/DATABASE');
  const hosts = readHosts(
    said.host ?? decode(read[3], 'the host') ?? environment.PGHOST ?? '',
    said.port ?? environment.PGPORT,
    bad,
  );
  const mode = said.sslmode ?? environment.PGSSLMODE ?? 'prefer';
  if (!SSL_MODES.includes(mode)) throw bad(`sslmode=${mode} is none of ${SSL_MODES.join(', ')}`);
  const target = (said.target_session_attrs ?? 'any') as TargetSession;
  if (!TARGETS.includes(target)) throw bad(`target_session_attrs=${target} is none of ${TARGETS.join(', ')}`);
  const seconds = said.connect_timeout === undefined ? null : Number(said.connect_timeout);
  if (seconds !== null && !(seconds > 0 && seconds <= 600)) throw bad('connect_timeout is in seconds, 1 to 600');
  return {
    hosts,
    user,
    database: said.dbname ?? decode(read[4], 'the name of the database') ?? environment.PGDATABASE ?? user,
    password: said.password ?? decode(read[2], 'the password') ?? environment.PGPASSWORD ?? null,
    passFile: said.passfile ?? environment.PGPASSFILE ?? null,
    tls: readTls(mode, said, bad),
    tlsOptional: mode === 'prefer' || mode === 'allow',
    target,
    connectTimeoutMs: seconds === null ? DEFAULT_CONNECT_TIMEOUT_MS : seconds * 1000,
    applicationName: said.application_name ?? 'bakeserv',
    shown,
  };
}

function readParameters(query: string, bad: (why: string) => ConfigError): Partial<Record<Parameter, string>> {
  const said: Partial<Record<Parameter, string>> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    const parameter = PARAMETERS.find((known) => known === name);
    if (!parameter) throw bad(`the parameter ${JSON.stringify(name)} is unknown; known are ${PARAMETERS.join(', ')}`);
    if (value === '') throw bad(`${name} is empty`);
    said[parameter] = value;
  }
  return said;
}

function readHosts(text: string, ports: string | undefined, bad: (why: string) => ConfigError): Host[] {
  const portOf = (digits: string | undefined, fallback: number) => {
    if (digits === undefined || digits === '') return fallback;
    const port = Number(digits);
    if (!/^\d+$/.test(digits) || port < 1 || port > 65535) throw bad(`${JSON.stringify(digits)} is no port`);
    return port;
  };
  const listed = ports?.split(',') ?? [];
  return (text === '' ? ['localhost'] : text.split(',')).map((one, i) => {
    const fallback = portOf(listed[listed.length === 1 ? 0 : i], 5432);
    if (one.startsWith('/')) return { host: one, port: fallback };
    const split = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d*))?$/.exec(one);
    if (!split) throw bad(`${JSON.stringify(one)} is no host`);
    return { host: split[1] ?? (split[2] || 'localhost'), port: portOf(split[3], fallback) };
  });
}

function readTls(
  mode: string,
  said: Partial<Record<Parameter, string>>,
  bad: (why: string) => ConfigError,
): ConnectionOptions | null {
  if (mode === 'disable') return null;
  const file = (name: 'sslrootcert' | 'sslcert' | 'sslkey') => {
    const path = said[name];
    if (path === undefined || path === 'system') return undefined;
    try {
      return fs.readFileSync(path);
    } catch (error) {
      throw bad(`${name}: cannot read ${path}: ${reasonOf(error)}`);
    }
  };
  const verify = mode.startsWith('verify-');
  const options: ConnectionOptions = { rejectUnauthorized: verify, minVersion: 'TLSv1.2' };
  const [ca, cert, key] = [file('sslrootcert'), file('sslcert'), file('sslkey')];
  if (ca) Object.assign(options, { ca, rejectUnauthorized: true });
  if (cert) options.cert = cert;
  if (key) options.key = key;
  // Only verify-full looks at the name that the certificate is for.
  if (mode !== 'verify-full') options.checkServerIdentity = () => undefined;
  return options;
}
