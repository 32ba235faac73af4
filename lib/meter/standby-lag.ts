/** How far the standby that a server reads from is behind its primary. */
export interface StandbyLag {
  /** What was written longer ago than this is there; null while that is not known. */
  readonly seconds: number | null;
  /** What the primary has sent, or said that it has, and is not replayed; null where nothing is streamed. */
  readonly bytes: number | null;
  /** The primary sends what is written; otherwise the standby gets further behind until it does. */
  readonly streaming: boolean;
}
