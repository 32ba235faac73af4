import fs from 'node:fs';
import path from 'node:path';
import { InvokeError } from '../errors.ts';
import type { Config } from '../settings/config.ts';

/**
 * Refuses files that jobs must not touch. Reading or replacing a database file of this process beside SQLite would give away its locks, and
 * two servers could then write to it at once (docs/architecture.md).
 * @returns throws InvokeError for such a file, and for a name that hangs on the folder the server was started in
 */
export function foreignFiles({ hashserv, prserv, jobs }: Pick<Config, 'hashserv' | 'prserv' | 'jobs'>) {
  const databases = [hashserv, prserv].flatMap((each) => (each && each.postgres === null ? [each.file] : []));
  const own = [...databases, jobs.file].flatMap((file) => ['', '-wal', '-shm', '-journal'].map((end) => file + end));
  return (file: string): void => {
    const refuse = (why: string) => new InvokeError(`job-start: ${file} ${why}`, undefined, 'invalid');
    if (!path.isAbsolute(file)) throw refuse('must be a full path');
    for (const each of [file, `${file}.part`])
      if (own.some((database) => isSame(each, database))) throw refuse('is a database of this server');
  };
}

/** Whether two names are of one file. */
export function isSame(a: string, b: string): boolean {
  if (path.resolve(a) === path.resolve(b)) return true;
  const [one, other] = [a, b].map((file) => fs.statSync(file, { throwIfNoEntry: false }));
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev;
}
