import path from 'node:path';
import { InvokeError } from '../errors.ts';
import type { Config, ServiceConfig } from '../settings/config.ts';
import { isPostgresAddress, withoutPassword } from '../settings/database-address.ts';
import type { ServiceName } from '../settings/listener-spec.ts';
import type { Source, Target } from '../transfer/ends.ts';
import type { CopyMeans } from '../transfer/kind.ts';
import { realFile } from './checks.ts';
import { foreignFiles } from './own-files.ts';

/** What opens databases for a copy. The ends of a running server's own must be connections of their own. */
export interface DatabaseEnds {
  openSource(name: string): Promise<Source>;
  /** @throws StorageError when somebody has it open */
  openTarget(name: string, options: { services: ReadonlySet<ServiceName>; dryRun: boolean }): Promise<Target>;
}

/** What a copy needs of a server with that configuration. */
export function copyMeans(config: Pick<Config, 'hashserv' | 'prserv' | 'jobs'>, ends: DatabaseEnds): CopyMeans {
  const own = new Map<string, ServiceName[]>();
  for (const service of ['hashserv', 'prserv'] as const) {
    const database = config[service] && databaseOf(config[service]);
    if (database) own.set(database, [...(own.get(database) ?? []), service]);
  }
  const requireForeign = foreignFiles(config);
  const refuse = (text: string) => new InvokeError(`job-start: copy: ${text}`, undefined, 'invalid');
  /** What is started as a job is kept and shown. */
  function requireName(name: string): void {
    if (isPostgresAddress(name)) {
      if (withoutPassword(name) === name) return;
      throw refuse('leave the password out of the address, as jobs are kept: PGPASSFILE of the server has it');
    }
    if (/^(unix|tcp|tls|wss?):\/\//.test(name))
      throw refuse(
        'its ends are database files and postgres:// addresses: the job pull takes what a running server has',
      );
    if (!path.isAbsolute(name)) throw refuse(`${name} must be a full path, or a postgres:// address`);
  }
  return {
    own: [...own].map(([name, services]) => ({ services, open: () => ends.openSource(name) })),
    ...ends,
    requireSource: requireName,
    requireTarget(name) {
      requireName(name);
      if (!isPostgresAddress(name)) return requireForeign(name);
      if ([...own.keys()].some((each) => withoutPassword(each) === withoutPassword(name)))
        throw refuse(`${name} is a database of this server: the jobs pull and import-hashes store into it`);
    },
  };
}

const databaseOf = ({ file, postgres }: ServiceConfig) => postgres ?? realFile(file);
