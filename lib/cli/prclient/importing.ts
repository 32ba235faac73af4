import type { PrRow } from '../../prserv/store.ts';
import type { ImportTotals } from '../client/transfer.ts';

/** A row and where it stands, for messages. */
export interface PlacedRow {
  readonly row: PrRow;
  readonly place: string;
}

/** What stores the rows of an import: refused rows are told to `refuse`, or end it. */
export interface Importing {
  readonly keepGoing: boolean;
  readonly totals: ImportTotals;
  refuse(place: string, message: string): void;
  note(text: string): void;
  add(count: number): void;
}

/** What is said when an import ends before all is stored. */
export function interrupted(stored: number): string {
  return `${stored} rows were stored before that; import again, rows that are there stay as they are`;
}
