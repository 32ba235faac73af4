import type { Address } from '../asyncrpc/transport/address.ts';
import { BakeservError } from '../errors.ts';
import type { Loading } from '../hashserv/store.ts';
import { JobsAwayError, type JobsCall, jobsElsewhere } from '../jobs/elsewhere.ts';
import type { Jobs } from '../jobs/late.ts';
import { InsightFigures } from '../meter/insight-figures.ts';
import { JobFigures } from '../meter/job-figures.ts';
import type { MirrorStatus } from '../meter/mirror-status.ts';
import { joinMisses, type MissCount } from '../meter/top-misses.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import { createMetrics } from '../metrics/source.ts';
import { packageVersion } from '../package-version.ts';
import type { Figures } from '../recorder/figures.ts';
import { Recorder } from '../recorder/recorder.ts';
import type { App } from '../server.ts';
import type { Config } from '../settings/config.ts';
import type { ListenerReport } from '../settings/rights.ts';
import type { TakenOver } from '../start/followers.ts';
import { figuresFileOf, MOST_MISSED } from '../start/recorder.ts';
import type { Warning } from '../warnings/rules.ts';
import { Gathered } from './gathered.ts';
import { type Failure, FIRST, Leader, type LeaderOptions } from './leader.ts';
import type { HistoryQuestion, Question } from './messages.ts';
import type { WorkerProcess } from './worker-process.ts';

/** A listener, as whoever runs the server sees it. */
export interface LedDoor {
  readonly address: Address;
  readonly report: ListenerReport;
  readonly certificate?: { readonly file: string; readonly expires: Date };
}

/** A worker, for `bakeserv status`. */
export interface WorkerStatus {
  readonly worker: number;
  readonly pid: number;
  readonly clients: number;
}

/** A server of several processes, which does what one of a single process does. */
export interface LedServer {
  readonly listeners: readonly LedDoor[];
  readonly clients: number;
  readonly idleMs: number;
  /** Resolves to why it must end. */
  readonly failed: Promise<Failure>;
  readonly jobs: Jobs;
  workers(): readonly WorkerStatus[];
  /** How much of the unihashes is in memory, where that is least. */
  loading(): Promise<Loading | null>;
  /** As an app has them. */
  lags(): Promise<ReturnType<App['lags']>>;
  mirrors(): Promise<readonly MirrorStatus[]>;
  /** What wants somebody. */
  warnings(): Promise<readonly Warning[]>;
  check(): Promise<readonly string[]>;
  takeOver(config: Config): Promise<TakenOver>;
  reopen(): Promise<void>;
  close(): Promise<void>;
}

/** Asked on a control socket, whose clients wait for 5 s at most. */
const QUICK_MS = 1000;
/** Starting a job waits for the disk. */
const JOBS_MS = 15_000;
/** A check may wait for a locked database. */
const CHECK_MS = 15_000;

export interface LeadOptions extends Omit<LeaderOptions, 'answer' | 'onEnd'> {
  /** Gets what ends the start: the first worker serves while the others are still starting, and answers what it has read. */
  readonly onStarting: (abandon: () => Promise<void>) => void;
}

/**
 * Starts the workers of a server; every address answers when this resolves.
 * @throws StorageError, ConfigError, AddressError, as the start of a single process, after ending whatever was started
 */
