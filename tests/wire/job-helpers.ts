import { setImmediate } from 'node:timers/promises';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { askAsOwner } from '../../lib/jobs/owner.ts';
import type { App } from '../../lib/server.ts';

/** A job as its owner sees it. */
export interface OwnedJob {
  readonly state: string;
  readonly result: Json;
  readonly error: string | null;
  readonly log: readonly string[];
}

/** Runs a job as the server's owner, to its end. */
export async function runJob(app: App, kind: string, parameters: Json, readOnly = false): Promise<OwnedJob> {
  const ask = askAsOwner(app.jobs, () => 'me', readOnly);
  const { id } = (await ask('job-start', { kind, parameters })) as { id: number };
  for (;;) {
    const job = (await ask('job-show', { id, log: true })) as unknown as OwnedJob;
    if (job.state !== 'waiting' && job.state !== 'running') return job;
    await setImmediate();
  }
}
