/** What the answers of a mirror mean, and when it is asked again; no request is made here. */

/** What is read of an answer to HEAD. */
export interface Head {
  readonly status: number;
  readonly location: string | null;
  readonly retryAfter: string | null;
}

const MAX_REDIRECTS = 3;
const MAX_REPETITIONS = 2;
const FIRST_PAUSE_MS = 500;
/** A mirror that asks for more is not waited for. */
const MAX_PAUSE_MS = 60_000;
/** In all of a run: one that is busy again and again would have it last for days. */
export const MAX_PAUSES_MS = 600_000;

/** `busy` may be asked again; `refused` would be so again. */
export function verdictOf(status: number): 'there' | 'missing' | 'redirect' | 'busy' | 'refused' {
  if (status >= 200 && status < 300) return 'there';
  if (status === 404 || status === 410) return 'missing';
  if ([301, 302, 303, 307, 308].includes(status)) return 'redirect';
  return status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501) ? 'busy' : 'refused';
}

/** Where a redirect leads; a text where it is not followed. Never to another scheme than http and https, nor away from https. */
export function nextHop(from: URL, location: string | null, hops: number): URL | string {
  if (hops >= MAX_REDIRECTS) return `redirects more than ${MAX_REDIRECTS} times`;
  if (location === null || !URL.canParse(location, from.href)) return 'redirects to nowhere';
  const to = new URL(location, from.href);
  if (to.protocol !== 'https:' && (to.protocol !== 'http:' || from.protocol === 'https:'))
    return `redirects from ${from.protocol}// to ${to.protocol}//, which is not followed`;
  // What a redirect says of users is not for us to send.
  to.username = '';
  to.password = '';
  return to;
}

/** How long to wait before a request is repeated that failed so often before; null: it is not. */
export function afterFailure(failedBefore: number, retryAfter: string | null, nowMs: number): number | null {
  if (failedBefore >= MAX_REPETITIONS) return null;
  const pauseMs = retryAfter === null ? FIRST_PAUSE_MS * 2 ** failedBefore : readRetryAfter(retryAfter, nowMs);
  return pauseMs > MAX_PAUSE_MS ? null : pauseMs;
}

/** Seconds, or a date. */
function readRetryAfter(text: string, nowMs: number): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? FIRST_PAUSE_MS : Math.max(0, date - nowMs);
}
