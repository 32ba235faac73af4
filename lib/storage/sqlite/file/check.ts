import fs from 'node:fs';
import path from 'node:path';
import { StorageError } from '../../../errors.ts';

/** Whether a server writes, and whether it may create a database in an empty file. */
export interface FileUse {
  readonly readOnly: boolean;
  readonly init: boolean;
}

/**
 * Checks a database file before anything opens it: a missing or empty file is more often a wrong path
 * or a lost database than a new one.
 * @returns whether there is a database already
 * @throws StorageError that says what to do
 */
export function checkDatabaseFile(file: string, { readOnly, init }: FileUse): boolean {
  const found = fs.statSync(file, { throwIfNoEntry: false });
  if (found && !found.isFile()) throw new StorageError('storage-missing', `${file} is not a file`);
  const folder = path.dirname(file);
  if (!found) {
    if (readOnly) {
      throw new StorageError('storage-missing', `no database at ${file}; a read-only server creates nothing`);
    }
    if (!fs.existsSync(folder))
      throw new StorageError('storage-missing', `the folder of the database does not exist: ${folder}`);
    if (!mayWrite(folder))
      throw new StorageError('storage-missing', `the database cannot be created: ${file}: is the folder writable?`);
    return false;
  }
  if (found.size === 0 && !init) {
    const advice = readOnly ? '' : '; restore a backup, or start with --init to begin a new database there';
    throw new StorageError('storage-missing', `${file} is empty (0 bytes) where a database was expected${advice}`);
  }
  if (!mayRead(file)) throw new StorageError('storage-missing', `the database cannot be read: ${file}`);
  // The write-ahead log is in the same folder.
  if (!readOnly && !(mayWrite(file) && mayWrite(folder)))
    throw new StorageError(
      'storage-read-only',
      `the database cannot be written: ${file}: are the file and its folder writable? --read-only serves it as it is`,
    );
  return found.size > 0;
}

const mayWrite = (file: string) => may(file, fs.constants.W_OK);
const mayRead = (file: string) => may(file, fs.constants.R_OK);

function may(file: string, mode: number): boolean {
  try {
    fs.accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
}
