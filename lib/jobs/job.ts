import type { Json } from '../asyncrpc/wire/messages.ts';
import { InvokeError, printable } from '../errors.ts';
import type { JobKind } from './kind.ts';
import type { JobRecord } from './records.ts';

export const LOG_LINES = 200;
const LOG_CHARACTERS = 300;

/** A job that waits or runs. */
export interface LiveJob {
  readonly record: JobRecord;
  readonly kind: JobKind;
  /** What an equal job has too; null once it has begun in an earlier start, as another would not do the same. */
  readonly key: string | null;
  /** Aborted with the reason why the job must stop. */
  readonly stop: AbortController;
  readonly log: string[];
  /** What had been done when it was begun in this process, and when, by performance.now(); null: it has not begun. */
  begun: { readonly done: number; readonly at: number } | null;
}

/** Why a job is stopped: its user wants that, or the server ends. */
export type StopReason = 'cancel' | 'shutdown';

export function liveJob(record: JobRecord, kind: JobKind, key: string | null, log: readonly string[] = []): LiveJob {
  return { record, kind, key, stop: new AbortController(), log: [...log], begun: null };
}

/** A line with its time. What comes from elsewhere may hold anything: no control character gets into the log. */
export function addLine({ log }: LiveJob, text: string, now = new Date()): void {
  log.push(`${now.toISOString()} ${printable(text.slice(0, LOG_CHARACTERS))}`);
  if (log.length > LOG_LINES) log.shift();
}

/** A job that brings the server down each time must not do so for ever. */
const MOST_RESUMES = 3;

const AGAIN = 'what it has done stays; start it again if it is still wanted';

/**
 * Why a job of an earlier start cannot go on, and what to do; null when it can. One that had yet to begin just waits again.
 * @param kind as this server has it
 * @param check of its parameters: another version may have stored it. What this one does not know of them would be left out,
 * and more be removed than was meant.
 */
export function interruption(
  { kind: name, parameters, writes, started, resumes, access }: JobRecord,
  kind: JobKind | undefined,
  check: (kind: JobKind, parameters: Json) => void,
): string | null {
  if (!kind) return `this server has no jobs of the kind ${name} now; ${AGAIN}`;
  try {
    check(kind, parameters);
  } catch (error) {
    if (!(error instanceof InvokeError)) throw error;
    return `its parameters are none that this server takes now (${error.message}); ${AGAIN}`;
  }
  if (kind.access(parameters as never) !== access || kind.writes(parameters as never) !== writes)
    return `it was for the database ${writes ?? 'of then'}, and the server has another now; ${AGAIN}`;
  if (started === null) return null;
  if (!kind.resumable) return `the server ended while it ran, and a job of this kind cannot go on; ${AGAIN}`;
  if (resumes >= MOST_RESUMES)
    return `the server ended ${resumes} times before it got further; look into the server's log; ${AGAIN}`;
  return null;
}
