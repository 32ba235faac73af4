import fs from 'node:fs';
import path from 'node:path';
import { formatAddress } from '../asyncrpc/transport/address.ts';
import { readAuthorities } from '../asyncrpc/transport/authorities.ts';
import { checkListenAddress, folderToCome } from '../asyncrpc/transport/listen-check.ts';
import { readPrivateFile } from '../asyncrpc/transport/private-file.ts';
import type { TlsFiles } from '../asyncrpc/transport/tls/credentials.ts';
import { expiryWarning } from '../asyncrpc/transport/tls/expiry.ts';
import { BakeservError, ConfigError, reasonOf } from '../errors.ts';
import type { Config, ServiceConfig } from '../settings/config.ts';
import type { ListenerSpec } from '../settings/listener-spec.ts';
import { upstreamLogin } from '../settings/upstream-login.ts';

/** An engine's check of a database before it is opened; throws what is wrong with it. */
export type DatabaseCheck = (service: ServiceConfig, config: Pick<Config, 'readOnly' | 'init'>) => Promise<void>;

/** When the settings are checked. */
export interface StartMoment {
  /** Listening sockets were handed over and are used instead of the addresses. */
  readonly inherited: boolean;
  /** The start is still to come, and may find what is missing now. */
  readonly ahead: boolean;
}

/**
 * Every check of a start, short of opening a database and listening. Creates nothing; a server that runs with the same
 * settings is not in the way.
 * @returns warnings: what must exist by the time of the start, when that is still to come, and certificates that expire soon
 * @throws ConfigError with every fault
 */
export async function checkStart(
  config: Config,
  { inherited, ahead }: StartMoment,
  checkDatabase: DatabaseCheck,
): Promise<readonly string[]> {
  const faults: string[] = [];
  const warnings: string[] = [];
  const checkBind = ({ address, access, tls }: ListenerSpec) => {
    const folder = ahead ? folderToCome(address) : null;
    if (folder === null) return checkListenAddress(address, access, tls);
    warnings.push(
      `${formatAddress(address)}: there is no folder ${folder} yet: serve does not start without it; with RuntimeDirectory= in its unit, systemd creates it at the start`,
    );
  };
  const check = async (look: () => unknown) => {
    try {
      await look();
    } catch (error) {
      if (!(error instanceof BakeservError)) throw error;
      faults.push(error.message);
    }
  };
  await check(() => requireOneSyncMode(config));
  for (const service of [config.hashserv, config.prserv]) {
    if (service) await check(() => checkDatabase(service, config));
  }
  for (const bind of config.binds) {
    if (!inherited) await check(() => checkBind(bind));
    // One without a name has no socket among those that were handed over.
    const { tls } = !inherited || bind.name !== null ? bind : { tls: null };
    if (tls) await check(async () => warnings.push(...(await checkCertificate(tls))));
  }
  const { caFile, certificate } = config.upstream;
  if (caFile !== null) await check(() => readAuthorities(caFile));
  if (certificate) await check(async () => (await credentials()).readClientCertificate(certificate));
  for (const service of ['hashserv', 'prserv'] as const) {
    const upstream = config[service]?.upstream;
    if (upstream) await check(() => upstreamLogin(config.upstream, service, upstream));
  }
  for (const { tokenFile } of config.mirrors)
    if (tokenFile !== null) await check(() => readPrivateFile(tokenFile, '--mirror token-file'));
  const { logFile, accessLog } = config;
  if (logFile !== null) await check(() => checkLogFile('--log-file', logFile));
  if (accessLog !== null && accessLog !== '-') await check(() => checkLogFile('--access-log', accessLog));
  if (faults.length > 0) throw new ConfigError([...new Set(faults)].join('; '));
  return [...new Set(warnings)];
}

/** Loaded only when needed: most servers speak no TLS, and every server should start fast. */
const credentials = () => import('../asyncrpc/transport/tls/credentials.ts');

/** @returns a warning when it expires soon; a server that starts logs it by itself */
async function checkCertificate(files: TlsFiles): Promise<readonly string[]> {
  const { expires } = (await credentials()).readServerCredentials(files);
  const warning = expiryWarning({ file: files.certFile, expires });
  return warning === null ? [] : [warning];
}

function checkLogFile(option: string, file: string): void {
  const found = fs.statSync(file, { throwIfNoEntry: false });
  const why = found?.isDirectory() ? 'it is a folder' : notWritable(found ? file : path.dirname(path.resolve(file)));
  if (why !== null) throw new ConfigError(`${option}: cannot write ${file}: ${why}`);
}

function notWritable(file: string): string | null {
  try {
    fs.accessSync(file, fs.constants.W_OK);
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

/** The same name for the same file, even where two paths lead to it. The file need not exist yet. */
export function realFile(file: string): string {
  const resolved = path.resolve(file);
  try {
    return fs.realpathSync(resolved);
  } catch {
    try {
      return path.join(fs.realpathSync(path.dirname(resolved)), path.basename(resolved));
    } catch {
      return resolved;
    }
  }
}

/** @throws ConfigError for two modes on one file */
export function requireOneSyncMode({ hashserv, prserv }: Pick<Config, 'hashserv' | 'prserv'>): void {
  const same = (a: ServiceConfig, b: ServiceConfig) => JSON.stringify(a.syncMode) === JSON.stringify(b.syncMode);
  if (
    !hashserv ||
    !prserv ||
    hashserv.postgres ||
    realFile(hashserv.file) !== realFile(prserv.file) ||
    same(hashserv, prserv)
  )
    return;
  throw new ConfigError(
    'both services are on one database file: --hashserv-sync-mode and --prserv-sync-mode must be the same',
  );
}
