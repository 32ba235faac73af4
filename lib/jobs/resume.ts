import type { JobKind } from './kind.ts';
import type { JobRecord } from './records.ts';

/** A job that brings the server down each time must not do so for ever. */
const MOST_RESUMES = 3;

const AGAIN = 'what it has done stays; start it again if it is still wanted';

/**
 * Why a job of an earlier start cannot go on, and what to do; null when it can. One that had yet to begin just waits again.
 * @param kind as this server has it
 */
export function interruption(
  { kind: name, parameters, writes, started, resumes, access }: JobRecord,
  kind: JobKind | undefined,
): string | null {
  if (!kind) return `this server has no jobs of the kind ${name} now; ${AGAIN}`;
  if (kind.access(parameters as never) !== access || kind.writes(parameters as never) !== writes)
    return `it was for the database ${writes ?? 'of then'}, and the server has another now; ${AGAIN}`;
  if (started === null) return null;
  if (!kind.resumable) return `the server ended while it ran, and a job of this kind cannot go on; ${AGAIN}`;
  if (resumes >= MOST_RESUMES)
    return `the server ended ${resumes} times before it got further; look into the server's log; ${AGAIN}`;
  return null;
}
