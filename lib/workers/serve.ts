import { EventEmitter } from 'node:events';
import type net from 'node:net';
import { loadAjv } from '../ajv.ts';
import { answerJobs, type JobsCall } from '../jobs/elsewhere.ts';
import { createLogger, type Logger, type ProgramLogger } from '../log.ts';
import type { MirrorStatus } from '../meter/mirror-status.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import type { HistoryView, LookupsView } from '../recorder/view.ts';
import { type Server, startWorker } from '../server.ts';
import type { Config } from '../settings/config.ts';
import type { HandedDoors } from '../start/doors.ts';
import {
  type Answer,
  type DoorReport,
  errorFrom,
  type FromWorker,
  type Question,
  sentError,
  type ToWorker,
} from './messages.ts';

/** As long as a server may take to stop. */
const SHUTDOWN_MS = 10_000;
/** The database is damaged or can no longer be written. */
const STATUS_DATABASE_FAILED = 3;

type Start = Extract<ToWorker, { kind: 'start' }>;

/**
 * Serves the clients that the leading process hands over, until that says stop or is gone.
 * @returns the exit status
 */
export async function serveAsWorker(): Promise<number> {
  // A terminal, or a service manager, sends them to every process: the leading one alone decides.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => {});
  return new Promise((resolve) => {
    const worker = new Worker(resolve);
    process.on('message', (message: ToWorker, socket?: net.Socket) => worker.heard(message, socket));
    process.once('disconnect', () => worker.stop('the leading process is gone', 1));
  });
}

class Worker {
  private readonly end: (status: number) => void;
  private server: Server | null = null;
  private log: ProgramLogger | null = null;
  /** Where clients come from, by listener. */
  private sources: readonly EventEmitter[] = [];
  private listeners: (doors: HandedDoors) => void = () => {};
  private readonly answers = new Map<number, (answer: Answer) => void>();
  private lastId = 0;
  private leads = false;
  private taken = 0;
  private gone: number[] = [];
  private telling = false;
  private stopping = false;

  constructor(end: (status: number) => void) {
    this.end = end;
  }

  heard(message: ToWorker, socket?: net.Socket): void {
    if (message.kind === 'start') void this.start(message);
    else if (message.kind === 'listeners') this.listen(message.list, message.inherited);
    else if (message.kind === 'client') this.accept(message.id, message.door, socket);
    else if (message.kind === 'ask') void this.reply(message.id, message.what, message.value);
    else if (message.kind === 'answer') this.answers.get(message.id)?.(message);
    else if (message.kind === 'ping') this.send({ kind: 'pong' });
    else void this.stop('request', 0);
  }

