import { InvokeError } from '../errors.ts';
import type { JobsStatus } from '../meter/job-figures.ts';
import type { JobRequests } from './jobs.ts';
import { type JobKindSource, type Jobs, loadKinds } from './late.ts';

type AskedOfJobs = 'start' | 'list' | 'show' | 'cancel' | 'status';

/** What is asked of jobs, with its arguments. */
export type JobsCall = {
  readonly [Asked in AskedOfJobs]: {
    readonly what: Asked;
    readonly args: Parameters<JobRequests[Asked]>;
  };
}[AskedOfJobs];

/** How an error ends that is over in a moment, while the process that runs the jobs is being replaced. */
const ASK_AGAIN = ': ask again';

/** The process that runs jobs is not there, or has ended with the question in hand. */
export class JobsAwayError extends InvokeError {
  constructor(call: JobsCall, cause?: unknown) {
    const wasHeard = cause !== undefined && (call.what === 'start' || call.what === 'cancel');
    const what = wasHeard ? 'was replaced before it answered, job-list tells whether it was done' : 'is being replaced';
    super(`the process that runs jobs ${what}${ASK_AGAIN}`, cause, 'unavailable');
  }
}

/** Whether it is that, as somebody else is told it: only a look may simply be asked again. */
export function isJobsAway(error: unknown): boolean {
  return error instanceof InvokeError && error.message.endsWith(ASK_AGAIN);
}

/**
 * The jobs of a server that another of its processes runs: their file is that process's alone.
 * @param ask has them answer there; rejects as they do
 */
export function jobsElsewhere(ask: (call: JobsCall) => Promise<unknown>): Jobs {
  const sources: JobKindSource[] = [];
  return {
    register: (source) => void sources.push(source),
    kinds: () => loadKinds(sources),
    start: (...args) => ask({ what: 'start', args }) as ReturnType<Jobs['start']>,
    list: (...args) => ask({ what: 'list', args }) as ReturnType<Jobs['list']>,
    show: (...args) => ask({ what: 'show', args }) as ReturnType<Jobs['show']>,
    cancel: (...args) => ask({ what: 'cancel', args }) as ReturnType<Jobs['cancel']>,
    status: (...args) => ask({ what: 'status', args }) as Promise<JobsStatus>,
    async resume() {},
    async close() {},
  };
}

/** Answers what was asked of jobs elsewhere. */
export function answerJobs(jobs: JobRequests, call: JobsCall): Promise<unknown> {
  if (call.what === 'start') return jobs.start(...call.args);
  if (call.what === 'list') return jobs.list(...call.args);
  if (call.what === 'show') return jobs.show(...call.args);
  if (call.what === 'cancel') return jobs.cancel(...call.args);
  return jobs.status();
}
