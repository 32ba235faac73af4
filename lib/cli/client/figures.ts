/** Figures of a series of measured times, in the unit of the times. */
export interface Figures {
  readonly count: number;
  readonly average: number;
  readonly median: number;
  /** Of the sample; 0 for a single time. */
  readonly deviation: number;
  readonly min: number;
  readonly max: number;
}

export function figuresOf(times: readonly number[]): Figures {
  const count = times.length;
  if (count === 0) return { count, average: 0, median: 0, deviation: 0, min: 0, max: 0 };
  const sorted = Float64Array.from(times).sort();
  const middle = count >> 1;
  const average = sorted.reduce((sum, each) => sum + each, 0) / count;
  const squares = sorted.reduce((sum, each) => sum + (each - average) ** 2, 0);
  return {
    count,
    average,
    median: count % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2,
    deviation: count > 1 ? Math.sqrt(squares / (count - 1)) : 0,
    min: sorted[0]!,
    max: sorted[count - 1]!,
  };
}

/** Seconds in milliseconds with three decimals. */
export function milliseconds(seconds: number): string {
  return `${(seconds * 1000).toFixed(3)} ms`;
}
