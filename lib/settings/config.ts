import type { Limits } from '../asyncrpc/limits.ts';
import { type Address, formatAddress, parseAddress, protocolAddress } from '../asyncrpc/transport/address.ts';
import { createProxies } from '../asyncrpc/transport/proxies.ts';
import type { CertificateFiles } from '../asyncrpc/transport/tls/credentials.ts';
import { BakeservError, ConfigError } from '../errors.ts';
import { parseAnonymousPermissions } from '../hashserv/access/permissions.ts';
import type { LogLevel } from '../log.ts';
import { adminOf } from './admin-settings.ts';
import type { ConfigFile } from './config-file.ts';
import { isPostgresAddress, withoutPassword } from './database-address.ts';
import { type PageConfig, pageOf, parseOrigin } from './http/page-settings.ts';
import { limitsOf } from './limits/limits-settings.ts';
import {
  type ListenerSpec,
  parseListener,
  requireNames,
  requireProxies,
  requireServices,
  type ServiceName,
} from './listener-spec.ts';
import type { ListenerGiven } from './listener-words.ts';
import { workersOf } from './options.ts';
import { type MirrorConfig, mirrorsOf } from './publishing/mirror-settings.ts';
import { SYNC_MODE } from './serve-options.ts';
import { type Flags, resolveSettings, type Settings } from './settings.ts';
import { certificateOf, requireTlsListener, tlsDefaults } from './tls-settings.ts';
import {
  figuresFileOf,
  type InsightsConfig,
  insightsOf,
  type JobsConfig,
  jobsOf,
  type SharedStateConfig,
  sharedStateOf,
} from './work-settings.ts';

/** When writes are synced to the disk. */
export type SyncMode =
  | { readonly kind: 'immediate' }
  | { readonly kind: 'periodic'; readonly seconds: number }
  | { readonly kind: 'on_shutdown' };

export interface ServiceConfig {
  /** The database file, or the address of a database server without its password. */
  readonly file: string;
  /** The address of a PostgreSQL database; null where it is a file. */
  readonly postgres: string | null;
  readonly syncMode: SyncMode;
  readonly upstream: Address | null;
}

/** Who to log in as; token null: look in .netrc. */
export interface LoginGiven {
  readonly username: string | null;
  readonly token: string | null;
}

/** How upstreams are asked. Times in milliseconds. */
export interface UpstreamConfig {
  readonly timeoutMs: number;
  /** For the upstream look-up of a report. Longer: a missed look-up is asked again later, a missed equivalence is lost. */
  readonly reportTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly missTtlMs: number;
  readonly caFile: string | null;
  /** What the server shows upstreams that ask for a certificate. */
  readonly certificate: CertificateFiles | null;
  /** For the hash equivalence upstream, and for that of PR values. */
  readonly logins: { readonly hashserv: LoginGiven; readonly prserv: LoginGiven };
}

/** Everything a server is started with. */
export interface Config {
  readonly binds: readonly ListenerSpec[];
  readonly hashserv: ServiceConfig | null;
  readonly prserv: ServiceConfig | null;
  /** Processes that serve; with more than one, another leads them. */
  readonly workers: number;
  /** A worker that shows no sign of life for this long is ended and replaced. */
  readonly workerTimeoutMs: number;
  readonly init: boolean;
  readonly readOnly: boolean;
  /** With `readOnly`: nobody else writes to the database files either. */
  readonly immutable: boolean;
  readonly history: boolean;
  /** What clients may do without a login, on listeners that do not say; null: by whether the listener is local. */
  readonly anonymousPermissions: readonly string[] | null;
  /** Who is believed when it names its clients: addresses, networks, `unix`. */
  readonly trustProxy: readonly string[];
  /** Web origins whose pages may connect over WebSocket. */
  readonly allowOrigins: readonly string[];
  readonly page: PageConfig;
  readonly admin: { readonly username: string; readonly password: string } | null;
  readonly cacheBytes: number;
  readonly mirrors: readonly MirrorConfig[];
  readonly jobs: JobsConfig;
  /** Where figures over time are kept; null: in memory alone. */
  readonly figuresFile: string | null;
  readonly insights: InsightsConfig;
  readonly sharedState: SharedStateConfig;
  readonly upstream: UpstreamConfig;
  readonly limits: Limits;
  readonly logLevel: LogLevel;
  readonly logFormat: 'text' | 'json';
  /** Null: stderr. */
  readonly logFile: string | null;
  /** Null: none; `-`: standard output. */
  readonly accessLog: string | null;
  readonly selfCheck: boolean;
  readonly json: boolean;
  /** The configuration file that was read, or null. */
  readonly configFile: string | null;
}

