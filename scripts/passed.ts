/** How much of the code one request ran through. */
export interface Passed {
  readonly request: string;
  readonly files: number;
  readonly functions: number;
}

type Measured = Omit<Passed, 'request'>;

/** The measurement with the fewest functions, and of those with the fewest files: what others add, the request does not pass. */
export function smallestOf(measured: readonly Measured[]): Measured {
  if (measured.length === 0) throw new Error('nothing was measured');
  return measured.reduce((least, each) => (compare(each, least) < 0 ? each : least));
}

function compare(a: Measured, b: Measured): number {
  return a.functions - b.functions || a.files - b.files;
}
