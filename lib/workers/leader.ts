import type { InheritedSocket } from '../asyncrpc/transport/inherited.ts';
import { BakeservError, type ErrorCode, errorText } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Config } from '../settings/config.ts';
import { renewed } from '../start/doors.ts';
import type { TakenOver } from '../start/followers.ts';
import { Entrance } from './entrance.ts';
import { Heartbeat } from './heartbeat.ts';
import { type DoorNotice, type DoorReport, errorFrom, type Question, type SentError, type Wishes } from './messages.ts';
import { afterDeath, NO_DEATHS } from './restart-policy.ts';
import { configOfWorker } from './shares.ts';
import { type Newcomer, type WorkerListener, WorkerProcess } from './worker-process.ts';

/** What a server of several processes is made of. */
export interface LeaderOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Listening sockets that replace the configured addresses. */
  readonly inherited: readonly InheritedSocket[];
  /** The program that serves as a worker, with its arguments. */
  readonly command: readonly string[];
  /** Answers what a worker wants to know of all of them. */
  readonly answer: (worker: WorkerProcess, what: Question, value: unknown) => Promise<unknown>;
  readonly onEnd: (worker: WorkerProcess) => void;
}

/** Why a server of several processes must end. */
export interface Failure {
  readonly error: BakeservError;
  /** The exit status. */
  readonly status: number;
}

/** A database that can no longer be trusted or written. */
const STATUS_DATABASE_FAILED = 3;
/** The worker that does what a server does by itself: jobs, warnings. */
export const FIRST = 1;
/** Errors that another start would meet again, with the exit status. Settings that others serve with may only be wrong for a moment. */
const LASTING: Partial<Record<ErrorCode, number>> = { 'config-error': 2, 'storage-corrupt': STATUS_DATABASE_FAILED };
/** As long as a reload may take. */
const LATEST_MS = 15_000;
/** A stop takes ten seconds at most. */
const KILL_AFTER_MS = 10_000;
/** What a worker may need in any case to read that it must stop. */
const LEAST_STOP_MS = 1000;

/** Starts the workers of a server, and others in place of those that die. The first watches what a server watches by itself. */
export class Leader {
  readonly entrance: Entrance;
  /** Resolves to why the server must end. */
  readonly failed: Promise<Failure>;
  /** The listeners as a worker reported them last. */
  doors: readonly DoorReport[] = [];
  notices: readonly DoorNotice[] = [];
  replaced = 0;
  private readonly options: LeaderOptions;
  private readonly workers = new Map<number, WorkerProcess>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private fail: (failure: Failure) => void = () => {};
  private deaths = NO_DEATHS;
  /** Settings that were taken over since the start. */
  private latest: Config | null = null;
  private admin: string;
  private opening: Promise<void> | null = null;
  private lastRefusal: SentError | null = null;
  private whenUp: (() => void) | null = null;
  private whenEmpty: (() => void) | null = null;
  private stopping = false;
  /** The server must end: who ends now is not replaced. */
  private hasFailed = false;
  private readonly heart: Heartbeat;

  constructor(options: LeaderOptions) {
    this.options = options;
    this.admin = JSON.stringify(options.config.admin);
    this.entrance = new Entrance(options.config, options.log, () => [...this.workers.values()]);
    this.failed = new Promise((resolve) => {
      this.fail = (failure) => {
        this.hasFailed = true;
        resolve(failure);
      };
    });
    // However this process ends, a worker that hangs would outlive it.
    process.on('exit', this.killAll);
    this.heart = new Heartbeat(options.config.workerTimeoutMs, options.log, () => this.ready);
  }

  /** Those that take clients. */
  get ready(): readonly WorkerProcess[] {
    return [...this.workers.values()].filter(({ isReady }) => isReady);
  }

  /**
   * Resolves once every worker serves. The first opens the databases before the others, and before anybody listens.
   * @throws what the first one, or listening, failed with
   */
  async start(): Promise<void> {
    const up = new Promise<void>((resolve) => {
      this.whenUp = resolve;
    });
    this.launch(FIRST, true);
    const refused = await Promise.race([up, this.failed]);
    if (refused) throw refused.error;
  }