/**
 * Flags over environment over configuration file over defaults, as one frozen Config. Opens and creates nothing; only
 * files that hold secrets are read.
 * @throws ConfigError naming where it was set, the option, and what was expected
 */
export function resolveConfig(
  flags: Flags,
  environment: NodeJS.ProcessEnv = {},
  descriptors = Number.POSITIVE_INFINITY,
  file: ConfigFile | null = null,
): Config {
  return configOf(resolveSettings(flags, environment, file), descriptors, file?.path ?? null);
}

/**
 * The settings as a Config.
 * @param configFile the path of the file that some of them were read from, for the log
 * @throws ConfigError as `resolveConfig`
 */
export function configOf(
  settings: Settings,
  descriptors = Number.POSITIVE_INFINITY,
  configFile: string | null = null,
): Config {
  const value = (name: string) => settings.get(name)!.value;
  const text = (name: string) => value(name) as string | undefined;
  const flag = (name: string) => value(name) as boolean;
  const where = (name: string) => settings.get(name)!.where ?? `--${name}`;
  const syncMode = (service: string) => {
    const name = text(`${service}-sync-mode`) ? `${service}-sync-mode` : 'sync-mode';
    return parseSyncMode(text(name)!, where(name));
  };
  const access = {
    mode: text('socket-mode') === undefined ? null : Number.parseInt(text('socket-mode')!, 8),
    group: text('socket-group') ?? null,
  };
  const tls = tlsDefaults(text, where);
  const binds = naming(where('bind'), () =>
    (value('bind') as readonly ListenerGiven[]).map((given) =>
      parseListener(given, { access, tls, page: flag('page') }),
    ),
  );
  if (binds.length === 0) throw new ConfigError(`${where('bind')}: no address is given`);
  requireTlsListener(tls, binds, where);
  const milliseconds = (name: string) => (value(name) as number) * 1000;
  const service = (name: string): ServiceConfig | null => {
    if (!flag(name)) return null;
    const file = text(`${name}-db`)!;
    if (file === '') throw new ConfigError(`${where(`${name}-db`)}: the file name is empty`);
    const upstream = text(`${name}-upstream`);
    const place = where(`${name}-upstream`);
    const postgres = isPostgresAddress(file) ? file : null;
    return {
      file: withoutPassword(file),
      postgres,
      syncMode: syncMode(name),
      upstream: upstream ? parseUpstream(upstream, place, binds) : null,
    };
  };
  const loginGiven = (name: ServiceName) => ({
    username: text(`${name}-upstream-user`) ?? null,
    token: text(`${name}-upstream-token`) ?? null,
  });
  const anonPerms = text('anon-perms');
  const trustProxy = words(value('trust-proxy'));
  naming(where('trust-proxy'), () => createProxies(trustProxy));
  naming(where('bind'), () => requireProxies(binds, trustProxy));
  const [hashserv, prserv] = [service('hashserv'), service('prserv')];
  const files = [hashserv, prserv].flatMap((each) => (each && each.postgres === null ? [each.file] : []));
  const config: Config = {
    binds,
    hashserv,
    prserv,
    workers: workersOf(value('workers') as number, where('workers')),
    workerTimeoutMs: milliseconds('worker-timeout'),
    init: flag('init'),
    readOnly: flag('read-only'),
    immutable: immutableOf(flag('immutable'), flag('read-only')),
    history: flag('history'),
    anonymousPermissions: naming(where('anon-perms'), () =>
      anonPerms === undefined ? null : parseAnonymousPermissions(anonPerms.split(/[\s,]+/).filter(Boolean)),
    ),
    trustProxy,
    allowOrigins: ((value('allow-origin') as readonly string[] | undefined) ?? []).map((origin) =>
      parseOrigin(origin, where('allow-origin')),
    ),
    page: pageOf(value, where, trustProxy),
    admin: adminOf(text('admin-user'), text('admin-password'), flag('read-only')),
    cacheBytes: value('cache-size') as number,
    mirrors: mirrorsOf(value('mirror'), where('mirror'), { binds, readOnly: flag('read-only'), hashserv, prserv }),
    jobs: jobsOf(value, where, files),
    figuresFile: figuresFileOf(value, where, files),
    insights: insightsOf(value),
    sharedState: sharedStateOf(value, where),
    upstream: {
      timeoutMs: milliseconds('upstream-timeout'),
      reportTimeoutMs: milliseconds('upstream-report-timeout'),
      connectTimeoutMs: milliseconds('upstream-connect-timeout'),
      missTtlMs: milliseconds('upstream-miss-ttl'),
      caFile: text('ca') ?? null,
      certificate: certificateOf('upstream-tls-cert', 'upstream-tls-key', text, where),
      logins: { hashserv: loginGiven('hashserv'), prserv: loginGiven('prserv') },
    },
    limits: limitsOf(settings, descriptors),
    logLevel: text('log-level') as LogLevel,
    logFormat: text('log-format') as 'text' | 'json',
    logFile: text('log-file') ?? null,
    accessLog: text('access-log') ?? null,
    selfCheck: flag('self-check'),
    json: flag('json'),
    configFile,
  };
  if (!config.hashserv && !config.prserv)
    throw new ConfigError('--no-hashserv and --no-prserv together leave nothing to serve');
  naming(where('bind'), () => requireNames(binds));
  naming(where('bind'), () => requireServices(binds, { hashserv: flag('hashserv'), prserv: flag('prserv') }));
  return Object.freeze(config);
}

