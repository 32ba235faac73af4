import { Histogram } from './histogram.ts';

/** How a job ended. */
export type JobOutcome = (typeof JOB_OUTCOMES)[number];
export const JOB_OUTCOMES = ['done', 'failed', 'cancelled', 'interrupted'] as const;

/** Upper bounds, in seconds, for what takes from a look at a file to a copy of a night. */
const DURATIONS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 43_200];

/** What is looked at of a job. It changes with the job. */
export interface WatchedJob {
  readonly id: number;
  readonly kind: string;
  readonly state: string;
  /** ISO 8601, UTC. */
  readonly created: string;
}

/** What is counted of a kind of job. */
export interface KindFigures {
  readonly ended: Record<JobOutcome, number>;
  /** From its start in this process to its end, of those that were begun. */
  readonly seconds: Histogram;
}

/** How the jobs of a server are, as `bakeserv status --json` has it. Times are ISO 8601, UTC. */
export interface JobsStatus {
  /** How many run, by kind; and how many wait. */
  readonly running: Readonly<Record<string, number>>;
  readonly waiting: Readonly<Record<string, number>>;
  /** Since when the oldest of them waits. */
  readonly waiting_since: string | null;
  /** Since the start of the server. One that the end of a server interrupted has failed too. */
  readonly last_failed: { readonly id: number; readonly kind: string; readonly ended: string } | null;
}

/** The jobs of a server in numbers. */
export class JobFigures {
  /** Those of which there was one since the start. */
  readonly kinds = new Map<string, KindFigures>();
  private readonly live = new Map<number, WatchedJob>();
  private lastFailed: JobsStatus['last_failed'] = null;

  /** A job waits, or runs. */
  watch(job: WatchedJob): void {
    this.live.set(job.id, job);
    this.of(job.kind);
  }

  /** @param seconds how long it ran; null for one that was not begun */
  end({ id, kind }: WatchedJob, outcome: JobOutcome, ended: string, seconds: number | null): void {
    this.live.delete(id);
    const figures = this.of(kind);
    figures.ended[outcome]++;
    if (seconds !== null) figures.seconds.observe(seconds);
    if (outcome === 'failed' || outcome === 'interrupted') this.lastFailed = { id, kind, ended };
  }

  /** How many are in a state, by kind. */
  count(state: 'waiting' | 'running'): Map<string, number> {
    const counts = new Map<string, number>();
    for (const job of this.live.values())
      if (job.state === state) counts.set(job.kind, (counts.get(job.kind) ?? 0) + 1);
    return counts;
  }

  /** When the oldest that waits was asked for; null when none does. */
  get waitingSince(): string | null {
    let oldest: string | null = null;
    for (const { state, created } of this.live.values())
      if (state === 'waiting' && (oldest === null || created < oldest)) oldest = created;
    return oldest;
  }

  get status(): JobsStatus {
    return {
      running: Object.fromEntries(this.count('running')),
      waiting: Object.fromEntries(this.count('waiting')),
      waiting_since: this.waitingSince,
      last_failed: this.lastFailed,
    };
  }

  private of(kind: string): KindFigures {
    let figures = this.kinds.get(kind);
    if (!figures) {
      figures = { ended: { done: 0, failed: 0, cancelled: 0, interrupted: 0 }, seconds: new Histogram(DURATIONS) };
      this.kinds.set(kind, figures);
    }
    return figures;
  }
}
