import type { PrRow } from '../../../prserv/store.ts';

export const COLUMNS = ['version', 'pkgarch', 'checksum', 'value'] as const;

/** Rows as parameters of a statement: a list for each column. */
export function columnsOf(rows: readonly PrRow[]): string[][] {
  return COLUMNS.map((column) => rows.map((row) => row[column]));
}
