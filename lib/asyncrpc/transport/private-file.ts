import fs from 'node:fs';
import { ConfigError, reasonOf } from '../../errors.ts';

/**
 * The text of a file that holds a secret.
 * @param where the option that names it, or what it holds, for the message
 * @throws ConfigError when it cannot be read, or others than its owner and group can read it or others than its owner write it
 */
export function readPrivateFile(path: string, where: string): string {
  const { mode, text } = open(path, where);
  // Anyone who can write the file can choose the secret. Its group, that of the service, may read it.
  if ((mode & 0o026) === 0) return text;
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  throw new ConfigError(`${where}: others may read or write ${path} (its mode is ${shown}): chmod 600 ${path}`);
}

/** With the mode of the very file that was read; a pipe or a terminal is private. */
function open(path: string, where: string): { mode: number; text: string } {
  try {
    const descriptor = fs.openSync(path, 'r');
    try {
      const found = fs.fstatSync(descriptor);
      const text = fs.readFileSync(descriptor, 'utf8');
      return { mode: found.isFile() ? found.mode : 0, text };
    } finally {
      fs.closeSync(descriptor);
    }
  } catch (error) {
    throw new ConfigError(`${where}: cannot read ${path}: ${reasonOf(error)}`, error);
  }
}
