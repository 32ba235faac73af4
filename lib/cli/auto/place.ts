import fs from 'node:fs';
import path from 'node:path';
import { ConfigError, errorText } from '../../errors.ts';
import type { ServerStatus } from '../control.ts';
import { networkFileSystem } from './network-file-system.ts';

/** Where the private server of a build folder keeps its things. */
export interface AutoPlace {
  readonly folder: string;
  readonly dbFolder: string;
  /** What BitBake connects to. */
  readonly socket: string;
  /** Held by the server as long as it lives. */
  readonly lock: string;
  readonly control: string;
  readonly log: string;
}

/** The build folder: as given, else what an initialised build environment says, else the current folder. */
export function buildFolder(given: string | undefined, environment: NodeJS.ProcessEnv): string {
  return path.resolve(given ?? (environment.TOPDIR || environment.BUILDDIR || '.'));
}

/** Names everything; makes nothing. */
export function autoPlace(folder: string, dbFolder: string | undefined): AutoPlace {
  const own = path.join(folder, '.bakeserv');
  return {
    folder,
    dbFolder: dbFolder === undefined ? path.join(folder, 'cache') : path.resolve(dbFolder),
    socket: path.join(folder, 'hashserve.sock'),
    lock: path.join(own, 'lock'),
    control: path.join(own, 'control.sock'),
    log: path.join(own, 'log'),
  };
}

/**
 * Makes the folder of lock, control socket and log.
 * @throws ConfigError when the build folder is absent
 */
export function makeFolder(place: AutoPlace): void {
  if (!fs.statSync(place.folder, { throwIfNoEntry: false })?.isDirectory())
    throw new ConfigError(`the build folder ${place.folder} does not exist; name it with --dir`);
  makeFolders(path.dirname(place.lock), 0o700);
}

/**
 * Makes the folders a server needs.
 * @throws ConfigError when the build folder is absent, or the databases would be on a network file system
 */
export function prepare(place: AutoPlace, detect: typeof networkFileSystem = networkFileSystem): void {
  makeFolder(place);
  makeFolders(place.dbFolder, 0o777);
  const network = detect(place.dbFolder);
  if (network === null) return;
  throw new ConfigError(
    `${place.dbFolder} is on a network file system (${network}), where SQLite databases get damaged; name a folder on a local disk with --db-dir, as --db-dir /var/tmp/bakeserv-${path.basename(place.folder)}`,
  );
}

function makeFolders(folder: string, mode: number): void {
  try {
    fs.mkdirSync(folder, { recursive: true, mode });
  } catch (error) {
    throw new ConfigError(`cannot make the folder ${folder}: ${errorText(error)}`, error);
  }
}

/** What BitBake has to be told of a running server. */
export function variables(status: Pick<ServerStatus, 'addresses'>): Record<'BB_HASHSERVE' | 'PRSERV_HOST', string> {
  const unix = status.addresses.find((address) => address.startsWith('unix://'));
  const tcp = status.addresses.find((address) => !address.includes('://'));
  return { BB_HASHSERVE: unix!, PRSERV_HOST: tcp! };
}
