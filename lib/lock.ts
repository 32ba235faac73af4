import { StorageError } from './errors.ts';
import { openBinding } from './storage/sqlite/engine/binding.ts';

/** A lock that is held. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes a lock that the system releases when its holder exits, however that happens: an SQLite file locked
 * exclusively. The empty file stays when the lock is released: removing it could take a newcomer's lock away.
 * @returns null when another process holds it
 * @throws StorageError when the file cannot be opened or the file system has no locks
 */
export async function tryLock(file: string): Promise<Lock | null> {
  const binding = await openBinding(file, 'create');
  try {
    await binding.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
    return { release: () => binding.close() };
  } catch (error) {
    await binding.close();
    if (error instanceof StorageError && error.code === 'storage-busy') return null;
    throw error;
  }
}
