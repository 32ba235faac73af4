import fs from 'node:fs';
import path from 'node:path';
import { ConfigError } from '../../errors.ts';
import { isPostgresAddress, withoutPassword } from '../../settings/database-address.ts';
import { SERVE_OPTIONS } from '../../settings/serve-options.ts';
import type { Flags } from '../../settings/settings.ts';
import { loadSettings } from '../commands/load-settings.ts';

export type ServiceName = 'hashserv' | 'prserv';

/** A database file, and every service that is known to be in it. */
export interface Database {
  readonly file: string;
  readonly services: readonly ServiceName[];
}

/**
 * The databases of the configuration; where flags name some, those alone.
 * @throws ConfigError
 */
export async function databasesOf(flags: Flags): Promise<readonly Database[]> {
  // What only the server may read, and a backup has no use for, stays closed: an empty secret is stronger than its file.
  const secrets = SERVE_OPTIONS.filter(({ secret }) => secret).map(({ name }) => [name, '']);
  const { settings } = await loadSettings({ ...Object.fromEntries(secrets), ...flags }, process.env);
  const named = flags['hashserv-db'] !== undefined || flags['prserv-db'] !== undefined;
  const isMeant = (service: ServiceName) =>
    named ? flags[`${service}-db`] !== undefined : settings.get(service)!.value === true;
  const databases: { file: string; services: ServiceName[] }[] = [];
  for (const service of ['hashserv', 'prserv'] as const) {
    if (!isMeant(service)) continue;
    const name = String(settings.get(`${service}-db`)!.value);
    if (isPostgresAddress(name))
      throw new ConfigError(
        `${withoutPassword(name)} is a PostgreSQL database: back it up, check and restore it with PostgreSQL's own programs, such as pg_dump`,
      );
    const file = realFile(path.resolve(name));
    const shared = databases.find((other) => other.file === file);
    if (shared) shared.services.push(service);
    else databases.push({ file, services: [service] });
  }
  return databases;
}

/** Two names may stand for one file, and a link stays where it is when the file it names is replaced. */
function realFile(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}
