import { ALL_RIGHTS, type Rights } from './asyncrpc/rights.ts';
import { createHub, type Hub } from './asyncrpc/server/hub.ts';
import type { Peer, Service } from './asyncrpc/service.ts';
import { formatAddress } from './asyncrpc/transport/address.ts';
import { dial } from './asyncrpc/transport/dial.ts';
import { listenInherited } from './asyncrpc/transport/inherited.ts';
import { type Listener, listen } from './asyncrpc/transport/listen.ts';
import { createUpstreamLink } from './asyncrpc/upstream/link.ts';
import { createLoopGuard, type LoopGuard } from './asyncrpc/upstream/loop-guard.ts';
import { WriteGate } from './asyncrpc/write-gate.ts';
import { errorText, type StorageError } from './errors.ts';
import { DB_ADMIN } from './hashserv/access/permissions.ts';
import { ensureAdmin } from './hashserv/commands/users.ts';
import { createHashService } from './hashserv/service.ts';
import { createHashUpstream } from './hashserv/upstream/upstream.ts';
import { type Logger, limitRate } from './log.ts';
import { createPrService } from './prserv/service.ts';
import { createPrUpstream } from './prserv/upstream/upstream.ts';
import type { Config, ServiceConfig } from './settings/config.ts';
import { anonymousPermissions, type ListenerReport, reportOf, tellReport } from './settings/rights.ts';
import { upstreamLogin } from './settings/upstream-login.ts';
import { checkStart, realFile, requireOneSyncMode, type StartMoment } from './start/checks.ts';
import { surveyDatabases } from './start/report.ts';
import type { Database } from './storage/sqlite/engine/database.ts';
import { checkDatabaseFile } from './storage/sqlite/file/check.ts';
import { openDatabase } from './storage/sqlite/file/open.ts';
import { HASH_SCHEMA } from './storage/sqlite/hash/schema.ts';
import { createHashStore } from './storage/sqlite/hash/store.ts';
import { PR_SCHEMA } from './storage/sqlite/pr/schema.ts';
import { createPrStore } from './storage/sqlite/pr/store.ts';

/** Another server's database, for `bakeserv warm`: only this file picks an engine. */
export { openTaskPages } from './storage/sqlite/hash/task-pages.ts';
/** For `bakeserv backup`, `check` and `restore`. */
export { backupDatabase } from './storage/sqlite/upkeep/backup.ts';
export { checkFile, type FileReport } from './storage/sqlite/upkeep/check.ts';
export { servicesIn } from './storage/sqlite/upkeep/look.ts';
export { previewRestore, requireUnused, restoreDatabase } from './storage/sqlite/upkeep/restore.ts';