  /** Asks every worker; the answers of those that gave one, and what the others said instead. */
  async askAll<Wish extends keyof Wishes>(what: Wish, value: Wishes[Wish], timeoutMs: number) {
    const answers: unknown[] = [];
    const faults: string[] = [];
    await Promise.all(
      this.ready.map((worker) =>
        worker.ask(what, value, timeoutMs).then(
          (answer) => answers.push(answer),
          (error: Error) => faults.push(`worker ${worker.number}: ${error.message}`),
        ),
      ),
    );
    return { answers, faults };
  }

  /**
   * Has all workers take over settings, one after the other; wrong ones change nothing.
   * @throws BakeservError when the first finds them wrong
   */
  async takeOver(config: Config): Promise<TakenOver> {
    const sum = { taken: new Set<string>(), later: new Set<string>(), faults: [] as string[] };
    // A user's token may have been changed since: it is only set where the settings say something new.
    const isNewAdmin = JSON.stringify(config.admin) !== this.admin;
    const general = { ...configOfWorker(config), admin: null };
    const tell = async (worker: WorkerProcess, given: Config) => {
      const { taken, later, faults } = await this.hand(worker, given);
      for (const each of taken) sum.taken.add(each);
      for (const each of later) sum.later.add(each);
      sum.faults.push(...faults.map((fault) => `worker ${worker.number}: ${fault}`));
    };
    const [first] = this.ready;
    if (!first) throw new BakeservError('worker-error', 'all workers are being replaced: ask again');
    await tell(first, isNewAdmin ? { ...general, admin: config.admin } : general);
    this.latest = general;
    this.admin = JSON.stringify(config.admin);
    // Those that are just starting are told before they serve.
    for (const worker of this.ready) {
      if (worker === first) continue;
      await tell(worker, general).catch((error) => {
        sum.faults.push(`worker ${worker.number}: ${errorText(error)}`);
      });
    }
    return { taken: [...sum.taken], later: [...sum.later], faults: sum.faults };
  }

  /** Ends a start; at once where nobody listens yet, so that nothing was read. */
  async abandon(): Promise<void> {
    if (this.opening) await this.close();
    else this.killAll();
  }

  /**
   * Takes no more clients, and resolves when every worker has answered what it had read and has ended. One that does not even read that it
   * must stop is ended after the drain time: it would not let anybody finish.
   */
  async close(): Promise<void> {
    this.stopping = true;
    this.heart.stop();
    for (const timer of this.timers) clearTimeout(timer);
    this.entrance.close();
    const empty = new Promise<void>((resolve) => {
      this.whenEmpty = resolve;
    });
    for (const worker of this.workers.values()) {
      worker.stop();
      worker.beat();
    }
    if (this.workers.size === 0) this.whenEmpty?.();
    const { drainTimeoutMs } = this.options.config.limits;
    const timers = [
      setTimeout(() => this.heart.endSilent(this.workers.values()), Math.max(drainTimeoutMs, LEAST_STOP_MS)),
      setTimeout(this.killAll, KILL_AFTER_MS),
    ];
    await empty;
    for (const timer of timers) clearTimeout(timer);
    process.off('exit', this.killAll);
  }

  /** Whether listeners are known by the names of sockets that were handed over. */
  private get byName(): boolean {
    return this.options.inherited.length > 0;
  }

  private readonly killAll = () => {
    for (const worker of this.workers.values()) worker.kill();
  };

  private async hand(worker: WorkerProcess, config: Config): Promise<TakenOver> {
    const answer = await worker.ask('takeOver', config, LATEST_MS);
    const { doors, ...result } = answer as TakenOver & { readonly doors: readonly DoorReport[] };
    this.doors = doors;
    return result;
  }

