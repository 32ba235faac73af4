import type { Json } from '../asyncrpc/wire/messages.ts';
import { InvokeError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { JobFigures, JobsStatus } from '../meter/job-figures.ts';
import { interruption, type LiveJob, liveJob } from './job.ts';
import type { JobAccess, JobKind } from './kind.ts';
import { openRecords } from './open-records.ts';
import { keyOf } from './policy.ts';
import type { JobArchive, JobRecord, JobState, NewJob } from './records.ts';
import { createKinds } from './registry.ts';
import { jobReply, listedJob } from './reply.ts';
import { createJobTurns } from './turns.ts';
import { createWork } from './work.ts';

/** Who asks for a job. */
export interface JobCaller {
  /** The name logged in with; null for nobody. */
  readonly user: string | null;
  readonly address: string;
  /** Whose jobs the caller may start and see; an owner may all. */
  readonly access: JobAccess;
  /** Nothing is written for this caller. */
  readonly readOnly: boolean;
}

/** What to list; from the newest on, or from before an id. */
export interface JobListing {
  readonly states: readonly JobState[] | null;
  readonly before: number | null;
  readonly limit: number;
}

/** What can be asked about jobs. Answers are as docs/jobs.md has them. */
export interface JobRequests {
  /**
   * Resolves once the job survives a kill of the server. An equal job that waits and has yet to begin is the same: then its
   * id is answered, and `joined` is true.
   * @throws InvokeError when it is refused
   */
  start(caller: JobCaller, kind: string, parameters: Json): Promise<{ id: number; joined: boolean }>;
  list(caller: JobCaller, what: JobListing): Promise<Json>;
  /** @throws InvokeError when there is no such job for the caller */
  show(caller: JobCaller, id: number, withLog: boolean): Promise<Json>;
  /** Stops the job at its next slice. Resolves to what `show` does, at once. */
  cancel(caller: JobCaller, id: number): Promise<Json>;
  /** How they are, for those who look after the server. */
  status(): Promise<JobsStatus>;
  /** Goes on with the jobs of an earlier start. Never rejects. */
  resume(): Promise<void>;
  /** Running jobs stop at the next slice, and go on after the next start. */
  close(graceMs: number): Promise<void>;
}

/** The jobs of a server, with the kinds it has (late.ts loads them). */
export interface LoadedJobs extends JobRequests {
  register(kind: JobKind): void;
  readonly kinds: Iterable<JobKind>;
}

export interface JobsOptions {
  readonly archive: JobArchive;
  /** How many run at once. */
  readonly workers: number;
  readonly maxWaiting: number;
  readonly figures: JobFigures;
  /** After so long it is tried again to store the end of a job; half a minute if absent. */
  readonly saveAgainMs?: number;
  readonly log: Logger;
}

const SAVE_AGAIN_MS = 30_000;

export function createJobs(options: JobsOptions): LoadedJobs {
  const { archive, workers, maxWaiting, figures, log, saveAgainMs = SAVE_AGAIN_MS } = options;
  const kinds = createKinds();
  const live = new Map<number, LiveJob>();
  /** Jobs that wait and have yet to begin, and those that are being stored, by their kind and parameters. */
  const fresh = new Map<string, { readonly access: JobAccess; readonly id: Promise<number> }>();
  const turns = createJobTurns(workers);
  const opening = openRecords(archive, log);
  const work = createWork({ records: opening, forget: (id) => void live.delete(id), figures, saveAgainMs, log });
  let closing = false;

  const sees = (caller: JobCaller, access: JobAccess) => caller.access === 'owner' || caller.access === access;

  /** Of each separately: clients of one service must not keep the others, or the owner, from theirs. */
  function waitingFor(access: JobAccess): number {
    let waiting = 0;
    for (const each of fresh.values()) if (each.access === access) waiting++;
    return waiting;
  }

  function enqueue(job: LiveJob): void {
    live.set(job.record.id, job);
    figures.watch(job.record);
    turns.add(job.record, () => {
      if (job.key !== null) fresh.delete(job.key);
      return closing ? Promise.resolve() : work(job);
    });
  }

  /** A job of an earlier start. */
  async function goOn(record: JobRecord): Promise<void> {
    const { id } = record;
    const kind = kinds.get(record.kind);
    const lines = await opening.use((records) => records.log(id));
    const why = interruption(record, kind, kinds.check);
    if (why !== null) {
      const ended = new Date().toISOString();
      Object.assign(record, { state: 'interrupted', error: why, ended });
      figures.end(record, 'interrupted', ended, null);
      await opening.use((records) => records.save(record, lines));
      return log.warn('job interrupted', { job: id, kind: record.kind, error: why });
    }
    record.state = 'waiting';
    log.info('job goes on', { job: id, kind: record.kind, done: record.done });
    if (record.started !== null) {
      record.resumes++;
      return enqueue(liveJob(record, kind!, null, lines));
    }
    const key = keyOf(record.kind, record.parameters);
    fresh.set(key, { access: record.access, id: Promise.resolve(id) });
    enqueue(liveJob(record, kind!, key, lines));
  }

  /** The kind, after everything that could be refused. */
  function admit(caller: JobCaller, name: string, parameters: Json): { kind: JobKind; access: JobAccess } {
    const kind = kinds.get(name);
    if (!kind) {
      const known = [...kinds.all].map((each) => each.name).sort();
      throw new InvokeError(
        `job-start: there is no kind of job ${JSON.stringify(name.slice(0, 64))} here; there are ${known.join(', ') || 'none'}`,
        undefined,
        'invalid',
      );
    }
    kinds.check(kind, parameters);
    const access = kind.access(parameters);
    if (!sees(caller, access)) throw notForYou(name, access);
    if (caller.readOnly && !kind.writesElsewhere && kind.writes(parameters) !== null)
      throw new InvokeError(`This server is read-only: the job ${name} would write`, undefined, 'read-only');
    return { kind, access };
  }

  async function store(caller: JobCaller, kind: JobKind, access: JobAccess, parameters: Json, key: string) {
    const { user, address } = caller;
    const job: NewJob = {
      ...{ kind: kind.name, parameters, access, writes: kind.writes(parameters), user, address },
      ...{ created: new Date().toISOString(), state: 'waiting', started: null, ended: null },
      ...{ position: null, done: 0, total: null, result: null, error: null, resumes: 0 },
    };
    const id = await opening.use((records) => records.add(job));
    log[kind.isRoutine ? 'debug' : 'info']('job accepted', {
      job: id,
      kind: kind.name,
      user: user ?? 'anonymous',
      peer: address,
    });
    // It is on disk: a server that is stopping runs it after its next start.
    if (!closing) enqueue(liveJob({ ...job, id }, kind, key));
    return id;
  }

  async function find(caller: JobCaller, id: number): Promise<{ record: JobRecord; running: LiveJob | null }> {
    const running = live.get(id) ?? null;
    const record = running?.record ?? (opening.mayExist() ? await opening.use((records) => records.find(id)) : null);
    if (record && sees(caller, record.access)) return { record, running };
    throw new InvokeError(`there is no job ${id} here`, undefined, 'missing');
  }

  return {
    register: (kind) => kinds.add(kind),
    get kinds() {
      return kinds.all;
    },

    async start(caller, name, parameters) {
      const { kind, access } = admit(caller, name, parameters);
      if (closing) throw new InvokeError('the server is stopping', undefined, 'unavailable');
      const key = keyOf(name, parameters);
      const equal = fresh.get(key);
      if (equal) return { id: await equal.id, joined: true };
      if (waitingFor(access) >= maxWaiting)
        throw new InvokeError(
          `job-start: ${maxWaiting} jobs wait already (--max-waiting-jobs): wait for them, or cancel some`,
        );
      const stored = store(caller, kind, access, parameters, key);
      fresh.set(key, { access, id: stored });
      try {
        return { id: await stored, joined: false };
      } catch (error) {
        fresh.delete(key);
        throw error;
      }
    },

    async list(caller, { states, before, limit }) {
      if (!opening.mayExist()) return { jobs: [], next: null };
      const access = caller.access === 'owner' ? null : caller.access;
      const page = await opening.use((records) => records.page({ access, states, before, limit }));
      const jobs = page.map((each) => listedJob(live.get(each.id)?.record ?? each, live.get(each.id) ?? null));
      return { jobs, next: page.length < limit ? null : page.at(-1)!.id };
    },

    async show(caller, id, withLog) {
      const { record, running } = await find(caller, id);
      const lines = withLog ? (running?.log ?? (await opening.use((records) => records.log(id)))) : null;
      return { ...jobReply(record, running), ...(lines && { log: [...lines] }) };
    },

    async cancel(caller, id) {
      const { record, running } = await find(caller, id);
      if (!running || (record.state !== 'waiting' && record.state !== 'running'))
        throw new InvokeError(`job ${id} is not running any more: it is ${record.state}`);
      if (caller.readOnly && !running.kind.writesElsewhere && record.writes !== null)
        throw new InvokeError(`This server is read-only: the job ${id} writes`, undefined, 'read-only');
      running.stop.abort('cancel');
      if (turns.remove(id)) {
        if (running.key !== null) fresh.delete(running.key);
        await work(running);
      }
      return jobReply(record, running);
    },

    status: async () => figures.status,

    async resume() {
      if (!archive.exists()) return;
      try {
        const unfinished = await opening.use((records) => records.unfinished());
        for (const record of unfinished) await goOn(record);
        if (unfinished.length === 0 && live.size === 0) await opening.close(false);
      } catch (error) {
        // It was logged, and is told to whoever asks for a job; builds go on.
        log.debug('jobs of an earlier start are not looked at', { error });
      }
    },

    async close(graceMs) {
      closing = true;
      for (const { record, stop } of live.values()) if (record.state === 'running') stop.abort('shutdown');
      let late: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        late = setTimeout(resolve, graceMs);
      });
      await Promise.race([turns.stop(), patience]);
      clearTimeout(late);
      await opening.close(true);
    },
  };
}

function notForYou(name: string, access: JobAccess): InvokeError {
  const why =
    access === 'owner'
      ? `it names files of the server's machine: only the user that the server runs as may start it, with "bakeserv jobs start" there`
      : `it is for clients of the ${access === 'hashserv' ? 'hash equivalence' : 'PR'} service`;
  return new InvokeError(`job-start: ${name}: ${why}`, undefined, 'denied');
}