/** The services on their databases, without a listener: clients come in through `hub.accept`. */
export interface App extends AsyncDisposable {
  readonly hub: Hub;
  /** Resolves when a database can no longer be trusted or written: the process must exit with status 3. */
  readonly failed: Promise<StorageError>;
  /** Reads from each store and checks that it can be written. Resolves to what is wrong, a line each. */
  check(): Promise<readonly string[]>;
  /** Finishes what was read, flushes, checkpoints and closes. May be called again: it is done once. */
  close(): Promise<void>;
  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A read that a store's caches cannot answer. */
interface StoreCheck {
  readonly name: string;
  readonly database: Database;
  look(): Promise<unknown>;
}

/** A listener, and what its clients may do. */
export interface Door extends Listener {
  readonly report: ListenerReport;
}

export interface Server extends App {
  readonly listeners: readonly Door[];
}

/** How long a stopping server waits for answers of its upstreams. */
const UPSTREAM_GRACE_MS = 500;
/** How long a stopping server waits, once its clients are gone, for writes held up by another program's lock … */
const WRITER_DRAIN_MS = 3000;
/** … including this long for what the services still want to write. */
const SERVICE_GRACE_MS = 2000;

/**
 * Opens the databases and creates the services on them.
 * @throws StorageError, ConfigError, after closing whatever was opened
 */
export async function createApp(config: Config, log: Logger): Promise<App> {
  const clientLog = limitRate(log);
  let fail: (error: StorageError) => void = () => {};
  const failed = new Promise<StorageError>((resolve) => {
    fail = resolve;
  });
  const databases = new Map<string, Database>();
  /** One for each database, because each has one queue of writes. */
  const gates = new Map<Database, WriteGate>();
  const services: Service[] = [];
  const sayOpened = surveyDatabases(config, log);
  const checks: StoreCheck[] = [];

  const database = async (service: ServiceConfig): Promise<Database> => {
    const key = realFile(service.file);
    const open = databases.get(key);
    if (open) return open;
    const { init, readOnly, immutable } = config;
    const onFatal = (error: StorageError) => {
      // Every failure is logged: on a bad disk the first need not be the only one.
      log.error('the database failed: the server stops', { error });
      fail(error);
    };
    const opened = await openDatabase({ ...service, init, readOnly, immutable, log, onFatal });
    databases.set(key, opened);
    gates.set(opened, new WriteGate());
    sayOpened(service, { hashserv: await opened.holds(HASH_SCHEMA), prserv: await opened.holds(PR_SCHEMA) });
    return opened;
  };
  const linkTo = async (protocol: string, { upstream: address }: ServiceConfig, guard: LoopGuard) => {
    if (!address) return null;
    const { timeoutMs, reportTimeoutMs, connectTimeoutMs, caFile } = config.upstream;
    const login = protocol.startsWith('OEHASHEQUIV') ? await upstreamLogin(config.upstream, address) : null;
    const { limits } = config;
    const { maxMessageBytes } = limits;
    const dialUpstream = async () =>
      (await dial(address, { timeoutMs: connectTimeoutMs, caFile, maxMessageBytes })).stream;
    return createUpstreamLink({
      address,
      dial: dialUpstream,
      protocol,
      service: protocol.startsWith('OEHASHEQUIV') ? 'hash equivalence' : 'PR',
      login,
      timeoutMs,
      patientTimeoutMs: reportTimeoutMs,
      guard,
      limits,
      log: clientLog,
    });
  };
  const closeAll = async () => {
    const until = performance.now() + WRITER_DRAIN_MS;
    await Promise.all(services.map((service) => service.close(SERVICE_GRACE_MS)));
    const drainMs = until - performance.now();
    // In parallel: two locked files, one after the other, would take longer than a stop may.
    await Promise.all([...databases.values()].map((each) => each.close(drainMs)));
  };

  try {
    requireOneSyncMode(config);
    if (config.hashserv) {
      const hashDatabase = await database(config.hashserv);
      const store = await createHashStore({ database: hashDatabase, cacheBytes: config.cacheBytes, log });
      const look = () => store.outhashes([{ method: 'bakeserv status', outhash: 'none', withUnihash: true }]);
      checks.push({ name: 'hash equivalence', database: hashDatabase, look });
      if (config.admin) await ensureAdmin(store, config.admin.username, config.admin.password);
      const guard = createLoopGuard(clientLog);
      const link = await linkTo('OEHASHEQUIV 1.1', config.hashserv, guard);
      services.push(
        createHashService({
          store,
          log: clientLog,
          guard,
          gate: gates.get(hashDatabase)!,
          upstream: link && createHashUpstream(link, config.upstream.missTtlMs),
          anonymousPermissions: (peer: Peer) => anonymousPermissions(config, peer),
          logins: config.limits,
        }),
      );
    }
    if (config.prserv) {
      const prDatabase = await database(config.prserv);
      const store = await createPrStore(prDatabase, log);
      const filter = { version: 'bakeserv-status', pkgarch: null, checksum: null };
      checks.push({ name: 'PR values', database: prDatabase, look: () => store.page(filter, null, 1) });
      const guard = createLoopGuard(clientLog);
      const link = await linkTo('PRSERVICE 1.0', config.prserv, guard);
      const upstream = link && createPrUpstream(link);
      services.push(
        createPrService({
          store,
          log: clientLog,
          guard,
          gate: gates.get(prDatabase)!,
          upstream,
          defaultHistory: config.history,
          mayRemove: (peer: Peer) => anonymousPermissions(config, peer).includes(DB_ADMIN),
        }),
      );
    }
    const hub = createHub(services, config.limits, clientLog);
    const close = once(async () => {
      const hurry = setTimeout(() => {
        for (const service of services) service.stopAsking?.();
      }, UPSTREAM_GRACE_MS);
      await hub.drain();
      clearTimeout(hurry);
      await closeAll();
    });
    return { hub, failed, check: () => checkStores(checks), close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function checkStores(checks: readonly StoreCheck[]): Promise<readonly string[]> {
  const faults: string[] = [];
  const tried = async (what: string, attempt: () => Promise<unknown>) => {
    await attempt().catch((error) => faults.push(`${what}: ${errorText(error)}`));
  };
  for (const { name, database, look } of checks) {
    await tried(`${name}: a look-up fails`, look);
    await tried(`${name}: writes are refused`, () => database.tryWrite());
  }
  return faults;
}

/**
 * All checks that a start makes before it opens a database and listens.
 * @returns warnings, when only checking
 * @throws ConfigError with every fault
 */
export function checkConfig(config: Config, moment: StartMoment): Promise<readonly string[]> {
  return checkStart(config, moment, checkDatabaseFile);
}

/**
 * An app with its listeners; every address answers when this resolves.
 * @param inherited descriptors of listening sockets that replace the configured addresses
 */
export async function startServer(config: Config, log: Logger, inherited: readonly number[] = []): Promise<Server> {
  const app = await createApp(config, log);
  // Otherwise a farm at the descriptor limit, or a web page that keeps trying, would cause a line for each connection.
  const clientLog = limitRate(log);
  const listeners: Door[] = [];
  const add = (listener: Listener, rights: Rights) => {
    listeners.push({ ...listener, report: reportOf(config, { address: listener.address, rights }) });
  };
  const close = once(async () => {
    await Promise.all(listeners.map((listener) => listener.close()));
    await app.close();
  });
  try {
    for (const fd of inherited) add(await listenInherited(fd, app.hub, config.limits, clientLog), ALL_RIGHTS);
    const binds = inherited.length > 0 ? [] : config.binds;
    const { allowOrigins } = config;
    for (const { address, rights, access } of binds) {
      const options = { allowOrigins, access, rights };
      add(await listen(address, app.hub, config.limits, clientLog, options), rights);
    }
    for (const { address, report } of listeners)
      log.info(`listening on ${formatAddress(address)}: ${tellReport(report)}`);
  } catch (error) {
    await close();
    throw error;
  }
  return { ...app, listeners, close, [Symbol.asyncDispose]: close };
}

/** `close` and the end of an `await using` block may both ask for it. */
function once(end: () => Promise<void>): () => Promise<void> {
  let ended: Promise<void> | null = null;
  return () => {
    ended ??= end();
    return ended;
  };
}
