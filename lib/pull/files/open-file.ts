import fs from 'node:fs';
import path from 'node:path';
import { InvokeError, reasonOf, StorageError } from '../../errors.ts';
import type { TaskIndex } from '../../hashserv/task-index.ts';
import type { StoredSource } from '../../transfer/ends.ts';
import { databasesIn, type ServicesIn } from '../../transfer/folder.ts';
import type { PullSource } from '../source.ts';
import { sourceOf } from './database-source.ts';
import { openHashExport } from './hash-export.ts';
import { kindOfExport } from './kind-of-export.ts';
import { openPrExport } from './pr-export.ts';

/** What opens databases, whatever their engine. */
export interface Databases {
  /** A file, or a `postgres://` address. */
  open(name: string): Promise<StoredSource>;
  readonly servicesIn: ServicesIn;
  /** Files of this server that hold no rows to pull, and that it has open. */
  readonly own: readonly string[];
}

export interface FileMeans {
  readonly databases: Databases;
  /** Database files of this server. */
  readonly own: readonly string[];
  readonly openTaskIndex: () => Promise<TaskIndex>;
  readonly signal: AbortSignal;
}

/** What SQLite keeps beside a database. */
const BESIDE = ['', '-wal', '-shm', '-journal'];

/**
 * Opens a file, or a folder with database files, to pull from it. Others may write to a database meanwhile: it is only read.
 *
 * A file that this server has open is not touched, as closing it once more would drop SQLite's locks (docs/architecture.md); and
 * what may be a database is opened by SQLite first, and read as a text only if it is none.
 * @throws InvokeError, StorageError, which say what to do
 */
export async function openFile(file: string, means: FileMeans): Promise<PullSource> {
  const found = look(file);
  requireOther(file, found, means.own);
  if (found.isDirectory()) return openFolder(file, means);
  if (found.isSocket())
    throw new InvokeError(`pull: ${file} is a socket: the server behind it is named unix://${file}`);
  if (!found.isFile()) throw new InvokeError(`pull: ${file} is neither a file nor a folder`);
  if (found.size === 0) throw new InvokeError(`pull: ${file} is empty (0 bytes)`);
  requireReadable(file, fs.constants.R_OK);
  const database = await openDatabase(file, means.databases);
  if (database) return closedOnError([database], () => sourceOf(file, [database], true));
  const kind = await kindOfExport(file);
  if (kind === 'hashes') return openHashExport(file, means.openTaskIndex, means.signal);
  return openPrExport(file, kind);
}

/** Null where the file is no SQLite database at all. */
async function openDatabase(file: string, { open }: Databases): Promise<StoredSource | null> {
  try {
    return await open(file);
  } catch (error) {
    if (error instanceof StorageError && isNoDatabase(error)) return null;
    throw error;
  }
}

/** SQLITE_NOTADB. */
const NOT_A_DATABASE = 26;

function isNoDatabase({ cause }: StorageError): boolean {
  return cause instanceof Error && 'errno' in cause && cause.errno === NOT_A_DATABASE;
}

async function openFolder(folder: string, { databases, own }: FileMeans): Promise<PullSource> {
  requireReadable(folder, fs.constants.R_OK | fs.constants.X_OK);
  const files = await databasesIn(folder, (file) => {
    requireOther(file, look(file), own);
    return databases.servicesIn(file);
  });
  if (files.length === 0) throw new InvokeError(`pull: there is no database of a server in the folder ${folder}`);
  const opened: StoredSource[] = [];
  return closedOnError(opened, async () => {
    for (const file of files) opened.push(await databases.open(file));
    return sourceOf(folder, opened, true);
  });
}

async function closedOnError<T>(opened: readonly StoredSource[], work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    for (const database of opened) await database.close();
    throw error;
  }
}

/** `stat` only. */
function look(file: string): fs.Stats {
  try {
    return fs.statSync(file);
  } catch (error) {
    throw new InvokeError(`pull: cannot look at ${file}: ${reasonOf(error)}`, error, 'missing');
  }
}

/** By any path or hard link. */
function requireOther(file: string, { dev, ino }: fs.Stats, own: readonly string[]): void {
  for (const ours of own)
    for (const suffix of BESIDE) {
      const open = fs.statSync(ours + suffix, { throwIfNoEntry: false });
      if (open?.dev === dev && open.ino === ino)
        throw new InvokeError(`pull: ${file} is a file of this server (${ours + suffix}): name another one`);
    }
}

function requireReadable(file: string, mode: number): void {
  try {
    fs.accessSync(file, mode);
  } catch (error) {
    const user = process.getuid === undefined ? '' : `, user ${process.getuid()},`;
    throw new InvokeError(
      `pull: the server${user} may not read ${path.resolve(file)}: let it, or make a copy that it may read`,
      error,
    );
  }
}
