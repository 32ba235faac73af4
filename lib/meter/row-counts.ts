/** Rows of tables as they were counted last. */
export interface TableCounts {
  /** By table; none before the first count. */
  readonly rows: ReadonlyMap<string, number>;
  /** When that was, in seconds since 1970; null before the first. */
  readonly countedAt: number | null;
  /** Counts again, in the background, unless that was done not long ago; called at every scrape. Resolves when nothing is being counted. */
  refresh(): Promise<void>;
}
