import fs from 'node:fs';
import { promisify } from 'node:util';

const fdatasync = promisify(fs.fdatasync);

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

/** @param file open on a connection of this process */
export function findOwnDescriptor(file: string, folder = DESCRIPTORS): OwnDescriptor {
  let found: number | null = null;

  function isTheFile(descriptor: number): boolean {
    try {
      const [open, named] = [fs.fstatSync(descriptor), fs.statSync(file)];
      return open.ino === named.ino && open.dev === named.dev;
    } catch {
      return false;
    }
  }

  function find(): number | null {
    try {
      for (const name of fs.readdirSync(folder)) if (isTheFile(Number(name))) return Number(name);
    } catch {
      // Not Linux, or no /proc.
    }
    return null;
  }

  return {
    async sync() {
      // A connection that was opened again has another.
      if (found === null || !isTheFile(found)) found = find();
      if (found === null) return false;
      try {
        await fdatasync(found);
        return true;
      } catch (error) {
        if (NOT_OURS.has((error as NodeJS.ErrnoException).code ?? '')) return false;
        throw error;
      }
    },
  };
}
