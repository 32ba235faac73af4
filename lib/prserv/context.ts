import type { Peer } from '../asyncrpc/service.ts';
import type { Tally } from '../asyncrpc/tally.ts';
import type { Logger } from '../log.ts';
import type { PrStore } from './store.ts';
import type { PrUpstream } from './upstream/upstream.ts';

/** What a PR handler works with. */
export interface PrContext {
  readonly store: PrStore;
  /** Nothing is stored for this client. */
  readonly readOnly: boolean;
  /** The mode for requests that give none (clients from before 2024). */
  readonly defaultHistory: boolean;
  /** Asked about what is not known here; null if there is none. */
  readonly upstream: PrUpstream | null;
  readonly log: Logger;
  readonly peer: Peer;
  /** Rows this client imported: one by one, and by import-rows. */
  readonly imports: Tally<'one' | 'stored' | 'present' | 'refused'>;
}
