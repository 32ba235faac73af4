/** Upper bounds, in seconds, for what takes from a look-up in memory (microseconds) to a time limit. */
export const SECONDS: readonly number[] = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Upper bounds for how many are done together. */
export const COUNTS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/**
 * Counts values by size. Observing one is a search among the bounds and two additions: nothing is allocated, so it may
 * stand on the way of every request.
 */
export class Histogram {
  /** Ascending. A value counts under the first bound that it is not above. */
  readonly bounds: readonly number[];
  /** How many were counted under each bound, and behind the last one how many are above all. */
  readonly counts: Float64Array;
  /** Of all values. */
  sum = 0;

  constructor(bounds: readonly number[] = SECONDS) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** How many values there were. */
  get count(): number {
    let count = 0;
    for (const some of this.counts) count += some;
    return count;
  }

  /** Notes a value that `times` things had. One that is no number, or below 0, counts as 0: clocks are set back. */
  observe(value: number, times = 1): void {
    const counted = value > 0 ? value : 0;
    const { bounds } = this;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (counted <= bounds[middle]!) high = middle;
      else low = middle + 1;
    }
    this.counts[low]! += times;
    this.sum += counted * times;
  }
}
