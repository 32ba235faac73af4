import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { ConfigError, reasonOf } from '../../errors.ts';

/** Where the pid file of a PR server stands: scripts made for BitBake's look for this name. */
export function pidFile(folder: string, host: string, port: number): string {
  return path.join(folder, `PRServer_${host}_${port}.pid`);
}

/**
 * Writes the pid, whole or not at all, over a file that an earlier server left. For a server that already listens:
 * that nobody else can is what makes the old file stale.
 * @throws ConfigError when somebody else's file is in the way
 */
export function writePidFile(file: string, pid: number): 'written' | 'replaced' {
  // Never through a link or into a file that somebody else laid there: the folder is everybody's.
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  const there = fs.existsSync(file);
  try {
    fs.writeFileSync(temporary, `${pid}\n`, { flag: 'wx', mode: 0o644 });
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw new ConfigError(`cannot write the pid file ${file}: ${reasonOf(error)}`, error);
  }
  return there ? 'replaced' : 'written';
}

/** Removes the file if it is still that process's. */
export function removePidFile(file: string, pid: number): void {
  try {
    if (fs.readFileSync(file, 'utf8').trim() === String(pid)) fs.rmSync(file, { force: true });
  } catch {
    // Gone already, or somebody else's: not ours to remove.
  }
}

/** The hosts and ports that have a pid file. */
export function listPidFiles(folder: string): { host: string; port: number }[] {
  return fs.readdirSync(folder).flatMap((name) => {
    const found = /^PRServer_(.+)_(\d{1,5})\.pid$/.exec(name);
    return found ? [{ host: found[1]!, port: Number(found[2]) }] : [];
  });
}
