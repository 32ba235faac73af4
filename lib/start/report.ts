import fs from 'node:fs';
import path from 'node:path';
import type { Logger } from '../log.ts';
import type { Config, ServiceConfig, SyncMode } from '../settings/config.ts';
import { realFile } from './checks.ts';

type Kind = 'hashserv' | 'prserv';

/** What a file stores: its name, the option that names the file, and what is lost without it. */
const KINDS = {
  hashserv: { name: 'hash equivalence', option: '--hashserv-db', loss: 'no task is known' },
  prserv: { name: 'PR', option: '--prserv-db', loss: 'every PR starts again' },
} as const;

/** Which services have tables in a file, before any are created there. */
export type Held = Readonly<Record<Kind, boolean>>;

/** A database file as it was before the start opened any. */
interface Found {
  readonly file: string;
  readonly kinds: Kind[];
  readonly existed: boolean;
  readonly sync: string;
  /** Which services have something in it; null until it is opened. */
  held: Held | null;
}

/**
 * Looks at the databases before the first is opened.
 * @returns logs for an opened database where it is and whether it existed. Creating one is a warning if another database
 * or a configuration file existed, or if the file holds something else: most likely its path is mistyped, and the
 * service would start from nothing.
 */
export function surveyDatabases(config: Config, log: Logger): (service: ServiceConfig, held: Held) => void {
  const found = new Map<string, Found>();
  const of = new Map<ServiceConfig, Found>();
  for (const kind of ['hashserv', 'prserv'] as const) {
    const service = config[kind];
    if (!service || service.postgres) continue;
    const key = realFile(service.file);
    let database = found.get(key);
    if (!database) {
      const file = path.resolve(service.file);
      const sync = config.readOnly ? 'read-only' : syncText(service.syncMode);
      database = { file, kinds: [], existed: sizeOf(file) > 0, sync, held: null };
      found.set(key, database);
    }
    database.kinds.push(kind);
    of.set(service, database);
  }
  return (service, held) => {
    const database = of.get(service)!;
    const { file, kinds, existed, sync } = database;
    database.held = held;
    // A read-only server creates nothing: it refuses what is not there.
    const wasThere = (kind: Kind) => existed && (config.readOnly || held[kind]);
    const say = (some: readonly Kind[], what: string) => {
      if (some.length > 0) log.info(`${namesOf(some)} database ${what}`, { file, bytes: sizeOf(file), sync });
    };
    const fresh = kinds.filter((kind) => !wasThere(kind));
    say(kinds.filter(wasThere), 'opened');
    say(fresh, existed ? 'created in a file that was there' : 'created');
    if (fresh.length > 0) warnOfNew(database, fresh, [...found.values()], config.configFile, log);
  };
}

function warnOfNew(
  { file, existed }: Found,
  fresh: readonly Kind[],
  all: readonly Found[],
  configFile: string | null,
  log: Logger,
): void {
  const [although, fields] = reasonToDoubt(file, existed, all, configFile);
  if (although === null) return;
  const loss = KINDS[fresh.includes('prserv') ? 'prserv' : 'hashserv'].loss;
  const options = fresh.map((kind) => KINDS[kind].option).join(' and ');
  log.warn(
    `a new ${namesOf(fresh)} database was created although ${although}: ${loss}; if its path is wrong, stop the server and correct ${options}`,
    fields,
  );
}

/** Why a database that was created is most likely not meant; null where a first start looks like that. */
function reasonToDoubt(
  file: string,
  existed: boolean,
  all: readonly Found[],
  configFile: string | null,
): [although: string | null, fields: Record<string, string>] {
  for (const other of all) {
    const kinds = other.kinds.filter((kind) => other.existed && (other.held?.[kind] ?? true));
    if (kinds.length === 0) continue;
    return [`the ${namesOf(kinds)} database was there already`, { file, other: other.file }];
  }
  if (existed) return ['its file holds something else', { file }];
  return configFile === null ? [null, {}] : ['there is a configuration file', { file, config: configFile }];
}

const namesOf = (kinds: readonly Kind[]) => kinds.map((kind) => KINDS[kind].name).join(' and ');

/** As --sync-mode takes it. */
function syncText(mode: SyncMode): string {
  return mode.kind === 'periodic' ? `periodic:${mode.seconds}` : mode.kind;
}

/** A file of zero bytes is no database yet. */
function sizeOf(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
