import fs from 'node:fs';

/** Where SQLite keeps the lock in a -shm file that each connection holds as long as it is open (its file format, 4.4). */
const OPEN_BYTE = '128 128';

/**
 * Whether another process of this machine has the database open, by proc_locks(5); false where that cannot be seen.
 * Asked before we open it: later the lock would be ours. No descriptor on the file is needed.
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
