import fs from 'node:fs';
import path from 'node:path';
import { ConfigError, reasonOf } from '../../errors.ts';

/**
 * Creates a folder and those above it, one at a time: Node's `recursive` never ends where the system answers ENOENT for
 * a folder inside an existing one, as /proc does.
 * @throws ConfigError naming the one that cannot be created
 */
export function makeFolders(folder: string, mode: number): void {
  const missing: string[] = [];
  let above = path.resolve(folder);
  while (!fs.existsSync(above)) {
    missing.push(above);
    above = path.dirname(above);
  }
  for (const each of [...missing, ...(missing.length === 0 ? [folder] : [])].reverse()) {
    try {
      fs.mkdirSync(each, { mode });
    } catch (error) {
      if (
        (error as NodeJS.ErrnoException).code === 'EEXIST' &&
        fs.statSync(each, { throwIfNoEntry: false })?.isDirectory()
      )
        continue;
      throw new ConfigError(`cannot make the folder ${each}: ${reasonOf(error)}`, error);
    }
  }
}
