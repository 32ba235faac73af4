/** How long requests took, in seconds, as get-stats shows it. */
export interface RequestFigures {
  readonly num: number;
  readonly total_time: number;
  readonly max_time: number;
  readonly average: number;
  readonly stdev: number;
}

/** Running figures that do not keep the single times (Welford's method, in the form for groups of equal values). */
export class RequestStats {
  private num = 0;
  private total = 0;
  private max = 0;
  private mean = 0;
  private squares = 0;

  /** Notes `count` requests that took `elapsedMs` together. */
  record(count: number, elapsedMs: number): void {
    if (count === 0) return;
    const each = elapsedMs / 1000 / count;
    const before = this.num;
    this.num += count;
    this.total += each * count;
    if (each > this.max) this.max = each;
    const delta = each - this.mean;
    this.mean += (delta * count) / this.num;
    this.squares += (delta * delta * before * count) / this.num;
  }

  figures(): RequestFigures {
    const { num, total, max, mean, squares } = this;
    return {
      num,
      total_time: total,
      max_time: max,
      average: mean,
      stdev: num > 1 ? Math.sqrt(squares / (num - 1)) : 0,
    };
  }

  reset(): void {
    this.num = 0;
    this.total = 0;
    this.max = 0;
    this.mean = 0;
    this.squares = 0;
  }
}
