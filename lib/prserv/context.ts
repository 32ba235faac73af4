import type { CommandRow } from '../asyncrpc/command-row.ts';
import type { ClientLogin } from '../asyncrpc/logins.ts';
import type { Peer } from '../asyncrpc/service.ts';
import type { Searches } from '../asyncrpc/shares/searches.ts';
import type { Tally } from '../asyncrpc/tally.ts';
import type { InsightAsker, InsightDesk } from '../insights/desk.ts';
import type { Jobs } from '../jobs/late.ts';
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
  /** Where its listener asks for a login, that; otherwise null. */
  readonly login: ClientLogin | null;
  /** Rows this client imported: one by one, and by import-rows. */
  readonly imports: Tally<'one' | 'stored' | 'present' | 'refused'>;
  /** The jobs of the server; null where there are none. */
  readonly jobs: Jobs | null;
  /** Those that no index answers take turns. */
  readonly searches: Searches;
  /** Where insights are worked out; one for all services. */
  readonly insights: InsightDesk;
  /** The client, as long as it waits for one. */
  readonly asker: InsightAsker;
}

/** A row of the table. */
export interface PrCommandRow extends CommandRow<PrContext> {
  /** What a client must have as a user, where its listener asks for a login; then also on a listener where it could write. */
  readonly users: readonly string[];
  readonly usersToWrite?: readonly string[];
}
