import fs from 'node:fs';
import path from 'node:path';
import { reasonOf } from '../errors.ts';

/** A name beside a folder for what becomes it, or was it: hidden, and of this process. */
export function besideFolder(folder: string, what: string): string {
  return path.join(path.dirname(folder), `.${path.basename(folder)}~${what}-${process.pid}`);
}

/** Removes what processes that were killed left beside a folder under such names. */
export function removeLeftovers(folder: string, what: readonly string[]): void {
  const above = path.dirname(folder);
  const starts = what.map((each) => `.${path.basename(folder)}~${each}-`);
  for (const name of fs.existsSync(above) ? fs.readdirSync(above) : []) {
    const start = starts.find((each) => name.startsWith(each));
    const pid = start === undefined ? '' : name.slice(start.length);
    if (/^\d+$/.test(pid) && !isAlive(Number(pid))) fs.rmSync(path.join(above, name), { recursive: true, force: true });
  }
}

/**
 * Gives a finished folder its name, which must be free or that of an empty folder.
 * @returns null, or why that is not so
 */
export function nameFolder(from: string, to: string): string | null {
  try {
    fs.renameSync(from, to);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return 'it is not empty';
    if (code === 'ENOTDIR') return 'it is not a folder';
    if (code === 'EBUSY' || code === 'EXDEV') return 'it is a mount point: name a folder in it';
    return reasonOf(error);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
