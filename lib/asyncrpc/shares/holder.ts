/** What an account needs of a connection. */
export interface Holder {
  /** The network address it is counted by, or null on a Unix socket. */
  readonly address: string | null;
  /** There is room for what it waits for: it goes on. */
  onRoom(): void;
  /** It has stalled, and others wait for the room it takes: it is to let go of it. */
  giveUp(): void;
}
