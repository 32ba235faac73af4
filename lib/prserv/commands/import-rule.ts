import { isPrValue, isText } from '../../asyncrpc/wire/formats.ts';
import type { PrRow } from '../store.ts';

/** The largest number in a value from elsewhere: nine digits. */
const LARGEST_NUMBER = 999_999_999;
/** How many values an import must leave below that. */
const ROOM = 1_000_000;

const COLUMNS = ['version', 'pkgarch', 'checksum'] as const;

export const BAD_VALUE = 'value must be a non-negative integer or dotted integers of at most 9 digits each';

/**
 * What is wrong with an imported row, or null. A package counts on from the last number of its largest value:
 * one that leaves no room leads to values that no other server takes, and nothing smaller can follow it.
 */
export function importFault({ version, pkgarch, checksum, value }: PrRow): string | null {
  const keys = [version, pkgarch, checksum];
  const bad = keys.findIndex((key) => key === '' || !isText(key));
  if (bad >= 0) return `${COLUMNS[bad]} must be a text of 1 to 1024 bytes without NUL`;
  return isPrValue(value) ? roomFault(value) : BAD_VALUE;
}

/** Why a valid value is too large to be imported; or null. */
export function roomFault(value: string): string | null {
  if (Number(value.slice(value.lastIndexOf('.') + 1)) <= LARGEST_NUMBER - ROOM) return null;
  return `value ${value} leaves fewer than 1,000,000 values below the limit of 9 digits; a package could soon not go on`;
}
