import type { HubFigures } from '../asyncrpc/hub-figures.ts';
import type { Histogram } from '../meter/histogram.ts';
import { InsightFigures } from '../meter/insight-figures.ts';
import { JobFigures } from '../meter/job-figures.ts';
import type { MirrorStatus } from '../meter/mirror-status.ts';
import type { TableCounts } from '../meter/row-counts.ts';
import type { ServiceFigures } from '../meter/service-figures.ts';
import type { StandbyLag } from '../meter/standby-lag.ts';
import type { CacheState, StoreFigures } from '../meter/store-figures.ts';
import type { LookupFigures } from '../meter/upstream-figures.ts';
import type { ProcessFigures } from './process.ts';

/** The services, as the labels name them. */
export const SERVICES = ['hashserv', 'prserv'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** What a service shows. */
export interface ServiceSource {
  readonly name: ServiceName;
  readonly figures: ServiceFigures;
  readonly upstream: { readonly lookups: LookupFigures; readonly isAway: boolean } | null;
}

/** How much of the unihashes is in memory. */
export interface LoaderState {
  readonly state: (typeof LOADER_STATES)[number];
  readonly rows: number;
}

export const LOADER_STATES = ['loading', 'checking', 'all', 'newest', 'none'] as const;

/** What is in memory in front of a store. */
export interface CacheSource {
  readonly name: (typeof CACHES)[number];
  readonly state: CacheState;
}

export const CACHES = ['unihashes', 'packages'] as const;

/** A database file: of one service, or of both, and then it has the name of the first. */
export interface DatabaseSource {
  readonly name: ServiceName;
  /** Every commit ends with a sync. */
  readonly isSynced: boolean;
  readonly store: {
    readonly file: string;
    readonly figures: StoreFigures;
    /** Null where nothing is written. */
    readonly writer: { readonly queued: number } | null;
    readonly counts: TableCounts;
    /** Of a standby; null for a primary, absent where there is no such thing. */
    readonly lag?: StandbyLag | null;
  };
  readonly gate: {
    readonly requests: number;
    readonly limit: number;
    readonly waiting: number;
    readonly waits: number;
  };
}

/** What a server shows of itself, put together as its parts are opened. */
export interface Shown {
  readonly version: string;
  readonly services: ServiceSource[];
  readonly databases: DatabaseSource[];
  readonly caches: CacheSource[];
  loader: (() => LoaderState) | null;
  /** Those that this process runs. */
  mirrors: () => readonly MirrorStatus[];
  /** Those that this process runs. */
  readonly jobs: JobFigures;
  readonly insights: InsightFigures;
}

export const newShown = (version: string): Shown => ({
  ...{ version, services: [], databases: [], caches: [] },
  loader: null,
  mirrors: () => [],
  jobs: new JobFigures(),
  insights: new InsightFigures(),
});

/** Everything that is read at a scrape. */
export interface MetricSources extends Readonly<Shown> {
  readonly hub: { readonly figures: HubFigures; readonly heldBytes: number };
  readonly eventLoop: Histogram;
  readonly process: ProcessFigures;
  /** Whether this process serves, and how many workers it has put in the place of others. */
  readonly workers: () => { readonly serving: number; readonly replaced: number };
}
