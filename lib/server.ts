import { openAccessLog } from './access-log/access-log.ts';
import { HubFigures } from './asyncrpc/hub-figures.ts';
import type { Logins } from './asyncrpc/logins.ts';
import { createHub } from './asyncrpc/server/hub.ts';
import type { Peer, Service } from './asyncrpc/service.ts';
import type { InheritedSocket } from './asyncrpc/transport/inherited.ts';
import { createLoopGuard } from './asyncrpc/upstream/loop-guard.ts';
import type { StorageError } from './errors.ts';
import { createLoginThrottle } from './hashserv/access/login-throttle.ts';
import { createLogins } from './hashserv/access/logins.ts';
import { createPageSessions, type PageSessions } from './hashserv/access/page-sessions.ts';
import { DB_ADMIN } from './hashserv/access/permissions.ts';
import { ensureAdmin } from './hashserv/commands/users.ts';
import { sharedStateMeans } from './hashserv/jobs/shared-state-means.ts';
import { createHashService } from './hashserv/service.ts';
import type { Loading } from './hashserv/store.ts';
import type { StoreProbe } from './http/readiness.ts';
import { createLateDesk } from './insights/late.ts';
import { jobsElsewhere } from './jobs/elsewhere.ts';
import { createLateJobs } from './jobs/late.ts';
import { type Logger, limitRate } from './log.ts';
import type { StandbyLag } from './meter/standby-lag.ts';
import type { TaskLookups } from './meter/task-lookups.ts';
import { createMetrics, type Metrics } from './metrics/source.ts';
import { newShown, type ServiceName } from './metrics/sources.ts';
import { packageVersion } from './package-version.ts';
import { createPrService } from './prserv/service.ts';
import { createPrUpstream, saysNothing } from './prserv/upstream/upstream.ts';
import type { PullParts } from './pull/parts.ts';
import type { Config } from './settings/config.ts';
import { anonymousPermissions } from './settings/rights.ts';
import type { App, Server } from './start/app.ts';
import { checkStart, requireOneSyncMode, type StartMoment } from './start/checks.ts';
import { closeData } from './start/closing.ts';
import type { Crew } from './start/crew.ts';
import { type Doors, type HandedDoors, openDoors } from './start/doors.ts';
import { type Follower, followAdmin, followAll, followAnonymous } from './start/followers.ts';
import { openHttpDoor } from './start/http.ts';
import { openMirrors } from './start/mirrors.ts';
import { once } from './start/once.ts';
import { foreignFiles } from './start/own-files.ts';
import { openRecording } from './start/recorder.ts';
import { checkStores, probeOf } from './start/stores.ts';
import { linkUpstream } from './start/upstream.ts';
import { checkDatabase, createStores, FILE_WORK, jobArchiveOf, pullMeans } from './stores.ts';
import { openWarnings } from './warnings/gather.ts';

export type { App, Server } from './start/app.ts';
export type { Door } from './start/doors.ts';
export type { Change, Follower, TakenOver } from './start/followers.ts';
export type { Mirroring } from './start/mirrors.ts';
/** For `bakeserv backup`, `check` and `restore`. */
export { backupDatabase } from './storage/sqlite/upkeep/backup.ts';
export { backupName, openBackupFolder, removeOld } from './storage/sqlite/upkeep/backup-folder.ts';
export { checkFile, type FileReport } from './storage/sqlite/upkeep/check.ts';
export { becomesAnother } from './storage/sqlite/upkeep/identity.ts';
export { servicesIn } from './storage/sqlite/upkeep/look.ts';
export { previewRestore, requireUnused, restoreDatabase } from './storage/sqlite/upkeep/restore.ts';
/** Another server's database, for `bakeserv warm`. */
export { openTaskPages } from './storage/sqlite/upkeep/task-pages.ts';
/** For `bakeserv db migrate`, and for `bakeserv copy`. */
export { migrateDatabases, openDatabaseSource, openDatabaseTarget, planDatabases } from './stores.ts';

/** How long a stopping server waits for answers of its upstreams. */
const UPSTREAM_GRACE_MS = 500;
/** How long it waits for slices of jobs. */
const JOBS_GRACE_MS = 3000;

/**
 * Opens the databases and creates the services on them.
 * @throws StorageError, ConfigError, after closing whatever was opened
 */
