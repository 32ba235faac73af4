const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** What is shown where there is no figure. */
export const NONE = '–';

const isFigure = (value: number | null | undefined): value is number => value != null && Number.isFinite(value);

/** A count with its thousands set apart: `1,234,567`. */
export function count(value: number | null | undefined): string {
  return isFigure(value) ? WHOLE.format(value) : NONE;
}

/** A count with its noun: `1 row`, `2 rows`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A figure of three digits, short enough for an axis: `12,300` as `12.3k`. */
export function short(value: number | null | undefined): string {
  if (!isFigure(value)) return NONE;
  const size = Math.abs(value);
  if (size >= 999_500_000) return `${SHORT.format(value / 1e9)}G`;
  if (size >= 999_500) return `${SHORT.format(value / 1e6)}M`;
  if (size >= 9_995) return `${SHORT.format(value / 1e3)}k`;
  return SHORT.format(value);
}

/** How many a second: `0.25/s`, `1,240/s`. */
export function rate(perSecond: number | null | undefined): string {
  if (!isFigure(perSecond)) return NONE;
  return `${perSecond >= 100 ? WHOLE.format(perSecond) : SHORT.format(perSecond)}/s`;
}

/** A number of bytes with its unit: `512 B`, `12.3 MiB`. */
export function bytes(value: number | null | undefined): string {
  if (!isFigure(value)) return NONE;
  let size = value;
  let unit = 'B';
  for (const next of UNITS) {
    if (Math.abs(size) < 1023.5) break;
    size /= 1024;
    unit = next;
  }
  return `${unit === 'B' ? WHOLE.format(size) : SHORT.format(size)} ${unit}`;
}

/** How long something took: `0.4 ms`, `120 ms`, `2.5 s`. */
export function latency(milliseconds: number | null | undefined): string {
  if (!isFigure(milliseconds)) return NONE;
  if (milliseconds >= 999.5) return `${SHORT.format(milliseconds / 1000)} s`;
  if (milliseconds > 0 && milliseconds < 0.01) return '< 0.01 ms';
  return `${SHORT.format(milliseconds)} ms`;
}

/** A share of a whole: `37 %`; what is not quite nothing or everything does not look like it. */
export function percent(part: number | null | undefined, whole: number | null | undefined): string {
  if (!isFigure(part) || !isFigure(whole) || whole <= 0) return NONE;
  const share = (part / whole) * 100;
  if (share > 0 && share < 0.1) return '< 0.1 %';
  if (share < 100 && share > 99.9) return '> 99.9 %';
  return `${share < 10 || share > 99 ? SHORT.format(Math.round(share * 10) / 10) : WHOLE.format(share)} %`;
}
