/** What an account needs of a connection. */
export interface Holder {
  /** The network address it is counted by, or null on a Unix socket. */
  readonly address: string | null;
  /** There is room for what it waits for: it may go on. */
  onRoom(): void;
  /** It has stalled, and others wait for the room it holds: it must give that up. */
  giveUp(): void;
}
