/** What the connections of one address hold together. */
export interface ShareOf<Holding> {
  holdings: number;
  taken: number;
  reserved: number;
  /** Its connections that wait, in order of arrival. Not a Fifo, because a connection may leave from the middle. */
  readonly readers: Set<Holding>;
  readonly fetchers: Set<Holding>;
}

export function emptyShare<Holding>(): ShareOf<Holding> {
  return { holdings: 0, taken: 0, reserved: 0, readers: new Set(), fetchers: new Set() };
}
