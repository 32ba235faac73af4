import type { Json } from '../asyncrpc/wire/messages.ts';
import type { LiveJob } from './job.ts';
import type { JobRecord } from './records.ts';

/** A job as clients see it (docs/jobs.md). */
export function jobReply(record: JobRecord, live: LiveJob | null, now = performance.now()): { [key: string]: Json } {
  const { id, kind, parameters, state, user, address, created, started, ended, result, error } = record;
  return {
    id,
    kind,
    parameters,
    state,
    ...(live?.stop.signal.reason === 'cancel' && { cancelling: true }),
    user,
    address,
    created,
    started,
    ended,
    progress: progressOf(record, live, now),
    result,
    error,
  };
}

/** A long list in parameters is shown by its beginning where jobs are listed. */
const MOST_LISTED = 20;

/** As jobReply, for a list of jobs. */
export function listedJob(record: JobRecord, live: LiveJob | null): { [key: string]: Json } {
  const { parameters } = record;
  if (parameters === null || typeof parameters !== 'object') return jobReply(record, live);
  const shown = Object.entries(parameters).map(([name, value]) => {
    const more = Array.isArray(value) ? value.length - MOST_LISTED : 0;
    return [name, more > 0 ? [...(value as Json[]).slice(0, MOST_LISTED), `and ${more} more`] : value];
  });
  return { ...jobReply(record, live), parameters: Object.fromEntries(shown) };
}

/** How far it has come, how fast, and how long it still takes as far as that can be told. */
function progressOf({ done, total, state }: JobRecord, live: LiveJob | null, now: number): { [key: string]: Json } {
  const begun = state === 'running' ? live?.begun : null;
  const seconds = begun ? (now - begun.at) / 1000 : 0;
  const rate = begun && seconds > 0 ? (done - begun.done) / seconds : null;
  const left = rate !== null && rate > 0 && total !== null ? Math.max(0, total - done) / rate : null;
  const rounded = (value: number | null) => (value === null ? null : Math.round(value * 10) / 10);
  return { done, total, unit: live?.kind.counts ?? null, rate: rounded(rate), seconds_left: rounded(left) };
}
