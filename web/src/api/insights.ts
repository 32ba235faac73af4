import type { Api } from './client.ts';
import { Failure } from './failure.ts';
import type { Span } from './status.ts';

/** An insight waits for its turn, and has a minute. */
export const INSIGHT_MS = 90_000;

export interface LookupCounts {
  readonly hits: number;
  readonly misses: number;
  readonly upstream_hits: number;
}

/** `GET /insights/lookups` */
export interface LookupsInsight {
  readonly span: Span;
  readonly bucket_seconds: number;
  readonly to: string;
  readonly recorded_since: string | null;
  readonly times: readonly number[];
  readonly methods: readonly {
    readonly method: string;
    readonly hits: readonly (number | null)[];
    readonly misses: readonly (number | null)[];
    readonly upstream_hits: readonly (number | null)[];
    readonly total: LookupCounts;
  }[];
  readonly total: LookupCounts;
  readonly top_misses: readonly { readonly method: string; readonly taskhash: string; readonly count: number }[];
}

export const getLookups = (api: Api, span: Span, signal: AbortSignal) =>
  api.ask<LookupsInsight>('GET', ['insights', 'lookups'], { query: { span }, signal, timeoutMs: INSIGHT_MS });

/** Every insight says when it was made: the same answer is kept for a while. */
export interface Made {
  readonly made: string;
  readonly seconds: number;
}

interface AgeCounts {
  readonly reports: number;
  readonly unused: number;
  readonly bytes: number;
  readonly siginfo_rows: number;
  readonly siginfo_bytes: number;
}

/** `GET /insights/age` */
export interface AgeInsight extends Made {
  /** The newest first; null: reports whose time cannot be read. */
  readonly months: readonly ({ readonly month: string | null } & AgeCounts)[];
  readonly earlier: ({ readonly months: number } & AgeCounts) | null;
  readonly tables: readonly {
    readonly table: string;
    readonly rows: number;
    readonly bytes: number;
    readonly siginfo_rows: number;
    readonly siginfo_bytes: number;
  }[];
  readonly database_bytes: number | null;
  readonly gc: {
    readonly max_age_seconds: number;
    readonly unused: number;
    readonly would_remove: number;
    readonly would_remove_bytes: number;
    readonly mark: string | null;
    readonly marked?: number;
    readonly unmarked?: number;
  };
}

export const getAge = (api: Api, maxAgeSeconds: number, signal: AbortSignal) =>
  api.ask<AgeInsight>('GET', ['insights', 'age'], {
    query: { max_age_seconds: maxAgeSeconds },
    signal,
    timeoutMs: INSIGHT_MS,
  });

export type ChurnOrder = 'new' | 'values' | 'skipped' | 'left';

/** `GET /insights/churn` */
export interface ChurnInsight extends Made {
  readonly days: number;
  /** Null: times are not known, and nothing is told of what is new. */
  readonly since: string | null;
  readonly packages: number;
  readonly values: number;
  readonly new: number | null;
  readonly not_countable: number;
  readonly near_limit: number;
  readonly recipes: readonly {
    readonly recipe: string;
    readonly pkgarch: string;
    readonly versions: number;
    readonly values: number;
    readonly new: number | null;
    readonly skipped: number;
    readonly largest: string;
    readonly left: number;
  }[];
  readonly more: number;
}

export const getChurn = (api: Api, sort: ChurnOrder, days: number, signal: AbortSignal) =>
  api.ask<ChurnInsight>('GET', ['insights', 'churn'], { query: { sort, days }, signal, timeoutMs: INSIGHT_MS });

/** A recipe and its task, as reports name them. */
export interface Named {
  readonly PN: string | null;
  readonly task: string | null;
}

/** `GET /insights/unstable` */
export interface UnstableInsight extends Made {
  /** The newest first. */
  readonly tasks: readonly (Named & {
    readonly method: string;
    readonly taskhash: string;
    readonly outputs: number;
    /** How many of them have a signature text. */
    readonly siginfo: number;
    readonly first: string | null;
    readonly last: string | null;
    readonly owners: readonly string[];
    readonly more_owners: number;
  })[];
  readonly recipes: readonly (Named & {
    readonly tasks: number;
    readonly outputs: number;
    readonly last: string | null;
  })[];
  readonly total: {
    readonly tasks: number;
    readonly outputs: number;
    readonly without_siginfo: number;
    readonly of_further_recipes?: number;
  };
}

export const getUnstable = (api: Api, PN: string | null, signal: AbortSignal) =>
  api.ask<UnstableInsight>('GET', ['insights', 'unstable'], { query: { PN }, signal, timeoutMs: INSIGHT_MS });

/** `GET /insights/equivalences` */
export interface EquivalencesInsight extends Made {
  readonly recipes: readonly (Named & {
    readonly reports: number;
    readonly found: number;
    readonly last: string | null;
  })[];
  /** The newest first. */
  readonly days: readonly { readonly day: string | null; readonly found: number }[];
  readonly never: readonly (Named & { readonly reports: number })[];
  readonly unihashes: readonly (Named & {
    readonly unihash: string;
    readonly tasks: number;
    readonly last: string | null;
  })[];
  readonly total: { readonly found: number; readonly unihashes: number; readonly not_rebuilt_estimate: number };
}

/** `GET /insights/shared-state`: what the job found last. Nothing is there before it has run. */
export interface SharedStateInsight {
  readonly made: string;
  /** Of a folder. */
  readonly folder: { readonly objects: number; readonly folders: number; readonly unreadable: number } | null;
  readonly mirror: {
    readonly requests: number;
    readonly remembered: number;
    readonly nameless: number;
    readonly unanswered: number;
    /** Why it was left alone before everything was asked. */
    readonly stopped: string | null;
  } | null;
  readonly unihashes: number;
  readonly present: number;
  readonly missing: number;
  /** Too young to be told of. */
  readonly recent: number;
  readonly unknown: number;
  /** Objects that no unihash names; null of a mirror. */
  readonly orphans: number | null;
  readonly orphan_bytes: number | null;
  readonly recipes: readonly (Named & {
    readonly unihashes: number;
    readonly missing: number;
    readonly oldest_report: string | null;
    readonly missing_since: string | null;
    readonly orphans: number | null;
    readonly orphan_bytes: number | null;
  })[];
  readonly more: number;
}

/** As many recipes and tasks as a page bears. */
const MOST_RECIPES = 500;

/** Null: nothing was compared yet. */
export async function getSharedState(api: Api, signal: AbortSignal): Promise<SharedStateInsight | null> {
  try {
    const query = { limit: MOST_RECIPES };
    return await api.ask<SharedStateInsight>('GET', ['insights', 'shared-state'], { query, signal });
  } catch (error) {
    if (error instanceof Failure && error.kind === 'not-found') return null;
    throw error;
  }
}

export const getEquivalences = (api: Api, signal: AbortSignal) =>
  api.ask<EquivalencesInsight>('GET', ['insights', 'equivalences'], { signal, timeoutMs: INSIGHT_MS });
