import type { Out } from './out.ts';

/** Refused rows that an import names one by one; past that it only counts them. */
export const SHOWN_REFUSALS = 20;

/** What became of the rows of an import. */
export interface ImportTotals {
  stored: number;
  present: number;
  refused: number;
}

/**
 * Says what an import did.
 * @returns its exit status: 1 when a row was refused
 */
export async function sayImported(out: Out, { stored, present, refused }: ImportTotals): Promise<number> {
  await out.result({ stored, present, refused }, () => [
    `Stored:        ${stored}`,
    `Already there: ${present}`,
    `Refused:       ${refused}`,
  ]);
  return refused > 0 ? 1 : 0;
}

/** Says how much an export wrote: to stderr where its rows went to stdout. */
export async function sayExported(out: Out, file: string, exported: number): Promise<undefined> {
  if (out.json && file !== '-') await out.result({ exported }, () => '');
  else out.note(`Exported ${exported} rows`);
}
