import type { Json } from '../../asyncrpc/wire/messages.ts';
import { AddressError } from '../../errors.ts';
import { isJobsAway } from '../../jobs/elsewhere.ts';
import { createProgress } from '../client/progress.ts';
import { askJobs } from '../process/control-client.ts';

/** A job as the server tells it (docs/jobs.md). */
export interface Job {
  readonly id: number;
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted';
  readonly error: string | null;
  readonly result: Json;
  readonly progress: { readonly done: number; readonly total: number | null };
}

const LOOK_EVERY_MS = 200;

/** Starts a job; resolves to its number. @throws InvokeError when it is refused */
export async function startJob(control: string, kind: string, parameters: Json): Promise<number> {
  return ((await askJobs(control, 'job-start', { kind, parameters })) as unknown as { id: number }).id;
}

/** Waits for the end of a job, and shows how far it is. @throws AddressError when the server ends first */
export async function waitForJob(control: string, id: number, what: string): Promise<Job> {
  let progress: Awaited<ReturnType<typeof createProgress>> | null = null;
  let shown = 0;
  try {
    for (;;) {
      const job = await show(control, id);
      if (job.state !== 'waiting' && job.state !== 'running') return job;
      const { done, total } = job.progress;
      progress ??= await createProgress(what, total);
      if (total !== null) progress.setTotal(total);
      progress.add(done - shown);
      shown = done;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  } finally {
    progress?.stop();
  }
}

/** The next process that runs jobs has taken over by then. */
const REPLACED_MS = 30_000;

/** A look at jobs, which goes on while the process that runs them is being replaced (`--workers`). */
export async function untilAnswered<T>(look: () => Promise<T>, patienceMs = REPLACED_MS): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (!isJobsAway(error) || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }
}

async function show(control: string, id: number): Promise<Job> {
  try {
    return (await untilAnswered(() => askJobs(control, 'job-show', { id }))) as unknown as Job;
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new AddressError(`the server has ended; job ${id} goes on after its next start`, error);
  }
}