  /** Answers what was read, and ends. */
  async stop(reason: string, status: number): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    if (status !== 0) this.log?.warn(`stopping: ${reason}`);
    if (!this.server) return this.end(status);
    setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
    await this.server.close().catch((error) => this.log?.error('closing failed', { error }));
    this.end(status);
  }

  private async start({ config, worker, leads, joinsOthers, speaks }: Start): Promise<void> {
    this.leads = leads;
    try {
      const { logLevel, logFormat, logFile } = config;
      this.log = await createLogger(logLevel, logFormat, logFile);
      const log: { level: 'info' | 'debug' } = { level: speaks ? 'info' : 'debug' };
      const server = await startWorker(
        config,
        ofWorker(this.log, worker, () => log.level),
        {
          joinsOthers,
          jobs: leads ? null : (call) => this.ask('jobs', call),
          mirrors: leads ? null : () => this.ask('mirrors', null) as Promise<readonly MirrorStatus[]>,
          listeners: () => this.untilListening(),
          metrics: (own) => this.ask('metrics', own) as Promise<Snapshot>,
          history: {
            all: (span) => this.ask('history', { of: 'all', span }) as Promise<HistoryView>,
            lookups: (span) => this.ask('history', { of: 'lookups', span }) as Promise<LookupsView>,
          },
          clients: () => this.ask('clients', null) as Promise<number>,
        },
      );
      log.level = 'info';
      if (this.stopping) return void (await server.close());
      this.server = server;
      void server.failed.then((error) => this.fail(error));
      this.send({ kind: 'ready', doors: doorsOf(server) });
      // Nobody waits for it now, and the first request would.
      setImmediate(loadAjv);
    } catch (error) {
      this.sendLast({ kind: 'refused', error: sentError(error) }, 1);
    }
  }

  private fail(error: unknown): void {
    this.sendLast({ kind: 'failed', error: sentError(error) }, STATUS_DATABASE_FAILED);
  }

  private untilListening(): Promise<HandedDoors> {
    const listening = new Promise<HandedDoors>((resolve) => {
      this.listeners = resolve;
    });
    this.send({ kind: 'opened' });
    return listening;
  }

  private listen(list: Extract<ToWorker, { kind: 'listeners' }>['list'], inherited: boolean): void {
    this.sources = list.map(() => new EventEmitter());
    const handed = list.map((door, i) => ({ ...door, clients: this.sources[i]! }));
    this.listeners({ list: handed, inherited, warns: this.leads });
  }

  private accept(id: number, door: number, socket: net.Socket | undefined): void {
    this.taken++;
    if (socket) {
      // As on sockets that a server has accepted itself: a client may end its side and wait for the answers.
      socket.allowHalfOpen = true;
      socket.once('close', () => this.left(id));
      this.sources[door]!.emit('connection', socket);
    } else this.left(id);
    this.tell();
  }

  private left(id: number): void {
    this.gone.push(id);
    this.tell();
  }

  /** Once a turn, however many came and went. */
  private tell(): void {
    if (this.telling) return;
    this.telling = true;
    setImmediate(() => {
      const { taken, gone } = this;
      this.telling = false;
      this.taken = 0;
      this.gone = [];
      this.send({ kind: 'clients', taken, gone });
    });
  }

  private ask(what: Question, value: unknown): Promise<unknown> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.answers.set(id, ({ value, error }) => {
        this.answers.delete(id);
        if (error) reject(errorFrom(error));
        else resolve(value);
      });
      this.send({ kind: 'ask', id, what, value });
    });
  }

  private async reply(id: number, what: string, value: unknown): Promise<void> {
    try {
      this.send({ kind: 'answer', id, value: await this.answer(what, value), error: null });
    } catch (error) {
      this.send({ kind: 'answer', id, value: null, error: sentError(error) });
    }
  }

  private async answer(what: string, value: unknown): Promise<unknown> {
    const server = this.server!;
    if (what === 'metrics') return server.metrics.snapshot();
    if (what === 'figures') return server.recording.figures(value as boolean);
    if (what === 'missed') return server.recording.missed();
    if (what === 'loading') return server.loading();
    if (what === 'lags') return server.lags();
    if (what === 'mirrors') return server.mirrors.list();
    if (what === 'warnings') return server.warnings.list(server.listeners);
    if (what === 'jobs') return answerJobs(server.jobs, value as JobsCall);
    if (what === 'check') return server.check();
    if (what === 'reopen') {
      this.log!.reopen();
      return server.reopen();
    }
    const config = value as Config;
    const result = await server.takeOver(config);
    this.log!.setLevel(config.logLevel);
    return { ...result, doors: doorsOf(server) };
  }

  private send(message: FromWorker): void {
    if (process.connected) process.send!(message, undefined, undefined, () => {});
  }

  /** Ends once it is sent. At once: a tidy end of the process would close the database, which writes to it. */
  private sendLast(message: FromWorker, status: number): void {
    if (!process.connected) process.exit(status);
    process.send!(message, undefined, undefined, () => process.exit(status));
  }
}

function doorsOf({ listeners }: Server): DoorReport[] {
  return listeners.map(({ report, certificate }) => ({
    report,
    certificate: certificate ? { file: certificate.file, expires: certificate.expires } : null,
  }));
}

/** Each line says which worker it is of. */
function ofWorker(log: Logger, worker: number, information: () => 'info' | 'debug'): Logger {
  return {
    error: (message, fields) => log.error(message, { ...fields, worker }),
    warn: (message, fields) => log.warn(message, { ...fields, worker }),
    info: (message, fields) => log[information()](message, { ...fields, worker }),
    debug: (message, fields) => log.debug(message, { ...fields, worker }),
  };
}
