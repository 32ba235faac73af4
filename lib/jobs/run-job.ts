import { setImmediate } from 'node:timers/promises';
import type { Json } from '../asyncrpc/wire/messages.ts';
import { addLine, type LiveJob } from './job.ts';
import type { Slice } from './kind.ts';

/** How often the position of a running job is stored. */
const SAVE_EVERY_MS = 2000;

/** How a run ended: with its result, or because the job was stopped. */
export type Ended = { readonly result: Json } | 'stopped';

/**
 * Runs a job slice by slice, from where it was, until it ends or must stop.
 * @param save stores the record; resolves when it is on disk
 * @throws what the kind throws
 */
export async function runJob(job: LiveJob, save: () => Promise<void>): Promise<Ended> {
  const { record, kind, stop } = job;
  const { signal } = stop;
  const { id, parameters } = record;
  const slices = kind.run({ id, parameters, signal, note: (text) => addLine(job, text) }, record.position);
  let savedAt = performance.now();
  try {
    while (!signal.aborted) {
      const step = await slices.next();
      if (step.done) return { result: step.value };
      take(job, step.value);
      if (step.value.save || performance.now() - savedAt >= SAVE_EVERY_MS) {
        await save();
        savedAt = performance.now();
      }
      // Also where a slice waited for nothing: clients have their turn.
      await setImmediate();
    }
    return 'stopped';
  } catch (error) {
    // Whatever it waited for was given up.
    if (signal.aborted) return 'stopped';
    throw error;
  } finally {
    await slices.return(null).catch(() => {});
  }
}

function take({ record }: LiveJob, { position, done, total, soFar }: Slice): void {
  // One that begins again each time has not got further by its first slice.
  if (position !== null) record.resumes = 0;
  record.position = position;
  record.done = done;
  record.total = total;
  record.result = soFar;
}
