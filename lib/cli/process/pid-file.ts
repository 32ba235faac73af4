import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { ConfigError, reasonOf } from '../../errors.ts';

/** The path of a PR server's pid file: scripts written for BitBake's server look for this name. */
export function pidFile(folder: string, host: string, port: number): string {
  return path.join(folder, `PRServer_${host}_${port}.pid`);
}

/**
 * Writes the pid atomically, replacing a file that an earlier server left. Call it once the server listens: only then is
 * an old file known to be stale.
 * @throws ConfigError when a file of somebody else is in the way
 */
export function writePidFile(file: string, pid: number): 'written' | 'replaced' {
  // Never through a link or into somebody else's file: everybody can write to this folder.
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

/** Removes the file if it still belongs to that process. */
export function removePidFile(file: string, pid: number): void {
  try {
    if (fs.readFileSync(file, 'utf8').trim() === String(pid)) fs.rmSync(file, { force: true });
  } catch {
    // Already gone, or somebody else's.
  }
}

/** The hosts and ports that have a pid file. */
export function listPidFiles(folder: string): { host: string; port: number }[] {
  return fs.readdirSync(folder).flatMap((name) => {
    const found = /^PRServer_(.+)_(\d{1,5})\.pid$/.exec(name);
    return found ? [{ host: found[1]!, port: Number(found[2]) }] : [];
  });
}
