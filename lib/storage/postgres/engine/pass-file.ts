import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ConfigError } from '../../../errors.ts';
import type { Host, PostgresAddress } from './address.ts';

/**
 * The password for a host, from the address, the environment or the password file: `host:port:database:user:password` a
 * line, `*` for any, `\` before `:` and `\` (https://www.postgresql.org/docs/current/libpq-pgpass.html). Read at each
 * connection: a password that was changed needs no restart.
 * @throws ConfigError when others may read or write the file; libpq ignores it then
 */
export async function passwordFor(address: PostgresAddress, host: Host): Promise<string | undefined> {
  if (address.password !== null) return address.password;
  const file = address.passFile ?? path.join(os.homedir(), '.pgpass');
  let text: string;
  try {
    const { mode } = await fs.stat(file);
    if ((mode & 0o077) !== 0) throw new ConfigError(`${file}: others may read or write it; run "chmod 600 ${file}"`);
    text = await fs.readFile(file, 'utf8');
  } catch (error) {
    // A named file that is not there is a mistake; the one that libpq looks for by itself need not exist.
    if (error instanceof ConfigError || address.passFile !== null) throw error;
    return undefined;
  }
  const name = host.host.startsWith('/') ? 'localhost' : host.host;
  const wanted = [name, String(host.port), address.database, address.user];
  for (const line of text.split(/\r?\n/)) {
    if (line === '' || line.startsWith('#')) continue;
    const fields = fieldsOf(line);
    if (fields.length === 5 && wanted.every((each, i) => fields[i] === '*' || fields[i] === each)) return fields[4];
  }
  return undefined;
}

function fieldsOf(line: string): string[] {
  const fields = [''];
  for (let i = 0; i < line.length; i++) {
    const character = line[i]!;
    if (character === ':' && fields.length < 5) fields.push('');
    else fields[fields.length - 1] += character === '\\' && i + 1 < line.length ? line[++i]! : character;
  }
  return fields;
}
