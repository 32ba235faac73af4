import fs from 'node:fs';
import path from 'node:path';
import type { Logger } from '../log.ts';
import type { Config, ServiceConfig, SyncMode } from '../settings/config.ts';
import { realFile } from './checks.ts';

/** A database file as it was before the start opened any. */
interface Found {
  readonly file: string;
  /** What is kept in it, and the options that name it. */
  readonly names: string[];
  readonly options: string[];
  readonly existed: boolean;
  readonly sync: string;
}

/**
 * Looks at the databases before the first is opened.
 * @returns says of a database that was opened where it is and whether it was there. One that was created though another
 * or a configuration file was there is a warning: most likely its path is mistyped, and its service begins at nothing.
 */
export function surveyDatabases(config: Config, log: Logger): (service: ServiceConfig) => void {
  const found = new Map<string, Found>();
  const of = new Map<ServiceConfig, Found>();
  const look = (service: ServiceConfig | null, name: string, option: string) => {
    if (!service) return;
    const key = realFile(service.file);
    let database = found.get(key);
    if (!database) {
      const file = path.resolve(service.file);
      const sync = config.readOnly ? 'read-only' : syncText(service.syncMode);
      database = { file, names: [], options: [], existed: sizeOf(file) > 0, sync };
      found.set(key, database);
    }
    database.names.push(name);
    database.options.push(option);
    of.set(service, database);
  };
  look(config.hashserv, 'hash equivalence', '--hashserv-db');
  look(config.prserv, 'PR', '--prserv-db');
  return (service) => {
    const database = of.get(service)!;
    const { file, names, existed, sync } = database;
    const what = `${names.join(' and ')} database`;
    log.info(`${what} ${existed ? 'opened' : 'created'}`, { file, bytes: sizeOf(file), sync });
    if (!existed) warnOfNew(database, [...found.values()], config.configFile, log);
  };
}

function warnOfNew(database: Found, all: readonly Found[], configFile: string | null, log: Logger): void {
  const { file, names, options } = database;
  const other = all.find(({ existed }) => existed);
  if (!other && configFile === null) return;
  const [although, fields] = other
    ? [`the ${other.names.join(' and ')} database was there already`, { file, other: other.file }]
    : ['there is a configuration file', { file, config: configFile }];
  const loss = names.includes('PR') ? 'every PR starts again' : 'no task is known';
  log.warn(
    `a new ${names.join(' and ')} database was created although ${although}: ${loss}; if its path is wrong, stop the server and correct ${options.join(' and ')}`,
    fields,
  );
}

/** As --sync-mode takes it. */
function syncText(mode: SyncMode): string {
  return mode.kind === 'periodic' ? `periodic:${mode.seconds}` : mode.kind;
}

/** A file of zero bytes is no database yet. */
function sizeOf(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
