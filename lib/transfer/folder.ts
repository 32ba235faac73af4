import fs from 'node:fs';
import path from 'node:path';
import type { ServiceName } from './parts.ts';

/** Which services a database file has the tables of. @throws StorageError when it cannot be read */
export type ServicesIn = (file: string) => Promise<Readonly<Record<ServiceName, boolean>>>;

/**
 * The database files of servers in a folder, by their names.
 * @throws StorageError for one that cannot be read
 */
export async function databasesIn(folder: string, servicesIn: ServicesIn): Promise<string[]> {
  const files: string[] = [];
  for (const name of fs.readdirSync(folder).sort()) {
    const file = path.join(folder, name);
    if (!/\.(db|sqlite3?)$/.test(name) || !fs.statSync(file, { throwIfNoEntry: false })?.isFile()) continue;
    const { hashserv, prserv } = await servicesIn(file);
    if (hashserv || prserv) files.push(file);
  }
  return files;
}
