import type { Json } from '../asyncrpc/wire/messages.ts';
import type { LiveJob } from './job.ts';
import type { JobRecord, ListedRecord } from './records.ts';

type Reply = { [key: string]: Json };

/** A job as clients see it (docs/jobs.md). */
export function jobReply(record: JobRecord, live: LiveJob | null): Reply {
  return { ...commonReply(record, live), result: record.result, error: record.error };
}

/** As jobReply, for a list of jobs: without its result, and of long texts and lists the beginning. */
export function listedJob(record: ListedRecord, live: LiveJob | null): Reply {
  const { parameters, error } = record;
  return {
    ...commonReply(record, live),
    parameters: shortened(parameters),
    error: error && beginningOf(error, MOST_OF_ERROR),
  };
}

function commonReply(record: ListedRecord, live: LiveJob | null): Reply {
  const { id, kind, parameters, state, user, address, created, started, ended } = record;
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
    progress: progressOf(record, live, performance.now()),
  };
}

/** What is shown in a list of a list in parameters, and of texts, in characters. */
const MOST_LISTED = 20;
const MOST_OF_TEXT = 200;
const MOST_OF_ERROR = 1000;

/** By its beginning: 100 jobs with the parameters and errors that each may have would be a message of megabytes. */
function shortened(value: Json): Json {
  if (typeof value === 'string') return beginningOf(value, MOST_OF_TEXT);
  if (value === null || typeof value !== 'object') return value;
  if (!Array.isArray(value))
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shortened(each)]));
  const more = value.length - MOST_LISTED;
  const shown = value.slice(0, MOST_LISTED).map(shortened);
  return more > 0 ? [...shown, `and ${more} more`] : shown;
}

function beginningOf(text: string, most: number): string {
  // Half of a pair is no text.
  return text.length > most ? `${text.slice(0, most).replace(/[\ud800-\udbff]$/, '')}…` : text;
}

/** How far it has come, how fast, and how long it still takes as far as that can be told. */
function progressOf({ done, total, state }: ListedRecord, live: LiveJob | null, now: number): { [key: string]: Json } {
  const begun = state === 'running' ? live?.begun : null;
  const seconds = begun ? (now - begun.at) / 1000 : 0;
  const rate = begun && seconds > 0 ? (done - begun.done) / seconds : null;
  const left = rate !== null && rate > 0 && total !== null ? Math.max(0, total - done) / rate : null;
  const rounded = (value: number | null) => (value === null ? null : Math.round(value * 10) / 10);
  return { done, total, unit: live?.kind.counts ?? null, rate: rounded(rate), seconds_left: rounded(left) };
}
