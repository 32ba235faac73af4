/** Pauses between attempts: each twice the one before, up to a longest. */
export class BackOff {
  private readonly firstMs: number;
  private readonly longestMs: number;
  private lastMs: number | null = null;

  constructor(firstMs: number, longestMs: number) {
    this.firstMs = firstMs;
    this.longestMs = longestMs;
  }

  /** The next pause, in milliseconds. */
  next(longestMs = this.longestMs): number {
    this.lastMs = Math.min(this.lastMs === null ? this.firstMs : this.lastMs * 2, longestMs);
    return this.lastMs;
  }

  /** The next pause is the first again. */
  reset(): void {
    this.lastMs = null;
  }
}

/** Half of a pause to all of it: a farm of servers must not come back in step. */
export function jittered(pauseMs: number): number {
  return pauseMs * (0.5 + Math.random() / 2);
}
