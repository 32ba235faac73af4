import type { PrRow } from '../../prserv/store.ts';
import type { ImportTotals } from '../client/transfer.ts';

/** A row and its place in a file, for messages. */
export interface PlacedRow {
  readonly row: PrRow;
  readonly place: string;
}

/** Stores the rows of an import. Refused rows are passed to `refuse`, or end it. */
export interface Importing {
  readonly keepGoing: boolean;
  readonly totals: ImportTotals;
  refuse(place: string, message: string): void;
  note(text: string): void;
  add(count: number): void;
}

/** The message when an import ends before all rows are stored. */
export function interrupted(stored: number): string {
  return `${stored} rows were stored before that; import again, rows that are there stay as they are`;
}
