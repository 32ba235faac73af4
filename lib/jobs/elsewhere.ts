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
