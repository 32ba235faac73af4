import path from 'node:path';
import { loadAjv } from '../../ajv.ts';
import { type Address, formatAddress } from '../../asyncrpc/transport/address.ts';
import { takeInheritedSockets } from '../../asyncrpc/transport/inherited.ts';
import { userName } from '../../asyncrpc/transport/passwd.ts';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import { errorText } from '../../errors.ts';
import type { AskAsOwner } from '../../jobs/owner.ts';
import { createLogger, type Logger } from '../../log.ts';
import { packageVersion } from '../../package-version.ts';
import { checkConfig, type TakenOver } from '../../server.ts';
import { type Config, configOf } from '../../settings/config.ts';
import { isPostgresAddress, withoutPassword } from '../../settings/database-address.ts';
import { descriptorLimit } from '../../settings/limits/limits-settings.ts';
import type { Settings } from '../../settings/settings.ts';
import type { LedServer } from '../../workers/lead.ts';
import { ignoreOutput } from '../output.ts';
import {
  type CertificateStatus,
  type Control,
  type ControlActions,
  isPrivate,
  openControl,
  type ServerStatus,
} from './control.ts';
import { controlFolder, controlSocket, runtimeFolder, SERVICE_STATUS } from './control-folder.ts';
import { type CountedLog, countLines } from './counted-log.ts';
import { createReload, type Reload } from './reload.ts';
import { heedSignals } from './server-signals.ts';
import { createNotify, takeNotifyAddress } from './service-manager.ts';
import { createStanding, type Standing, UNTOLD } from './standing.ts';
import { startProcesses } from './start-server.ts';

/** In all, from the first signal. */
const SHUTDOWN_MS = 10_000;

/** A server to run, and what is particular to the command that runs it. */
export interface ServerRun {
  /** The command's name, for `bakeserv status`. */
  readonly command: string;
  readonly settings: Settings;
  /** The configuration file they come from, where there is one. */
  readonly configFile?: string;
  /** Reads them again, on SIGHUP and `bakeserv reload`. */
  readonly reload: () => Promise<Settings>;
  /** Called with the logger before anything is opened. */
  readonly onLogger?: (log: Logger) => void;
  /** Further control sockets than the one in the user's folder; one that cannot be had ends the server. */
  readonly controls?: (running: Running) => readonly ControlSocket[];
  /** Called once every address answers. `stop` ends the server as a signal would. */
  readonly onListening?: (running: Running) => void | Promise<void>;
  /** Called when the server is about to stop, and when its databases are closed. */
  readonly onStopping?: () => void;
  readonly onClosed?: () => void | Promise<void>;
}

/** A control socket, and what can be asked there. */
export interface ControlSocket {
  readonly file: string;
  readonly actions: ControlActions;
}

export interface Running {
  readonly server: LedServer;
  readonly log: Logger;
  status(): Promise<ServerStatus>;
  stop(reason: string): void;
  /** Reads the settings again, for whoever owns the server. */
  reload(): Promise<TakenOver>;
  /** Runs a command about jobs, for whoever owns the server. */
  job(command: string, args: Json): Promise<Json>;
}

/**
 * Runs a server until a signal, a request on a control socket, or a failed database.
 * @returns the exit status: 0, 1 when it could not end in time, 3 when a database failed
 */