export function createApp(config: Config, log: Logger): Promise<App> {
  return openApp(config, log, null);
}

/** @param crew the other processes of the server; null where it is one */
async function openApp(config: Config, log: Logger, crew: Crew | null): Promise<App> {
  const clientLog = limitRate(log);
  let fail: (error: StorageError) => void = () => {};
  const failed = new Promise<StorageError>((resolve) => {
    fail = resolve;
  });
  const services: Service[] = [];
  const figures = new HubFigures();
  const shown = newShown(packageVersion());
  const onFatal = (error: StorageError) => {
    // Every failure is logged: on a bad disk the first need not be the only one.
    log.error('the database failed: the server stops', { error });
    fail(error);
  };
  const databases = createStores(config, shown.databases, log, onFatal, crew?.joinsOthers);
  const stores: StoreProbe[] = [];
  let { anonymousPermissions: general } = config;
  const withoutLogin = (peer: Peer) => anonymousPermissions({ anonymousPermissions: general }, peer);
  const opening = followAnonymous((now) => {
    general = now;
  });
  const followers: Follower[] = [];
  const jobs = crew?.jobs
    ? jobsElsewhere(crew.jobs)
    : createLateJobs({ archive: jobArchiveOf(config), ...config.jobs, figures: shown.jobs, log });
  const insights = createLateDesk(config.insights, shown.insights);
  const requireFile = foreignFiles(config);
  jobs.register(async () => (await import('./start/job-kinds.ts')).fileKinds(config, FILE_WORK));
  const pulls: { -readonly [service in 'hashes' | 'prs']: PullParts[service] } = { hashes: null, prs: null };
  let loading = (): Loading | null => null;
  let mark = async (): Promise<string | null> => null;
  const lagOf: Record<ServiceName, () => StandbyLag | null> = { hashserv: () => null, prserv: () => null };
  const access = await openAccessLog(config.accessLog, log);
  let lookups: TaskLookups | null = null;
  const recording = openRecording({ config, log, crew, metrics: () => metrics, lookups: () => lookups });
  let metrics: Metrics;
  const closeAll = () => closeData(services, [databases], access);

  try {
    requireOneSyncMode(config);
    const throttle = createLoginThrottle(config.limits, figures.hits);
    let logins: Logins | null = null;
    let sessions: PageSessions | null = null;
    if (config.hashserv) {
      const { store, gate, database } = await databases.openHash(config.hashserv);
      loading = () => store.loading;
      mark = () => store.gcMark();
      lagOf.hashserv = () => database.lag ?? null;
      const ensure = (admin: NonNullable<Config['admin']>) => ensureAdmin(store, admin.username, admin.password);
      if (config.admin) await ensure(config.admin);
      followers.push(followAdmin(config.admin, ensure));
      const guard = createLoopGuard(clientLog);
      const link = await linkUpstream(config, 'hashserv', followers, { guard, log: clientLog });
      const upstream =
        link && (await import('./hashserv/upstream/upstream.ts')).createHashUpstream(link, config.upstream.missTtlMs);
      const probe = probeOf('hashserv', database, link, () =>
        store.outhashes([{ method: 'bakeserv status', outhash: 'none', withUnihash: true }]),
      );
      stores.push(probe);
      const service = createHashService({
        store,
        log: clientLog,
        guard,
        gate,
        upstream,
        anonymousPermissions: withoutLogin,
        logins: throttle,
        jobs,
        insights,
        database: database.file,
        requireFile,
        sharedState: sharedStateMeans(config),
        history: recording,
      });
      lookups = service.figures.lookups;
      pulls.hashes = { store, database: database.file, onStored: (task) => upstream?.forget(task) };
      sessions = createPageSessions(store);
      logins = createLogins({ store, throttle, log: clientLog });
      services.push(service);
      shown.services.push({ name: 'hashserv', figures: service.figures, upstream: link });
      shown.caches.push({ name: 'unihashes', state: store.cache });
      shown.loader = () => store.loading;
    }
    if (config.prserv) {
      const { store, gate, database } = await databases.openPr(config.prserv);
      lagOf.prserv = () => database.lag ?? null;
      const guard = createLoopGuard(clientLog);
      const link = await linkUpstream(config, 'prserv', followers, { guard, log: clientLog, isMiss: saysNothing });
      const probe = probeOf('prserv', database, link, () =>
        store.page({ version: 'bakeserv-status', pkgarch: null, checksum: null }, null, 1),
      );
      stores.push(probe);
      const upstream = link && createPrUpstream(link);
      const service = createPrService({
        store,
        log: clientLog,
        guard,
        gate,
        upstream,
        defaultHistory: config.history,
        mayRemove: (peer: Peer) => withoutLogin(peer).includes(DB_ADMIN),
        logins,
        jobs,
        insights,
        database: database.file,
        requireFile,
      });
      pulls.prs = { store, database: database.file };
      services.push(service);
      shown.services.push({ name: 'prserv', figures: service.figures, upstream: link });
      shown.caches.push({ name: 'packages', state: store.cache });
    }
    const mirrors = openMirrors({
      config,
      crew,
      jobs,
      parts: { ...pulls, ...pullMeans(config, log) },
      requireFile,
      log,
    });
    followers.push(mirrors.follower);
    shown.mirrors = mirrors.here;
    const hub = createHub(access.watch(services, figures), config.limits, clientLog, figures, recording.presence);
    metrics = createMetrics({ ...shown, hub, workers: () => ({ serving: 1, replaced: 0 }) }, crew?.metrics);
    const clients = crew?.clients ?? (async () => hub.size);
    const close = once(async () => {
      const hurry = setTimeout(() => {
        for (const service of services) service.stopAsking?.();
      }, UPSTREAM_GRACE_MS);
      mirrors.close();
      await Promise.all([hub.drain(), jobs.close(JOBS_GRACE_MS), insights.close()]);
      await recording.close();
      metrics.close();
      clearTimeout(hurry);
      await closeAll();
    });
    const warnings = openWarnings({ config, stores, metrics, mirrors, jobs, mark: () => mark() });
    const http = { hub, stores, clients, mirrors, jobs, warnings, history: recording, sessions };
    const openHttp: App['openHttp'] = async (listeners = () => []) =>
      openHttpDoor(config, clientLog, { ...http, metrics: await metrics.source(), listeners });
    return {
      hub,
      metrics,
      failed,
      openHttp,
      jobs,
      mirrors,
      recording,
      warnings,
      loading: () => loading(),
      lags: () => ({ hashserv: lagOf.hashserv(), prserv: lagOf.prserv() }),
      check: () => checkStores(stores),
      reopen: () => access.reopen(),
      // Rights first: the rest may wait for a locked database.
      takeOver: (now, others = []) => followAll([opening, ...others, ...followers], now),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/**
 * All checks that a start makes before it opens a database and listens.
 * @returns warnings, when only checking
 * @throws ConfigError with every fault
 */
export function checkConfig(config: Config, moment: StartMoment): Promise<readonly string[]> {
  return checkStart(config, moment, checkDatabase);
}

/**
 * An app with its listeners; every address answers when this resolves.
 * @param inherited listening sockets that replace the configured addresses
 */
export async function startServer(
  config: Config,
  log: Logger,
  inherited: readonly InheritedSocket[] = [],
): Promise<Server> {
  const app = await openApp(config, log, null);
  return serveApp(app, () => openDoors(config, app.hub, log, { inherited, handed: null }, app.openHttp));
}

/** The same as one of several processes, another of which accepts the clients. */
export async function startWorker(config: Config, log: Logger, crew: Crew): Promise<Server> {
  const app = await openApp(config, log, crew);
  const open = (handed: HandedDoors) => openDoors(config, app.hub, log, { inherited: [], handed }, app.openHttp);
  return serveApp(app, async () => open(await crew.listeners()));
}

async function serveApp(app: App, open: () => Promise<Doors>): Promise<Server> {
  let doors: Doors;
  try {
    doors = await open();
  } catch (error) {
    await app.close();
    throw error;
  }
  const close = once(async () => {
    await doors.close();
    await app.close();
  });
  // Clients are answered by now, and wait for none of it.
  void app.mirrors.resume();
  return {
    ...app,
    listeners: doors.list,
    takeOver: (now) => app.takeOver(now, [doors]),
    close,
    [Symbol.asyncDispose]: close,
  };
}
