import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { errorText, StorageError } from '../../../errors.ts';
import { openBinding } from '../engine/binding.ts';

const DATABASE_MODE = 0o640;

/**
 * Creates an empty database in WAL mode. It gets its name only once it has a first page: a file of zero bytes is taken
 * for a lost database, for example by a second server that starts at the same moment, or after a kill during the first start.
 * A file that exists by then is left alone.
 * @throws StorageError naming the file
 */
export async function createDatabaseFile(file: string): Promise<void> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}`);
  try {
    createPrivate(temporary);
    const connection = await openBinding(temporary, 'create');
    try {
      await connection.exec('PRAGMA journal_mode = WAL');
    } finally {
      await connection.close();
    }
    link(temporary, file);
  } catch (error) {
    const code = error instanceof StorageError ? error.code : 'storage-io';
    const why = code === 'storage-missing' ? 'is the folder writable?' : errorText(error).replaceAll(temporary, file);
    throw new StorageError(code, `the database cannot be created: ${file}: ${why}`, error);
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

/**
 * An empty file that nobody but its owner and group can read, whatever the umask; SQLite gives the -wal and -shm files
 * beside a database the same mode. If this fails, SQLite reports the reason at once, in its own words.
 */
function createPrivate(file: string): void {
  try {
    fs.closeSync(fs.openSync(file, 'wx', DATABASE_MODE));
  } catch {}
}

/** Longer than any start takes. */
const LEFT_AFTER_MS = 10 * 60 * 1000;

/** Removes files that killed starts have left, but not those of a start that is still going on. */
export function removeLeftovers(file: string): void {
  const folder = path.dirname(file);
  const prefix = `.${path.basename(file)}.`;
  for (const name of fs.readdirSync(folder)) {
    if (!name.startsWith(prefix) || !/^[0-9a-f]{12}(-wal|-shm|-journal)?$/.test(name.slice(prefix.length))) continue;
    const leftover = path.join(folder, name);
    const found = fs.lstatSync(leftover, { throwIfNoEntry: false });
    if (found?.isFile() && Date.now() - found.mtimeMs > LEFT_AFTER_MS) fs.rmSync(leftover, { force: true });
  }
}

function link(temporary: string, file: string): void {
  try {
    fs.linkSync(temporary, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST' && code !== 'EPERM' && code !== 'ENOTSUP') throw error;
    // On a file system without hard links, opening begins the database in an empty file.
    if (code !== 'EEXIST') createPrivate(file);
  }
}