export async function leadWorkers({ onStarting, ...options }: LeadOptions): Promise<LedServer> {
  /** For those who look at the metrics now, and for the record: that watches nothing. */
  const gathered = new Gathered(async (worker, timeoutMs) => {
    return { snapshot: (await worker.ask('metrics', null, timeoutMs)) as Snapshot, methods: [] };
  });
  let counting = false;
  const forRecord = new Gathered(async (worker, timeoutMs) => {
    // One of them counts rows for all.
    const figures = await worker.ask('figures', counting && worker.number === FIRST, timeoutMs);
    return figures as Figures;
  });
  const answer = async (worker: WorkerProcess, what: Question, value: unknown): Promise<unknown> => {
    if (what === 'clients') return leader.entrance.size;
    if (what === 'jobs') return askJobs(value as JobsCall);
    if (what === 'mirrors') return mirrors();
    if (what === 'history') return historyFor(value as HistoryQuestion);
    const own = { snapshot: value as Snapshot, methods: [] };
    const led = { snapshot: await metrics.snapshot(), methods: [] };
    return (await gathered.join(leader.ready, { worker, own }, led)).snapshot;
  };
  const historyFor = ({ of, span }: HistoryQuestion) => recorder[of](span);
  /** The worker that runs jobs and mirrors; undefined while it is being replaced. */
  const firstWorker = () => leader.ready.find(({ number }) => number === FIRST);
  const askJobs = async (call: JobsCall): Promise<unknown> => {
    const first = firstWorker();
    if (!first) throw new JobsAwayError(call);
    try {
      return await first.ask('jobs', call, call.what === 'status' ? QUICK_MS : JOBS_MS);
    } catch (error) {
      throw error instanceof BakeservError && error.code === 'worker-error' ? new JobsAwayError(call, error) : error;
    }
  };
  const mirrors = async () =>
    ((await firstWorker()
      ?.ask('mirrors', null, QUICK_MS)
      .catch(() => [])) ?? []) as readonly MirrorStatus[];
  const onEnd = (worker: WorkerProcess) => {
    gathered.end(worker);
    forRecord.end(worker);
  };
  const leader = new Leader({ ...options, answer, onEnd });
  const metrics = createMetrics({
    version: packageVersion(),
    services: [],
    databases: [],
    caches: [],
    mirrors: () => [],
    jobs: new JobFigures(),
    insights: new InsightFigures(),
    loader: null,
    hub: { figures: leader.entrance.figures, heldBytes: 0 },
    workers: () => ({ serving: 0, replaced: leader.replaced }),
  });
  const recorder = new Recorder({
    async gather(withRows) {
      counting = withRows;
      return forRecord.join(leader.ready, null, { snapshot: await metrics.quietSnapshot(false), methods: [] });
    },
    async missed() {
      const { answers } = await leader.askAll('missed', null, QUICK_MS);
      return joinMisses(answers as MissCount[][], MOST_MISSED);
    },
    file: () => figuresFileOf(options.config, options.log),
    log: options.log,
  });
  leader.entrance.presence = recorder;
  onStarting(() => leader.abandon());
  try {
    await leader.start();
  } catch (error) {
    await leader.close();
    throw error;
  }
  return {
    get listeners() {
      return leader.notices.map(({ address }, i) => {
        const { report, certificate } = leader.doors[i]!;
        return { address, report, ...(certificate && { certificate }) };
      });
    },
    get clients() {
      return leader.entrance.size;
    },
    get idleMs() {
      return leader.entrance.idleMs;
    },
    failed: leader.failed,
    jobs: jobsElsewhere(askJobs),
    workers: () => leader.ready.map(({ number, pid, size }) => ({ worker: number, pid: pid!, clients: size })),
    async loading() {
      const { answers } = await leader.askAll('loading', null, QUICK_MS);
      const states = (answers as (Loading | null)[]).filter((state) => state !== null);
      return states.sort((a, b) => a.share - b.share)[0] ?? null;
    },
    async lags() {
      const { answers } = await leader.askAll('lags', null, QUICK_MS);
      return (answers[0] as ReturnType<App['lags']> | undefined) ?? { hashserv: null, prserv: null };
    },
    mirrors,
    async warnings() {
      const [worker] = leader.ready;
      return ((await worker?.ask('warnings', null, QUICK_MS).catch(() => [])) ?? []) as readonly Warning[];
    },
    async check() {
      const { answers, faults } = await leader.askAll('check', null, CHECK_MS);
      return [...new Set([...faults, ...(answers as string[][]).flat()])];
    },
    takeOver: (config) => leader.takeOver(config),
    async reopen() {
      const { faults } = await leader.askAll('reopen', null, QUICK_MS);
      if (faults.length > 0) throw new BakeservError('worker-error', faults.join('; '));
    },
    async close() {
      await recorder.close();
      metrics.close();
      await leader.close();
    },
  };
}
