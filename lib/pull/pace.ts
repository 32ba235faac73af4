/** Other writers wait meanwhile: so long, about, may it take to store what is stored at once. */
const STORE_MS = 40;
/** Even where the disk is slow: each transaction has its own sync. */
const LEAST_ROWS = 500;
const MOST_ROWS = 4000;

export const FIRST_ROWS = 1000;

/**
 * How many rows are stored at once next.
 * @param tookMs how long so many took
 */
export function nextRows(rows: number, tookMs: number): number {
  const factor = Math.min(1.5, Math.max(0.5, STORE_MS / Math.max(1, tookMs)));
  return Math.round(Math.min(MOST_ROWS, Math.max(LEAST_ROWS, rows * factor)));
}
