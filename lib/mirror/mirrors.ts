import { setTimeout as pause } from 'node:timers/promises';
import type { JobCaller, JobRequests } from '../jobs/jobs.ts';
import type { Logger } from '../log.ts';
import type { MirrorStatus } from '../meter/mirror-status.ts';
import type { MirrorConfig } from '../settings/publishing/mirror-settings.ts';
import { Mirror } from './mirror.ts';
import { createRounds, type Rounds } from './rounds.ts';

/** As whom runs are started, for the list of jobs. */
const CALLER: JobCaller = { user: '--mirror', address: 'this server', access: 'owner', readOnly: false };

/** How often a job is looked at that runs: at first, and at most. */
const LOOK_MS = 50;
const MOST_MS = 1000;
/** Jobs that are looked through for one that an earlier start has left; more never wait. */
const LISTED = 100;

type Asked = Pick<JobRequests, 'start' | 'list' | 'show' | 'cancel'>;

interface Job {
  readonly id: number;
  readonly kind: string;
  readonly state: string;
  readonly parameters: { readonly source?: string };
}

/** The servers that this one keeps itself level with. Each is mirrored by jobs, one after the other. */
export class Mirrors {
  private readonly jobs: Asked;
  private readonly log: Logger;
  private readonly mirrors = new Map<string, { readonly mirror: Mirror; readonly rounds: Rounds }>();
  private readonly stop = new AbortController();
  private begun = false;

  constructor(jobs: Asked, log: Logger) {
    this.jobs = jobs;
    this.log = log;
  }

  /** Takes over which there are; one that is as it was goes on. */
  use(configs: readonly MirrorConfig[]): void {
    const before = new Map(this.mirrors);
    this.mirrors.clear();
    for (const config of configs) {
      const known = before.get(config.source);
      const isSame = known && JSON.stringify(known.mirror.config) === JSON.stringify(config);
      this.mirrors.set(config.source, isSame ? known : this.create(config));
    }
    for (const { mirror, rounds } of before.values()) {
      const { source } = mirror.config;
      if (this.mirrors.get(source)?.rounds === rounds) continue;
      rounds.close();
      if (!this.mirrors.has(source)) void this.drop(source);
    }
    if (this.begun) this.begin();
  }

  find(source: string): Mirror | null {
    return this.mirrors.get(source)?.mirror ?? null;
  }

  get status(): readonly MirrorStatus[] {
    return [...this.mirrors.values()].map(({ mirror }) => mirror.status);
  }

  begin(): void {
    this.begun = true;
    for (const { rounds } of this.mirrors.values()) rounds.begin();
  }

  /** No run is started any more; one that runs is stopped with the jobs. */
  close(): void {
    this.stop.abort();
    for (const { rounds } of this.mirrors.values()) rounds.close();
  }

  private create(config: MirrorConfig): { mirror: Mirror; rounds: Rounds } {
    const mirror = new Mirror(config, this.log);
    return { mirror, rounds: createRounds(config.everyMs, () => this.round(mirror)) };
  }

  /** False where it failed. One that was cancelled comes again when it would have. */
  private async round(mirror: Mirror): Promise<boolean> {
    const { source } = mirror.config;
    try {
      // What an earlier start has begun comes first: it says nothing of what is new since.
      for (const id of await this.unfinished(source)) await this.untilOver(id);
      const { id } = await this.jobs.start(CALLER, 'mirror', { source });
      return (await this.untilOver(id)) !== 'failed';
    } catch (error) {
      if (!this.stop.signal.aborted) {
        const run = mirror.begin(true);
        run.failed(error);
        run.over();
      }
      return false;
    }
  }

  /** Its runs go on where the jobs cannot be asked: what they take does no harm. */
  private async drop(source: string): Promise<void> {
    try {
      for (const id of await this.unfinished(source)) await this.jobs.cancel(CALLER, id);
    } catch (error) {
      this.log.debug('the job of a mirror that is gone was not cancelled', { source, error });
    }
  }

  private async unfinished(source: string): Promise<readonly number[]> {
    const what = { states: ['waiting', 'running'], before: null, limit: LISTED } as const;
    const { jobs } = (await this.jobs.list(CALLER, what)) as unknown as { jobs: readonly Job[] };
    return jobs.filter(({ kind, parameters }) => kind === 'mirror' && parameters.source === source).map(({ id }) => id);
  }

  private async untilOver(id: number): Promise<string> {
    for (let waitMs = LOOK_MS; ; waitMs = Math.min(MOST_MS, waitMs * 1.5)) {
      const { state } = (await this.jobs.show(CALLER, id, false)) as unknown as Job;
      if (state !== 'waiting' && state !== 'running') return state;
      await pause(waitMs, undefined, { ref: false, signal: this.stop.signal });
    }
  }
}
