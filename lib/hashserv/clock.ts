/** The present as hash rows store it: ISO 8601 UTC with microseconds and `+00:00`, later than every call before. */
export type Clock = (agoSeconds?: number) => string;

/** Rows are ordered by these texts, so two of one millisecond must differ: the microseconds count up. */
export function createClock(now: () => number = Date.now): Clock {
  let last = 0;
  return (agoSeconds = 0) => {
    last = Math.max(last + 1, now() * 1000);
    return formatMicroseconds(last - Math.round(agoSeconds * 1e6));
  };
}

/** The first moment of the year 1: an age that reaches beyond it means it. */
const EARLIEST = -62_135_596_800_000_000;

function formatMicroseconds(microseconds: number): string {
  const clamped = Math.max(microseconds, EARLIEST);
  const milliseconds = Math.floor(clamped / 1000);
  const rest = String(clamped - milliseconds * 1000).padStart(3, '0');
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${rest}+00:00`;
}
