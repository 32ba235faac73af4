import fs from 'node:fs';

/** The byte of a -shm file that each open connection has locked (SQLite's WAL format, "Locking"). */
const OPEN_BYTE = '128 128';

/**
 * Whether another process on this machine has the database open, by proc_locks(5); false if that cannot be seen.
 * Must be called before we open the database, or the lock would be ours. Needs no descriptor (docs/architecture.md says why not).
 */
export function hasNeighbour(file: string): boolean {
  try {
    const { ino } = fs.statSync(`${file}-shm`);
    return fs
      .readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .some((line) => line.includes(`:${ino} `) && line.endsWith(` ${OPEN_BYTE}`));
  } catch {
    return false;
  }
}
