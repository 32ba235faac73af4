import fs from 'node:fs';
import path from 'node:path';
import { WriteGate } from './asyncrpc/write-gate.ts';
import type { StorageError } from './errors.ts';
import type { HashStore } from './hashserv/store.ts';
import type { JobArchive } from './jobs/records.ts';
import { type Logger, SILENT } from './log.ts';
import type { DatabaseSource } from './metrics/sources.ts';
import type { PrStore } from './prserv/store.ts';
import type { PullParts } from './pull/parts.ts';
import type { Config, ServiceConfig } from './settings/config.ts';
import { isPostgresAddress, withoutPassword } from './settings/database-address.ts';
import { realFile } from './start/checks.ts';
import type { FileWork } from './start/job-kinds.ts';
import { surveyDatabases } from './start/report.ts';
import type { PostgresDatabase } from './storage/postgres/engine/database.ts';
import type { Database } from './storage/sqlite/engine/database.ts';
import { checkDatabaseFile } from './storage/sqlite/file/check.ts';
import { openDatabase } from './storage/sqlite/file/open.ts';
import { HASH_SCHEMA } from './storage/sqlite/hash/schema.ts';
import { createHashStore } from './storage/sqlite/hash/store.ts';
import { PR_SCHEMA } from './storage/sqlite/pr/schema.ts';
import { createPrStore } from './storage/sqlite/pr/store.ts';
import { backupDatabase } from './storage/sqlite/upkeep/backup.ts';
import { backupName, openBackupFolder, removeOld, removeUnfinished } from './storage/sqlite/upkeep/backup-folder.ts';
import { checkFile } from './storage/sqlite/upkeep/check.ts';
import { servicesIn } from './storage/sqlite/upkeep/look.ts';
import type { StoredSource, Target } from './transfer/ends.ts';
import type { ServiceName } from './transfer/parts.ts';

/** A database, whatever its engine is. */
export type Served = DatabaseSource['store'] & {
  readonly readOnly: boolean;
  /** Writes, without changing anything. */
  tryWrite(): Promise<void>;
};

/** A store, and what a service needs of the database it is in. */
export interface Opened<Store> {
  readonly store: Store;
  readonly database: Served;
  /** One for each database, because each has one queue of writes. */
  readonly gate: WriteGate;
}

/** The databases of a server; only this file picks an engine. */
export interface Stores {
  openHash(service: ServiceConfig): Promise<Opened<HashStore>>;
  openPr(service: ServiceConfig): Promise<Opened<PrStore>>;
  /** @param drainMs how long writes may take that others' locks hold up */
  close(drainMs: number): Promise<void>;
}

/**
 * @param shown gets what each database shows
 * @param onFatal a database can no longer be trusted or written
 * @param joinsOthers another process of the same server has them open, which has checked them
 */
export function createStores(
  config: Config,
  shown: DatabaseSource[],
  log: Logger,
  onFatal: (error: StorageError) => void,
  joinsOthers = false,
): Stores {
  const opened = new Map<string, Served & { close(drainMs: number): Promise<void> }>();
  const gates = new Map<Served, WriteGate>();
  const sayOpened = surveyDatabases(config, log);

  /** One database for both services where they have the same. */
  async function open<Database extends Served & { close(drainMs: number): Promise<void> }>(
    key: string,
    service: ServiceConfig,
    make: () => Promise<Database>,
  ): Promise<Database> {
    const known = opened.get(key);
    if (known) return known as Database;
    const store = await make();
    opened.set(key, store);
    const gate = new WriteGate();
    gates.set(store, gate);
    const name = service === config.hashserv ? 'hashserv' : 'prserv';
    shown.push({ name, store, gate, isSynced: service.syncMode.kind === 'immediate' });
    return store;
  }

  const openFile = (service: ServiceConfig): Promise<Database> =>
    open(realFile(service.file), service, async () => {
      const { init, readOnly, immutable } = config;
      const database = await openDatabase({ ...service, init, readOnly, immutable, joinsOthers, log, onFatal });
      try {
        sayOpened(service, { hashserv: await database.holds(HASH_SCHEMA), prserv: await database.holds(PR_SCHEMA) });
        return database;
      } catch (error) {
        await database.close(0);
        throw error;
      }
    });

  /** Its driver is loaded only when needed: most servers have no use for it. */
  const openServer = (service: ServiceConfig, address: string): Promise<PostgresDatabase> =>
    open(address, service, async () => {
      const { openPostgres, schemasOf } = await import('./storage/postgres/open.ts');
      const schemas = schemasOf(serversOf(config).get(address)!);
      const database = await openPostgres({ address, readOnly: config.readOnly, schemas, log });
      log.info('database opened', { database: database.file, readOnly: config.readOnly });
      return database;
    });

  return {
    async openHash(service) {
      const { cacheBytes } = config;
      if (service.postgres === null) {
        const database = await openFile(service);
        return { store: await createHashStore({ database, cacheBytes, log }), database, gate: gates.get(database)! };
      }
      const database = await openServer(service, service.postgres);
      const { openHashStore } = await import('./storage/postgres/open.ts');
      return { store: await openHashStore(database, cacheBytes), database, gate: gates.get(database)! };
    },

    async openPr(service) {
      if (service.postgres === null) {
        const database = await openFile(service);
        return { store: await createPrStore(database, log), database, gate: gates.get(database)! };
      }
      const database = await openServer(service, service.postgres);
      const { openPrStore } = await import('./storage/postgres/open.ts');
      return { store: openPrStore(database, log), database, gate: gates.get(database)! };
    },

    async close(drainMs) {
      // In parallel: two locked files, one after the other, would take longer than a stop may.
      await Promise.all([...opened.values()].map((each) => each.close(drainMs)));
    },
  };
}

