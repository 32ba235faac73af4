import type { PrRow } from '../store.ts';

/** The formats of a file of PR rows: BitBake's dump, JSON, JSON lines or CSV. */
export const FORMATS = ['bitbake', 'json', 'jsonl', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

const SUFFIXES: readonly (readonly [suffix: string, format: Format])[] = [
  ['.inc', 'bitbake'],
  ['.conf', 'bitbake'],
  ['.json', 'json'],
  ['.jsonl', 'jsonl'],
  ['.ndjson', 'jsonl'],
  ['.csv', 'csv'],
];

/** The format that a file's name implies, or null. */
export function formatOf(file: string): Format | null {
  return SUFFIXES.find(([suffix]) => file.endsWith(suffix))?.[1] ?? null;
}

/** A row read from a file, or what is wrong there. `line` is where it began, counted from 1. */
export type Parsed = { readonly line: number; readonly row: PrRow } | { readonly line: number; readonly error: string };

export const COLUMNS = ['version', 'pkgarch', 'checksum', 'value'] as const;

/** A row from a JSON value. `value` may be a number, as in older exports. */
export function rowOf(value: unknown, line: number): Parsed {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { line, error: 'not a JSON object' };
  const fields = value as Record<string, unknown>;
  for (const column of COLUMNS) {
    const field = fields[column];
    if (typeof field === 'string' || (column === 'value' && typeof field === 'number')) continue;
    return { line, error: field === undefined ? `${column} is missing` : `${column} must be text` };
  }
  const { version, pkgarch, checksum, value: number } = fields as unknown as PrRow;
  return { line, row: { version, pkgarch, checksum, value: String(number) } };
}
