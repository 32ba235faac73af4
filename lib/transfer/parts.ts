import { NOTE_PREFIX } from '../hashserv/store.ts';
import { MARKED_COLUMNS } from '../hashserv/where.ts';

export type ServiceName = 'hashserv' | 'prserv';

/** What a database is moved in: the rows of one table each. */
export type Part = 'users' | 'unihashes' | 'outhashes' | 'config' | 'values';

export interface PartForm {
  readonly service: ServiceName;
  /** The values of a row, in their order. */
  readonly columns: readonly string[];
  /** So many of them, the first, name a row: there is one row of that name at most. */
  readonly keys: number;
  /** Columns that may be null. */
  readonly nullable: readonly string[];
  /** One row of it, in a message. */
  readonly row: string;
}

/**
 * Every part, in the order they are copied: with unihashes before outhashes, as a task whose outhash is there alone gets another
 * unihash at its next report. The current mark comes when all rows that have it are there.
 */
export const PARTS: Readonly<Record<Part, PartForm>> = {
  users: {
    service: 'hashserv',
    columns: ['username', 'token', 'permissions'],
    keys: 1,
    nullable: [],
    row: 'user',
  },
  unihashes: {
    service: 'hashserv',
    columns: MARKED_COLUMNS.unihashes,
    keys: 2,
    nullable: [],
    row: 'unihash row',
  },
  outhashes: {
    service: 'hashserv',
    columns: MARKED_COLUMNS.outhashes,
    keys: 3,
    nullable: ['created', 'owner', 'PN', 'PV', 'PR', 'task', 'outhash_siginfo'],
    row: 'outhash row',
  },
  config: { service: 'hashserv', columns: ['name', 'value'], keys: 1, nullable: ['value'], row: 'setting' },
  // Only another program's file has a value that is null.
  values: {
    service: 'prserv',
    columns: ['version', 'pkgarch', 'checksum', 'value'],
    keys: 4,
    nullable: ['value'],
    row: 'PR row',
  },
};

export const ALL_PARTS = Object.keys(PARTS) as readonly Part[];

/** The column that engines store in different forms: compared as a time. */
export const CREATED = 'created';
const CREATED_AT = PARTS.outhashes.columns.indexOf(CREATED);
const CREATED_FORM = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:\+00:00)?$/;

/** A row's values in the order of its part's columns. */
export type Row = readonly (string | null)[];

/** ISO 8601 in UTC with microseconds; null for what is no such time. */
export function canonicalTime(text: string): string | null {
  const read = CREATED_FORM.exec(text);
  if (!read) return null;
  const [, date, time, fraction = ''] = read;
  const moment = new Date(`${date}T${time}Z`);
  // No year 0 in PostgreSQL; and a 30th of February would be read as the 1st or 2nd of March.
  if (
    date!.startsWith('0000') ||
    Number.isNaN(moment.getTime()) ||
    moment.toISOString().slice(0, 19) !== `${date}T${time}`
  )
    return null;
  return `${date}T${time}.${fraction.padEnd(6, '0')}+00:00`;
}

/** Whether two texts of `created` are the same moment. */
export function isSameTime(one: string | null, other: string | null): boolean {
  if (one === other) return true;
  if (one === null || other === null) return false;
  return (canonicalTime(one) ?? one) === (canonicalTime(other) ?? other);
}

/** The row as every engine gives it back. */
export function canonicalRow(part: Part, row: Row): Row {
  const created = part === 'outhashes' ? (row[CREATED_AT] ?? null) : null;
  if (created === null) return row;
  const canonical = canonicalTime(created);
  return canonical === null || canonical === created ? row : row.with(CREATED_AT, canonical);
}

/** Bytes of a row, about. */
export function sizeOfRow(row: Row): number {
  return row.reduce((sum, value) => sum + (value?.length ?? 0), 64);
}

const SHOWN_CHARACTERS = 100;

/** A row by its key, for a message. */
export function nameOfRow(part: Part, row: Row): string {
  const { keys, row: what } = PARTS[part];
  const shown = row.slice(0, keys).map((value) => {
    const text = value ?? 'NULL';
    return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
  });
  return `${what} ${shown.join(' ')}`;
}

/** Settings whose names begin so are of that database alone: no copy takes them. */
export { NOTE_PREFIX };