  private launch(number: number, isFirstStart = false): void {
    const { config, command } = this.options;
    const own = configOfWorker({ ...config, binds: renewed(config.binds, this.latest?.binds ?? [], this.byName) });
    const worker = new WorkerProcess(number, command, this.listener);
    this.workers.set(number, worker);
    worker.start({
      config: isFirstStart ? own : { ...own, admin: null, init: false },
      leads: number === FIRST,
      joinsOthers: this.ready.length > 0,
      speaks: isFirstStart,
    });
  }

  private readonly listener: WorkerListener = {
    opened: (worker) => void this.opened(worker),
    ready: (worker, doors) => void this.isUp(worker, doors),
    refused: (_worker, error) => {
      this.lastRefusal = error;
    },
    failed: (_worker, error) => this.fail({ error: errorFrom(error), status: STATUS_DATABASE_FAILED }),
    gone: (places) => this.entrance.leave(places),
    asked: (worker, what, value) => this.options.answer(worker, what, value),
    ended: (worker, how, untaken) => this.ended(worker, how, untaken),
  };

  /** The first worker has opened the databases: only now anybody listens. */
  private async opened(worker: WorkerProcess): Promise<void> {
    const { inherited } = this.options;
    if (this.stopping) return;
    this.opening ??= this.entrance.open(inherited).then((notices) => {
      this.notices = notices;
    });
    try {
      await this.opening;
      worker.tellListeners(this.notices, this.byName);
    } catch (error) {
      if (this.stopping) return;
      const ours = error instanceof BakeservError ? error : new BakeservError('address-error', errorText(error), error);
      this.fail({ error: ours, status: 1 });
    }
  }

  private async isUp(worker: WorkerProcess, doors: readonly DoorReport[]): Promise<void> {
    const { config } = this.options;
    this.doors = doors;
    let given: Config | null = null;
    // Others may be given new settings meanwhile.
    while (this.latest !== given) {
      given = this.latest;
      try {
        await this.hand(worker, given!);
      } catch {
        return worker.kill();
      }
    }
    if (this.stopping) return;
    worker.isReady = true;
    worker.readyAt = performance.now();
    this.entrance.admit();
    if (this.workers.size < config.workers && this.whenUp) {
      for (let number = 2; number <= config.workers; number++) if (!this.workers.has(number)) this.launch(number);
    }
    if (this.ready.length < config.workers) return;
    this.whenUp?.();
    this.whenUp = null;
  }

  private ended(worker: WorkerProcess, how: string, untaken: readonly Newcomer[]): void {
    const { log, config, onEnd } = this.options;
    this.workers.delete(worker.number);
    onEnd(worker);
    this.entrance.takeBack(untaken);
    if (this.stopping || this.hasFailed) {
      if (this.workers.size === 0) this.whenEmpty?.();
      return;
    }
    const refusal = this.lastRefusal;
    this.lastRefusal = null;
    // What the first worker cannot open, no other will: the start fails as that of a single process.
    const status = refusal?.code ? LASTING[refusal.code] : undefined;
    const isLasting = status === STATUS_DATABASE_FAILED || (status !== undefined && this.whenUp !== null);
    if (refusal && (this.opening === null || isLasting))
      return this.fail({ error: errorFrom(refusal), status: status ?? 1 });
    const why = refusal ? `it could not start: ${refusal.message}` : how;
    const now = performance.now();
    const lived = worker.readyAt === null ? 0 : now - worker.readyAt;
    const verdict = afterDeath(this.deaths, now, lived, config.workers);
    this.deaths = verdict.deaths;
    if (verdict.kind === 'give-up') {
      const text = `workers end again and again, ${verdict.deaths.times.length} within a minute; the last: ${why}`;
      return this.fail({ error: new BakeservError('worker-error', text), status: 1 });
    }
    log.error('a worker has ended: another takes its place', { worker: worker.number, why, pid: worker.pid });
    this.replaced++;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      if (!this.stopping && !this.hasFailed) this.launch(worker.number);
    }, verdict.pauseMs);
    this.timers.add(timer);
  }
}
