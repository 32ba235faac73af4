import { setTimeout as pause } from 'node:timers/promises';
import { clientMessage, isFault } from '../asyncrpc/faults.ts';
import { BakeservError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { JobFigures, JobOutcome } from '../meter/job-figures.ts';
import { addLine, type LiveJob, type StopReason } from './job.ts';
import type { OpeningRecords } from './open-records.ts';
import type { JobRecord } from './records.ts';
import { runJob } from './run-job.ts';

export interface WorkOptions {
  readonly records: OpeningRecords;
  /** A job has ended and is stored. */
  readonly forget: (id: number) => void;
  readonly figures: JobFigures;
  readonly saveAgainMs: number;
  readonly log: Logger;
}

/** What a worker does with a job from its turn on. Never rejects. */
export function createWork({
  records,
  forget,
  figures,
  saveAgainMs,
  log,
}: WorkOptions): (job: LiveJob) => Promise<void> {
  /** False when it could not be stored: the job goes on, and is stored the next time. */
  async function save({ record, log: lines }: LiveJob): Promise<boolean> {
    try {
      await records.use((each) => each.save(record, lines));
      return true;
    } catch (error) {
      if (!(error instanceof BakeservError)) throw error;
      log.warn('what a job has come to is not stored yet', { job: record.id, error });
      return false;
    }
  }

  /** Runs it, and sets what it came to. */
  async function run(job: LiveJob): Promise<void> {
    const { record, stop } = job;
    try {
      const ended = await runJob(job, async () => void (await save(job)));
      if (ended === 'stopped') setStopped(job, stop.signal.reason);
      else Object.assign(record, { state: 'done', result: ended.result });
    } catch (error) {
      Object.assign(record, { state: 'failed', error: messageFor(record, error) });
      if (isFault(error) && !job.kind.isRoutine) log.error('job failed', { job: record.id, kind: record.kind, error });
    }
  }

  /** What has ended would be begun again after the next start. */
  async function saveLater(job: LiveJob): Promise<void> {
    while (!records.isClosed) {
      await pause(saveAgainMs, undefined, { ref: false });
      if (await save(job)) return forget(job.record.id);
    }
  }

  return async (job) => {
    const { record, kind, stop } = job;
    try {
      if (stop.signal.aborted) setStopped(job, stop.signal.reason);
      else {
        addLine(job, record.started === null ? 'begun' : `goes on, ${record.done} ${kind.counts} done`);
        job.begun = { done: record.done, at: performance.now() };
        record.started ??= new Date().toISOString();
        record.state = 'running';
        await save(job);
        await run(job);
      }
      end(job, figures, log);
      if (await save(job)) forget(record.id);
      else saveLater(job).catch((error) => log.error('job not stored', { job: record.id, error }));
    } catch (error) {
      log.error('job failed', { job: record.id, kind: record.kind, error });
      Object.assign(record, { state: 'failed', error: clientMessage(error) });
    }
  };
}

function setStopped({ record, kind }: LiveJob, reason: StopReason): void {
  if (reason === 'cancel') record.state = 'cancelled';
  else if (kind.resumable) record.state = 'waiting';
  else {
    record.state = 'interrupted';
    record.error = 'the server was stopped while it ran; what it has done stays; start it again if it is still wanted';
  }
}

function end(job: LiveJob, figures: JobFigures, log: Logger): void {
  const { record } = job;
  const { id, kind, state, done, error } = record;
  const level = job.kind.isRoutine ? 'debug' : 'info';
  if (state === 'waiting') return addLine(job, 'stopped with the server; goes on after its next start');
  record.ended = new Date().toISOString();
  const { begun } = job;
  figures.end(record, state as JobOutcome, record.ended, begun && (performance.now() - begun.at) / 1000);
  addLine(job, error === null ? state : `${state}: ${error}`);
  log[level](`job ${state}`, { job: id, kind, done, result: shortly(record), ...(error !== null && { error }) });
}

/** The owner of the server may know which file or database it was, as he would in its log. */
function messageFor({ access }: JobRecord, error: unknown): string {
  return access === 'owner' && error instanceof BakeservError ? error.message : clientMessage(error);
}

const shortly = ({ result }: JobRecord) => JSON.stringify(result)?.slice(0, 256);
