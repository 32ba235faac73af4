import type { CommandRow } from '../asyncrpc/command-row.ts';
import type { Searches } from '../asyncrpc/shares/searches.ts';
import type { Tally } from '../asyncrpc/tally.ts';
import type { WriteGate } from '../asyncrpc/write-gate.ts';
import type { InsightDesk } from '../insights/desk.ts';
import type { Jobs } from '../jobs/late.ts';
import type { Logger } from '../log.ts';
import type { HashFigures } from '../meter/service-figures.ts';
import type { LoginThrottle } from './access/login-throttle.ts';
import type { HashSession } from './access/session.ts';
import type { Clock } from './clock.ts';
import type { Gc } from './gc.ts';
import type { RequestStats } from './stats.ts';
import type { HashStore } from './store.ts';
import type { Backfill } from './upstream/backfill.ts';
import type { HashUpstream } from './upstream/upstream.ts';

/** What look-ups of tasks came to over time, by method, and which were missed most. */
export interface LookupHistory {
  lookups(span: 'hour' | 'day' | 'month'): Promise<{ readonly to: string; readonly top_misses: readonly object[] }>;
}

/** What a handler works with: its client, and what belongs to the server. */
export interface HashContext {
  readonly session: HashSession;
  /** Rows this client imported. */
  readonly imports: Tally<'stored' | 'present' | 'refused'>;
  readonly store: HashStore;
  /** Nothing is stored for this client. */
  readonly readOnly: boolean;
  readonly stats: RequestStats;
  readonly figures: HashFigures;
  readonly clock: Clock;
  readonly gc: Gc;
  readonly logins: LoginThrottle;
  readonly log: Logger;
  /** Asked about what is not known here; null if there is none. */
  readonly upstream: HashUpstream | null;
  readonly backfill: Backfill;
  /** A handler whose row says that it gates itself must pass this. */
  readonly gate: WriteGate;
  /** The jobs of the server; null where there are none. */
  readonly jobs: Jobs | null;
  /** Those that no index answers take turns. */
  readonly searches: Searches;
  /** Null where nobody records it. */
  readonly history: LookupHistory | null;
  /** Where insights are worked out; one for all services. */
  readonly insights: InsightDesk;
}

/** A row of the table; `orSelf` lets logged-in users run it on their own name without the permission. */
export interface HashRow extends CommandRow<HashContext> {
  readonly orSelf?: true;
}