/** Where the jobs of a server are kept; nothing is opened yet. A read-only server writes nothing, so they end with it. */
export function jobArchiveOf({ readOnly, jobs }: Pick<Config, 'readOnly' | 'jobs'>): JobArchive {
  if (!readOnly)
    return {
      exists: () => fs.existsSync(jobs.file),
      open: async () => (await import('./storage/sqlite/jobs/records.ts')).jobArchive(jobs.file).open(),
    };
  let memory: JobArchive | null = null;
  return {
    exists: () => memory?.exists() ?? false,
    async open() {
      const { memoryRecords } = await import('./jobs/memory-records.ts');
      memory ??= memoryRecords();
      return memory.open();
    },
  };
}

/** What jobs do with databases. */
export const FILE_WORK: FileWork = {
  backup: backupDatabase,
  check: checkFile,
  openBackupFolder,
  backupName,
  removeUnfinished,
  removeOld,
  openSource: (name) => openDatabaseSource(name, SILENT),
  openTarget: (name, options) => openDatabaseTarget(name, { ...options, inUse: false, log: SILENT }),
};

/**
 * Looks at a database before anything opens it.
 * @throws StorageError, ConfigError that says what to do
 */
export async function checkDatabase(service: ServiceConfig, config: Pick<Config, 'readOnly' | 'init'>): Promise<void> {
  if (service.postgres === null) return void checkDatabaseFile(path.resolve(service.file), config);
  const { parsePostgresAddress } = await import('./storage/postgres/open.ts');
  parsePostgresAddress(service.postgres);
}

/** The addresses of PostgreSQL databases in the settings, and the services on each. */
function serversOf({
  hashserv,
  prserv,
}: Pick<Config, 'hashserv' | 'prserv'>): Map<string, { hashserv: boolean; prserv: boolean }> {
  const named = [hashserv?.postgres, prserv?.postgres].filter((address) => typeof address === 'string');
  const on = (address: string) => ({ hashserv: hashserv?.postgres === address, prserv: prserv?.postgres === address });
  return new Map(named.map((address) => [address, on(address)]));
}

/** What opening the PostgreSQL databases of the settings would do to each, by its name. */
export async function planDatabases(config: Config, log: Logger): Promise<ReadonlyMap<string, readonly string[]>> {
  const { planOf, schemasOf } = await import('./storage/postgres/open.ts');
  const plans = new Map<string, readonly string[]>();
  for (const [address, services] of serversOf(config))
    plans.set(withoutPassword(address), await planOf(address, schemasOf(services), log));
  return plans;
}

/** Opens and closes them, which makes what is missing. */
export async function migrateDatabases(config: Config, log: Logger): Promise<void> {
  const { openPostgres, schemasOf } = await import('./storage/postgres/open.ts');
  for (const [address, services] of serversOf(config))
    await (await openPostgres({ address, readOnly: false, schemas: schemasOf(services), log })).close();
}

/** How a database is opened to copy into. */
export interface TargetOptions {
  /** Whose tables are made where they are not there. */
  readonly services: ReadonlySet<ServiceName>;
  /** Also where servers have it open. */
  readonly inUse: boolean;
  /** Nothing is made and nothing written: it is only compared with. */
  readonly dryRun: boolean;
  readonly log: Logger;
}

/** Opens a file, or a `postgres://` address, to copy from; servers may have it meanwhile. @throws StorageError, ConfigError */
export async function openDatabaseSource(name: string, log: Logger): Promise<StoredSource> {
  if (!isPostgresAddress(name))
    return (await import('./storage/sqlite/transfer/source.ts')).openSqliteSource(path.resolve(name));
  return (await import('./storage/postgres/transfer/ends.ts')).openPostgresSource(name, log);
}

/** Opens such a database to copy into. @throws StorageError when it is in use; ConfigError */
export async function openDatabaseTarget(name: string, options: TargetOptions): Promise<Target> {
  const { dryRun, log } = options;
  if (!isPostgresAddress(name)) {
    const file = path.resolve(name);
    const ends = await import('./storage/sqlite/transfer/target.ts');
    return dryRun ? ends.openSqlitePreview(file) : ends.openSqliteTarget(file, options);
  }
  const ends = await import('./storage/postgres/transfer/ends.ts');
  return dryRun ? ends.openPostgresPreview(name, log) : ends.openPostgresTarget(name, options);
}

/** What a pull needs of an engine: a place for what it has read; and what it trusts. */
export function pullMeans(
  { upstream, jobs }: Config,
  log: Logger,
): Pick<PullParts, 'openSpool' | 'openTaskSpool' | 'trust' | 'databases' | 'openTaskIndex'> {
  const { caFile, certificate } = upstream;
  return {
    openSpool: async () => (await import('./storage/sqlite/pr/spool.ts')).openPrSpool(),
    openTaskSpool: async () => (await import('./storage/sqlite/hash/task-spool.ts')).openTaskSpool(),
    openTaskIndex: async () => (await import('./storage/sqlite/hash/task-index.ts')).openTaskIndex(),
    databases: {
      open: (name) => openDatabaseSource(name, log),
      servicesIn,
      own: [jobs.file],
    },
    trust: { caFile, certFile: certificate?.certFile ?? null, keyFile: certificate?.keyFile ?? null },
  };
}