export async function runServer(run: ServerRun): Promise<number> {
  const { settings } = run;
  const config = configOf(settings, descriptorLimit(), run.configFile ?? null);
  const inherited = takeInheritedSockets(process.env);
  await checkConfig(config, { inherited: inherited.length > 0, ahead: false });
  const counted = countLines(await createLogger(config.logLevel, config.logFormat, config.logFile));
  const { log } = counted;
  const version = await packageVersion();
  log.info(`bakeserv ${version} on Node ${process.versions.node}`);
  let server: LedServer | null = null;
  const standing = standingOf(run.command, log, () => describe(server, counted));
  let started: (server: LedServer) => void = () => {};
  const takeOver = createReload({
    settings,
    read: run.reload,
    log,
    inherited: inherited.length > 0,
    server: new Promise((resolve) => {
      started = resolve;
    }),
  });
  const reload: Reload = (asked) => standing.whileReloading(() => takeOver(asked));
  heedSignals(reload);
  run.onLogger?.(log);
  // A reader of our output that went away must not end the server.
  ignoreOutput();
  let stop: (reason: string) => void = () => {};
  const stopping = new Promise<string>((resolve) => {
    stop = resolve;
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop(signal));

  standing.starting();
  let abandon = async () => {};
  const starting = startProcesses(config, log, inherited, (end) => {
    abandon = end;
  });
  const first = await Promise.race([starting, stopping]);
  if (typeof first === 'string') {
    // Most likely it waits for a locked database, or checks a large one: nothing was answered that could be lost.
    log.info(`stopping on ${first} before the start was complete`);
    await close({ close: abandon }, log);
    process.exit(0);
  }
  server = first;
  started(server);
  const status = statusOf(run, server, version);
  const job = ownerOf(server, config);
  const running: Running = { server, log, status, stop, reload: () => reload('reload'), job };
  const failure = await serveUntil(run, running, standing, stopping);
  // At once: a tidy end of the process would close the database, which writes to it.
  if (failure !== null) process.exit(failure);
  return 0;
}

/** Loaded for the first who asks: most servers have no jobs. */
function ownerOf({ jobs }: Running['server'], { readOnly }: Config): AskAsOwner {
  let owner: Promise<AskAsOwner> | null = null;
  const load = async () =>
    (await import('../../jobs/owner.ts')).askAsOwner(jobs, () => userName(process.getuid?.() ?? 0), readOnly);
  return async (command, args) => {
    owner ??= load();
    return (await owner)(command, args);
  };
}

/** The server of a build folder is nobody's service, nor is one in the background. */
function standingOf(command: string, log: Logger, describe: () => string): Standing {
  const address = takeNotifyAddress(process.env);
  if (!address || isPrivate({ command }) || process.connected) return UNTOLD;
  return createStanding({
    notify: createNotify(address, process.env, log),
    watchdogMs: address.watchdogMs,
    describe,
  });
}

/** In one line, for `systemctl status`. */
function describe(server: LedServer | null, { counts }: CountedLog): string {
  const some = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
  const clients = some(server?.clients ?? 0, 'client');
  return `${clients}; logged since the start: ${some(counts.warnings, 'warning')}, ${some(counts.errors, 'error')}`;
}

/** Serves until something ends it, then closes. Resolves to the exit status where it could not go on; otherwise null. */
async function serveUntil(
  run: ServerRun,
  running: Running,
  standing: Standing,
  stopping: Promise<string>,
): Promise<number | null> {
  const { server, log, status, reload, job } = running;
  let failure: number | null = null;
  const failing = server.failed.then(({ error, status }) => {
    failure = status;
    if (server.workers().length > 0) log.error('the server cannot go on', { error });
    return null;
  });
  const controls: Control[] = [];
  try {
    for (const { file, actions } of run.controls?.(running) ?? []) controls.push(await openControl(file, actions));
    const open: ControlActions = { status, check: oncePerSecond(() => server.check()) };
    for (const { file, mode, isOwn } of statusSockets(run.command))
      await openStatusControl(controls, file, isOwn ? { ...open, reload, job } : open, mode, log);
    await run.onListening?.(running);
    standing.ready();
    // Nobody waits for it now, and the first request would.
    if (server.workers().length === 0) setImmediate(loadAjv);
    const reason = await Promise.race([stopping, failing]);
    if (reason) log.info(`stopping on ${reason}`, { clients: server.clients });
  } finally {
    standing.stopping();
    for (const control of controls) control.close();
    run.onStopping?.();
    await close(server, log);
    await run.onClosed?.();
  }
  return failure;
}

async function close(server: Pick<LedServer, 'close'>, log: Logger): Promise<void> {
  process.on('SIGINT', exitAtOnce).on('SIGTERM', exitAtOnce);
  const guard = setTimeout(() => {
    log.error('the server did not stop in time');
    process.exit(1);
  }, SHUTDOWN_MS);
  await server.close().catch((error) => log.error(`closing: ${errorText(error)}`));
  clearTimeout(guard);
}

function exitAtOnce(): void {
  process.exit(130);
}

interface StatusSocket {
  readonly file: () => string;
  readonly mode: number | undefined;
  /** Only the user of the server can connect, so that more than questions may be asked there. */
  readonly isOwn: boolean;
}

/** Where `bakeserv status` finds this server: for its user, and for everybody where systemd gave it a folder. */
function statusSockets(command: string): StatusSocket[] {
  const runtime = runtimeFolder(process.env);
  const own = { file: () => controlSocket(controlFolder(), process.pid), mode: undefined, isOwn: true };
  // The folder of a build's unit is not the private server's.
  if (runtime === null || isPrivate({ command })) return [own];
  return [own, { file: () => path.join(runtime, SERVICE_STATUS), mode: 0o666, isOwn: false }];
}

/** A server that cannot have one serves all the same. */
async function openStatusControl(
  controls: Control[],
  file: () => string,
  actions: ControlActions,
  mode: number | undefined,
  log: Logger,
): Promise<void> {
  try {
    controls.push(await openControl(file(), actions, mode));
  } catch (error) {
    log.debug(`'bakeserv status' will not find this server: ${errorText(error)}`);
  }
}

/** However many ask, and however often, there is one look a second: each writes to the disk. */
function oncePerSecond<T>(look: () => Promise<T>): () => Promise<T> {
  let last: Promise<T> | null = null;
  return () => {
    last ??= look().finally(() => {
      setTimeout(() => {
        last = null;
      }, 1000).unref();
    });
    return last;
  };
}

function statusOf({ command, settings }: ServerRun, server: LedServer, version: string): () => Promise<ServerStatus> {
  const started = new Date().toISOString();
  const text = (name: string) => (settings.get(name)?.value as string | undefined) ?? null;
  const database = (service: string) => (settings.get(service)!.value ? databaseName(text(`${service}-db`)!) : null);
  const fixed = {
    command,
    pid: process.pid,
    started,
    version,
    addresses: server.listeners.map(({ address }) => formatAddress(absolute(address))),
    databases: { hashserv: database('hashserv'), prserv: database('prserv') },
    upstreams: { hashserv: text('hashserv-upstream'), prserv: text('prserv-upstream') },
  };
  return async () => ({
    ...fixed,
    ...(server.workers().length > 0 && { workers: server.workers() }),
    listeners: server.listeners.map(({ report }) => report),
    certificates: server.listeners.flatMap(({ address, certificate }) =>
      certificate ? [certificateStatus(address, certificate)] : [],
    ),
    standbys: await server.lags(),
    mirrors: await server.mirrors(),
    warnings: await server.warnings(),
    jobs: await server.jobs.status().catch(() => null),
    clients: server.clients,
    memory: await server.loading(),
  });
}

function certificateStatus(
  address: Address,
  { file, expires }: { readonly file: string; readonly expires: Date },
): CertificateStatus {
  return { address: formatAddress(address), file: path.resolve(file), expires: expires.toISOString() };
}

/** The address as it can be used from any folder. */
function absolute(address: Address): Address {
  return address.kind === 'unix' ? { ...address, path: path.resolve(address.path) } : address;
}

/** The database as it can be named anywhere. */
function databaseName(given: string): string {
  return isPostgresAddress(given) ? withoutPassword(given) : path.resolve(given);
}
