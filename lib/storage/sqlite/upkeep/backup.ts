import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { errorText, StorageError } from '../../../errors.ts';
import { backupStampOf } from '../../../meter/backup-stamp.ts';
import { openBinding } from '../engine/binding.ts';
import { patiently } from '../engine/connections.ts';
import { openToLook } from './look.ts';

/** Bytes written of about how many. */
export type OnBackupProgress = (written: number, total: number) => void;

const LOOK_EVERY_MS = 200;
/** As of a database of ours, whatever the umask. */
const BACKUP_MODE = 0o640;

/**
 * Copies a database, also one that a server is writing to, into a new file: as it was at one moment, without free
 * pages, checked and on disk before it has its name. The database is opened by SQLite alone, also in the process of a
 * server that has it open: any other descriptor, when it is closed, gives back every lock the process has on the file.
 * @param signal ends it when it is aborted
 * @returns the bytes of the copy
 * @throws StorageError when the database cannot be read or the copy cannot be written; nothing is left of it then.
 *   A file that is there already is never overwritten.
 */
export async function backupDatabase(
  file: string,
  target: string,
  onProgress?: OnBackupProgress,
  signal?: AbortSignal,
): Promise<number> {
  if (fs.existsSync(target)) throw exists(target);
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${randomBytes(6).toString('hex')}`);
  try {
    // Before a row is in it: it holds the users' token hashes. SQLite fills a file that is there and empty.
    fs.closeSync(fs.openSync(temporary, 'wx', BACKUP_MODE));
    await copy(file, temporary, onProgress, signal);
    signal?.throwIfAborted();
    await requireWhole(temporary);
    fs.chmodSync(temporary, BACKUP_MODE);
    sync(temporary);
    link(temporary, target);
    fs.rmSync(temporary, { force: true });
    sync(path.dirname(target));
    stamp(file, target);
    return fs.statSync(target).size;
  } catch (error) {
    // SQLite names the database it reads, whichever disk is full.
    if (error instanceof StorageError && error.code === 'storage-full')
      throw new StorageError('storage-full', `no room for the backup in ${path.dirname(target)}`, error);
    if (error instanceof StorageError) throw error;
    throw new StorageError('storage-io', `the backup ${target} cannot be written: ${errorText(error)}`, error);
  } finally {
    for (const suffix of ['', '-journal']) fs.rmSync(temporary + suffix, { force: true });
  }
}

async function copy(
  file: string,
  temporary: string,
  onProgress: OnBackupProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const connection = await openToLook(file, signal);
  try {
    const pages = await patiently(() => connection.all<{ bytes: number }>(USED_BYTES));
    const look = () => onProgress?.(fs.statSync(temporary, { throwIfNoEntry: false })?.size ?? 0, pages[0]!.bytes);
    const timer = setInterval(look, LOOK_EVERY_MS);
    try {
      await patiently(() => connection.run('VACUUM INTO ?', [temporary]));
      look();
    } finally {
      clearInterval(timer);
    }
  } finally {
    await connection.close();
  }
}

const USED_BYTES = `SELECT (p.page_count - f.freelist_count) * s.page_size AS bytes
  FROM pragma_page_count p, pragma_freelist_count f, pragma_page_size s`;

/** @throws StorageError storage-corrupt when the copy is damaged: then what it was made from is */
async function requireWhole(copied: string): Promise<void> {
  const connection = await openBinding(copied, 'read');
  try {
    const [row] = await connection.all<{ quick_check: string }>('PRAGMA quick_check(1)');
    if (row?.quick_check !== 'ok')
      throw new StorageError('storage-corrupt', `the copy is damaged (${row?.quick_check}): check the database`);
  } finally {
    await connection.close();
  }
}

/** For a server that tells who looks after it when a database was backed up last. Whoever may not write there has made a backup all the same. */
function stamp(file: string, target: string): void {
  try {
    const note = backupStampOf(fs.realpathSync(file));
    // That of another user may not be written, but may be replaced.
    fs.rmSync(note, { force: true });
    fs.writeFileSync(note, `${path.resolve(target)}\n`, { mode: BACKUP_MODE });
  } catch {
    // It is a note and nothing else.
  }
}

/** Gives the finished copy its name, unless somebody else took it meanwhile. */
function link(temporary: string, target: string): void {
  try {
    fs.linkSync(temporary, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw exists(target);
    // A file system without hard links; between this look and the renaming only another backup could come.
    if (fs.existsSync(target)) throw exists(target);
    fs.renameSync(temporary, target);
  }
}

function exists(target: string): StorageError {
  return new StorageError('storage-io', `${target} is there already: a backup overwrites nothing`);
}

/** A file or a folder to disk. */
export function sync(file: string): void {
  const descriptor = fs.openSync(file, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
