import fs from 'node:fs';
import { promisify } from 'node:util';

/** What is asked of the system. */
export interface System {
  fstat(descriptor: number): Promise<fs.Stats>;
  fdatasync(descriptor: number): Promise<void>;
}

const SYSTEM: System = { fstat: promisify(fs.fstat), fdatasync: promisify(fs.fdatasync) };

/** Where Linux lists the descriptors of a process. */
const DESCRIPTORS = '/proc/self/fd';
/** What a descriptor says that SQLite has closed since, and that belongs to something else now. */
const NOT_OURS = new Set(['EBADF', 'EINVAL', 'EROFS']);

/**
 * Syncs a database file through a descriptor that SQLite itself holds on it. None is opened, and above all none closed: that
 * would drop SQLite's locks (docs/architecture.md).
 */
export interface OwnDescriptor {
  /**
   * Writes to the disk what SQLite has written to the file. False when that cannot be done here.
   * @throws the system's error; the system tells of it only once, so SQLite may never hear of it
   */
  sync(): Promise<boolean>;
}

/**
 * Asks the system on threads of the pool: while a file is written to, even `fstat` may wait.
 * @param file open on a connection of this process
 * @param system only a test has another
 */
export function findOwnDescriptor(file: string, folder = DESCRIPTORS, system: System = SYSTEM): OwnDescriptor {
  let found: number | null = null;

  async function isTheFile(descriptor: number): Promise<boolean> {
    try {
      const [open, named] = await Promise.all([system.fstat(descriptor), fs.promises.stat(file)]);
      return open.ino === named.ino && open.dev === named.dev;
    } catch {
      return false;
    }
  }

  async function find(): Promise<number | null> {
    try {
      for (const name of await fs.promises.readdir(folder)) if (await isTheFile(Number(name))) return Number(name);
    } catch {
      // Not Linux, or no /proc.
    }
    return null;
  }

  return {
    async sync() {
      // A connection that was opened again has another.
      if (found === null || !(await isTheFile(found))) found = await find();
      if (found === null) return false;
      const descriptor = found;
      try {
        await system.fdatasync(descriptor);
      } catch (error) {
        if (NOT_OURS.has((error as NodeJS.ErrnoException).code ?? '')) return false;
        // What has its number now may be somebody else's, and so may the error be.
        if (await isTheFile(descriptor)) throw error;
        return false;
      }
      // SQLite may have closed it in between: then what was synced was something else.
      return isTheFile(descriptor);
    },
  };
}
