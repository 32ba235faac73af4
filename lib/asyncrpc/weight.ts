/** A request counts as one more for each of these bytes it holds: a report may carry 16 MiB. */
const BYTES_A_REQUEST = 4096;

/** How much requests count at the gate. */
export function weightOf(args: readonly unknown[]): number {
  let bytes = 0;
  for (const arg of args) bytes += textLength(arg);
  return args.length + Math.floor(bytes / BYTES_A_REQUEST);
}

function textLength(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value === null || typeof value !== 'object') return 0;
  let length = 0;
  if (Array.isArray(value)) for (const each of value) length += textLength(each);
  else for (const name in value) length += textLength((value as Record<string, unknown>)[name]);
  return length;
}
