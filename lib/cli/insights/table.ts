import type { Json } from '../../asyncrpc/wire/messages.ts';
import { escaped } from '../../errors.ts';
import type { Column, Entry, Kind } from './view.ts';

/** The most characters of a cell: names come from clients, who may call anything anything. */
const MAX_CELL_CHARS = 60;
/** Of a hash: whole, as it is what the next command is given. */
const HASH_CHARS = 64;

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `1.5 MiB` */
export function sizeText(bytes: number): string {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${unit === 0 ? bytes : (bytes / 2 ** (10 * unit)).toFixed(1)} ${UNITS[unit]}`;
}

const SHOWN: Readonly<Record<Kind, (value: NonNullable<Json>) => string>> = {
  text: (value) => cut(escaped(Array.isArray(value) ? value.join(', ') : String(value)), MAX_CELL_CHARS),
  count: (value) => Number(value).toLocaleString('en-US'),
  bytes: (value) => sizeText(Number(value)),
  // Of `2026-11-22T03:04:05.123456+00:00` what people read; the zone is in the title.
  time: (value) => escaped(String(value)).slice(0, 19).replace('T', ' '),
  hash: (value) => cut(escaped(String(value)), HASH_CHARS),
};

const cut = (text: string, chars: number) => (text.length > chars ? `${text.slice(0, chars - 1)}…` : text);

/** A table for people, its headings first. Numbers stand at the right. */
export function tableLines(columns: readonly Column[], entries: readonly Entry[]): string[] {
  const cells = entries.map((entry) =>
    columns.map(({ key, kind }) => {
      const value = entry[key] ?? null;
      return value === null ? '-' : SHOWN[kind](value);
    }),
  );
  const titles = columns.map(({ title, kind }) => (kind === 'time' ? `${title} (UTC)` : title));
  const widths = titles.map((title, i) => cells.reduce((most, row) => Math.max(most, row[i]!.length), title.length));
  const isRight = columns.map(({ kind }) => kind === 'count' || kind === 'bytes');
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (isRight[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [line(titles), ...cells.map(line)];
}

/**
 * The same as CSV (RFC 4180), a line an entry. Values are whole, but for what could be more than text: control characters are
 * escaped, and what a spreadsheet would take for a formula begins with an apostrophe.
 */
export async function csvLines(columns: readonly Column[], entries: readonly Entry[]): Promise<string[]> {
  const { stringify } = await import('csv-stringify/sync');
  const keys = columns.map(({ key }) => key);
  const cell = (value: Json) => {
    if (value === null || typeof value === 'number') return value;
    return escaped(Array.isArray(value) ? value.join(' ') : String(value));
  };
  const rows = entries.map((entry) => keys.map((key) => cell(entry[key] ?? null)));
  return [keys, ...rows].map((row) => stringify([row], { escape_formulas: true, record_delimiter: '', eof: false }));
}
