const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** How long, in its two largest units: `3 d 4 h`, `5 min 0 s`, `12 s`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds == null || !Number.isFinite(seconds)) return '–';
  let left = Math.max(0, Math.round(seconds));
  const first = UNITS.findIndex(([size]) => left >= size);
  if (first < 0) return '0 s';
  const parts: string[] = [];
  for (const [size, name] of UNITS.slice(first, first + 2)) {
    parts.push(`${Math.floor(left / size)} ${name}`);
    left %= size;
  }
  return parts.join(' ');
}

/**
 * A time of the server, as milliseconds since 1970; null for a text that is none. Databases have six digits after the
 * second, and old ones no zone: both are UTC.
 */
export function parseTime(text: string | null | undefined): number | null {
  const found = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$/.exec(text ?? '');
  if (!found) return null;
  const [, day, time, fraction = '', zone = 'Z'] = found;
  const at = Date.parse(`${day}T${time}${fraction.slice(0, 4)}${zone}`);
  return Number.isNaN(at) ? null : at;
}

/** How long ago: `just now`, `5 min ago`, `in 2 h`; one unit, as nobody needs two. */
export function ago(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1000);
  const far = Math.abs(seconds);
  if (far < 5) return 'just now';
  const [size, name] = UNITS.find(([each]) => far >= each)!;
  const text = `${Math.floor(far / size)} ${name}`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

/** Date and time in a zone, the reader's without one: `22 Nov 2026, 03:14`. */
export function dateTime(at: number, timeZone?: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'medium',
    timeStyle: 'short',
    ...(timeZone !== undefined && { timeZone }),
  }).format(at);
}

/** To the second and with the zone's name, for whoever looks closer. */
export function fullTime(at: number, timeZone?: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'long',
    timeStyle: 'long',
    ...(timeZone !== undefined && { timeZone }),
  }).format(at);
}
