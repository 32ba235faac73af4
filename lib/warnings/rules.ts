import type { JobsStatus } from '../meter/job-figures.ts';
import type { MirrorStatus } from '../meter/mirror-status.ts';

/** What wants somebody. */
export interface Warning {
  readonly code: WarningCode;
  readonly severity: 'critical' | 'warning';
  /** A sentence, fit for everybody who may read. */
  readonly text: string;
  /** What it is about, by its file or address: for those who look after the server. Null where the text says all. */
  readonly subject: string | null;
  /** Since when, as far as that is known; ISO 8601, UTC. */
  readonly since: string | null;
}

export type WarningCode =
  | 'certificate-ended'
  | 'certificate-ends'
  | 'database-failed'
  | 'database-unwritable'
  | 'disk-full'
  | 'upstream-away'
  | 'mirror-behind'
  | 'job-failed'
  | 'gc-overdue'
  | 'no-backup';

/** In the order in which they are told. */
export const WARNING_CODES: readonly WarningCode[] = [
  'certificate-ended',
  'certificate-ends',
  'database-failed',
  'database-unwritable',
  'disk-full',
  'upstream-away',
  'mirror-behind',
  'job-failed',
  'gc-overdue',
  'no-backup',
];

/** What the rules look at. Times are in milliseconds since 1970. */
export interface WarningFacts {
  readonly now: number;
  readonly certificates: readonly { readonly address: string; readonly expires: number }[];
  readonly databases: readonly {
    /** As people call it. */
    readonly name: string;
    readonly file: string;
    /** `ok`, or what is wrong; null: not looked. */
    readonly read: string | null;
    /** `ok`, `read-only` where nothing must be written, or what is wrong. */
    readonly write: string | null;
    /** Null where that is not known, as on a database server. */
    readonly freeBytes: number | null;
    /** The newest backup that is known, otherwise when the file was made; null where it is nobody's task here. */
    readonly backedUp: number | null;
  }[];
  /** Names of services, with the address of the upstream, whose upstream does not answer. */
  readonly away: readonly { readonly name: string; readonly address: string | null }[];
  readonly mirrors: readonly MirrorStatus[];
  readonly lastFailedJob: JobsStatus['last_failed'];
  /** The current mark, and since when the server has seen it; null: no garbage collection is in progress. */
  readonly mark: { readonly text: string; readonly since: number } | null;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** As the alert rules have it (contrib/prometheus). */
const CERTIFICATE_MS = 14 * DAY_MS;
const CERTIFICATE_SOON_MS = 2 * DAY_MS;
const FREE_BYTES = 1e9;
/** A job that failed is told of for so long, or until the next failure. */
const FAILED_MS = 7 * DAY_MS;
/** A mark is swept once all that must be kept is marked: hours, not a week. */
const MARK_MS = 7 * DAY_MS;
/** A week, and a day for a timer that is late. */
const BACKUP_MS = 8 * DAY_MS;
/** As the alert rule: three rounds, and ten minutes. */
const ROUNDS = 3;
const ROUND_SLACK_SECONDS = 600;

const iso = (ms: number) => new Date(ms).toISOString();
const day = (ms: number) => iso(ms).slice(0, 10);

/** What wants somebody: what is critical first, otherwise in the order of the codes. Pure. */
export function warningsOf(facts: WarningFacts): readonly Warning[] {
  const all = [...certificates(facts), ...databases(facts), ...others(facts)];
  const rank = ({ severity, code }: Warning) => (severity === 'critical' ? 0 : 100) + WARNING_CODES.indexOf(code);
  return all.sort((a, b) => rank(a) - rank(b));
}

function* certificates({ certificates, now }: WarningFacts): Generator<Warning> {
  for (const { address: subject, expires } of certificates) {
    const left = expires - now;
    if (left <= 0)
      yield warning(
        'certificate-ended',
        'critical',
        `The certificate of a listener has expired on ${day(expires)}.`,
        subject,
        expires,
      );
    else if (left < CERTIFICATE_MS) {
      const severity = left < CERTIFICATE_SOON_MS ? 'critical' : 'warning';
      yield warning(
        'certificate-ends',
        severity,
        `The certificate of a listener expires on ${day(expires)}.`,
        subject,
        null,
      );
    }
  }
}

function* databases({ databases, now }: WarningFacts): Generator<Warning> {
  for (const { name, file, read, write, freeBytes, backedUp } of databases) {
    const isRead = read === null || read === 'ok';
    if (!isRead)
      yield warning('database-failed', 'critical', `The database of ${name} cannot be read: ${read}.`, file, null);
    else if (write !== null && write !== 'ok' && write !== 'read-only')
      yield warning(
        'database-unwritable',
        'critical',
        `The database of ${name} cannot be written: ${write}.`,
        file,
        null,
      );
    if (freeBytes !== null && freeBytes < FREE_BYTES) {
      const free = `${Math.floor(freeBytes / 1e6)} MB`;
      yield warning(
        'disk-full',
        'critical',
        `The disk of the database of ${name} is nearly full: ${free} are free.`,
        file,
        null,
      );
    }
    if (backedUp !== null && now - backedUp > BACKUP_MS)
      yield warning(
        'no-backup',
        'warning',
        `The database of ${name} was not backed up since ${day(backedUp)}.`,
        file,
        backedUp,
      );
  }
}

function* others({ away, mirrors, lastFailedJob: job, mark, now }: WarningFacts): Generator<Warning> {
  for (const { name, address } of away)
    yield warning('upstream-away', 'warning', `The upstream of ${name} does not answer.`, address, null);
  for (const { source, failing_since, lag_seconds, every_seconds, level_at } of mirrors) {
    if (failing_since === null || lag_seconds <= ROUNDS * every_seconds + ROUND_SLACK_SECONDS) continue;
    const level =
      level_at === null
        ? 'has not been level since the start'
        : `was level last on ${level_at.slice(0, 16).replace('T', ' ')} UTC`;
    yield warning('mirror-behind', 'warning', `A mirror is behind: it ${level}.`, source, Date.parse(failing_since));
  }
  if (job && now - Date.parse(job.ended) < FAILED_MS)
    yield warning('job-failed', 'warning', `Job ${job.id} (${job.kind}) has failed.`, null, Date.parse(job.ended));
  if (mark && now - mark.since > MARK_MS)
    yield warning(
      'gc-overdue',
      'warning',
      `A garbage collection was begun and not finished since ${day(mark.since)}.`,
      `mark ${mark.text}`,
      mark.since,
    );
}

function warning(
  code: WarningCode,
  severity: Warning['severity'],
  text: string,
  subject: string | null,
  since: number | null,
): Warning {
  return { code, severity, text, subject, since: since === null ? null : iso(since) };
}