/** Every word of a list, wherever commas or blanks separate them. */
function words(list: unknown): readonly string[] {
  return ((list as readonly string[] | undefined) ?? []).flatMap((text) => text.split(/[\s,]+/)).filter(Boolean);
}

/** Adds the place where a value was set to what is wrong with it. */
function naming<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof BakeservError) throw new ConfigError(`${where}: ${error.message}`, error);
    throw error;
  }
}

/**
 * Reads a sync mode; README (Durability) describes them.
 * @param where the option as the user wrote it, for the message
 * @throws ConfigError
 */
export function parseSyncMode(text: string, where: string): SyncMode {
  if (text === 'immediate' || text === 'on_shutdown') return { kind: text };
  const seconds = new RegExp(SYNC_MODE.pattern).test(text) ? Number(text.slice('periodic:'.length)) : 0;
  if (seconds >= 0.01 && seconds <= 86_400) return { kind: 'periodic', seconds };
  throw new ConfigError(`${where}: ${JSON.stringify(text)} is not ${SYNC_MODE.expected}`);
}

/** Refuses our own listeners as an upstream: the server would ask itself. */
function parseUpstream(text: string, where: string, binds: readonly ListenerSpec[]): Address {
  const address = naming(where, () => parseAddress(text));
  if (address.kind === 'http')
    throw new ConfigError(
      `${where}: an upstream is not asked over HTTP; its HTTP listener is reached as ${formatAddress(protocolAddress(address))}`,
    );
  const own = binds.flatMap((bind) => [bind.address, protocolAddress(bind.address)]).map(formatAddress);
  if (own.includes(formatAddress(address))) {
    throw new ConfigError(`${where} ${text} is this server itself: name another server, or none`);
  }
  return address;
}

function immutableOf(immutable: boolean, readOnly: boolean): boolean {
  if (immutable && !readOnly) throw new ConfigError('--immutable is for a --read-only server: this one writes');
  return immutable;
}
