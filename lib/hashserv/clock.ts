/** The present as hash rows store it: ISO 8601 UTC with microseconds and `+00:00`, later than the result of every earlier call. */
export type Clock = () => string;

/**
 * Rows are ordered by these texts, so two in one millisecond must differ: the microseconds count up.
 * @param newest the latest among stored rows: the clock continues from there if the system's clock is behind, as after a restart
 *   of a machine that lost the time. Otherwise new rows would count as the oldest.
 */
export function createClock(newest: string | null = null, now: () => number = Date.now): Clock {
  let last = (newest === null ? null : parseMicroseconds(newest)) ?? 0;
  return () => {
    last = Math.max(last + 1, now() * 1000);
    return formatMicroseconds(last);
  };
}

/**
 * The time so many seconds ago by the system's clock. Not by the clock of rows, which stays ahead after the system's has
 * jumped ahead and back: rows that are seconds old would then count as old.
 */
export function momentAgo(seconds: number, now: () => number = Date.now): string {
  // The current millisecond counts as over: rows of it have been stored.
  return formatMicroseconds((now() + 1) * 1000 - Math.round(seconds * 1e6));
}

/** The first moment of the year 1, which stands for any earlier time. */
const EARLIEST = -62_135_596_800_000_000;

function formatMicroseconds(microseconds: number): string {
  const clamped = Math.max(microseconds, EARLIEST);
  const milliseconds = Math.floor(clamped / 1000);
  const rest = String(clamped - milliseconds * 1000).padStart(3, '0');
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${rest}+00:00`;
}

/** Null for any other text, and for a time after the year 2255: microseconds are no longer exact there. */
function parseMicroseconds(text: string): number | null {
  const [, seconds, fraction = ''] =
    /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:\+00:00)?$/.exec(text) ?? [];
  const milliseconds = Date.parse(`${seconds?.replace(' ', 'T')}Z`);
  const microseconds = milliseconds * 1000 + Number(fraction.padEnd(6, '0'));
  return Number.isSafeInteger(microseconds) ? microseconds : null;
}
