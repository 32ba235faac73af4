import type { Out } from './out.ts';

/** How many refused rows an import reports one by one; further ones are only counted. */
export const SHOWN_REFUSALS = 20;

/** The counts of an import. */
export interface ImportTotals {
  stored: number;
  present: number;
  refused: number;
}

/**
 * Reports what an import did.
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

/** Reports how much an export wrote: on stderr if its rows went to stdout. */
export async function sayExported(out: Out, file: string, exported: number): Promise<undefined> {
  if (out.json && file !== '-') await out.result({ exported }, () => '');
  else out.note(`Exported ${exported} rows`);
}
