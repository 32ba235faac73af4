import fs from 'node:fs';
import path from 'node:path';
import { userName } from '../../asyncrpc/transport/passwd.ts';
import { ConfigError, reasonOf } from '../../errors.ts';
import type { Flags } from '../../settings/settings.ts';
import type { ServerStatus } from '../process/control.ts';
import { makeFolders } from '../process/folders.ts';
import { networkFileSystem } from './network-file-system.ts';

/** Where the private server of a build folder keeps its files. */
export interface AutoPlace {
  readonly folder: string;
  /** The folder of the next four files; only its owner can use it. */
  readonly own: string;
  /** Held by the server while it runs. */
  readonly lock: string;
  readonly control: string;
  readonly log: string;
  /** The port of the PR service, kept for the next server. */
  readonly port: string;
  readonly dbFolder: string;
  /** What BitBake connects to. */
  readonly socket: string;
}

/** The build folder: as given, otherwise that of the initialised build environment, otherwise the current folder. */
export function buildFolder(given: string | undefined, environment: NodeJS.ProcessEnv): string {
  return path.resolve(given ?? (environment.TOPDIR || environment.BUILDDIR || '.'));
}

/** Names the files and folders; creates nothing. */
export function autoPlace(folder: string, dbFolder: string | undefined): AutoPlace {
  const own = path.join(folder, '.bakeserv');
  return {
    folder,
    own,
    lock: path.join(own, 'lock'),
    control: path.join(own, 'control.sock'),
    log: path.join(own, 'log'),
    port: path.join(own, 'port'),
    dbFolder: dbFolder === undefined ? path.join(folder, 'cache') : path.resolve(dbFolder),
    socket: path.join(folder, 'hashserve.sock'),
  };
}

/**
 * Creates the folder of lock, control socket and log. Anyone who can write there decides which server a build talks to,
 * so it must be a folder of this user, and not a link.
 * @throws ConfigError when the build folder is missing, or that folder belongs to somebody else; the message names them
 */
export function makeFolder(place: AutoPlace): void {
  if (!fs.statSync(place.folder, { throwIfNoEntry: false })?.isDirectory())
    throw new ConfigError(`the build folder ${place.folder} does not exist; name it with --dir`);
  if (!requireOwn(place)) makeFolders(place.own, 0o700);
}

/**
 * Whether the folder of a private server exists.
 * @throws ConfigError when it belongs to somebody else
 */
export function requireOwn({ own, folder }: AutoPlace): boolean {
  const found = fs.lstatSync(own, { throwIfNoEntry: false });
  if (!found) return false;
  if (!found.isDirectory())
    throw new ConfigError(`${own} is not a folder but ${found.isSymbolicLink() ? 'a link' : 'a file'}: remove it`);
  if (process.getuid !== undefined && found.uid !== process.getuid())
    throw new ConfigError(
      `the private server of ${folder} belongs to ${userName(found.uid)}, who alone can use and stop it (${own})`,
    );
  if ((found.mode & 0o022) !== 0)
    throw new ConfigError(`other users can write to ${own}: take that away with chmod go-w, or remove the folder`);
  return true;
}

/**
 * Creates the folders a server needs.
 * @throws ConfigError when the build folder is missing, or the databases would be on a network file system
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

/** Whether a running server listens in this folder: if the folder was moved, the server only knows the old path. */
export function isAt(status: Pick<ServerStatus, 'addresses'>, place: AutoPlace): boolean {
  const { BB_HASHSERVE } = variables(status);
  const theirs = identity(BB_HASHSERVE.slice('unix://'.length));
  return theirs !== null && theirs === identity(place.socket);
}

function identity(file: string): string | null {
  try {
    const { dev, ino } = fs.statSync(file);
    return `${dev} ${ino}`;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw new ConfigError(`cannot look at ${file}: ${reasonOf(error)}`, error);
  }
}

/** The variables that point BitBake at a running server. */
export function variables(status: Pick<ServerStatus, 'addresses'>): Record<'BB_HASHSERVE' | 'PRSERV_HOST', string> {
  const unix = status.addresses.find((address) => address.startsWith('unix://'));
  const tcp = status.addresses.find((address) => !address.includes('://'));
  return { BB_HASHSERVE: unix!, PRSERV_HOST: tcp! };
}

/** The place of the private server that the flags name. */
export function placeOf(flags: Flags, environment: NodeJS.ProcessEnv): AutoPlace {
  return autoPlace(buildFolder(flags.dir as string | undefined, environment), flags['db-dir'] as string | undefined);
}
