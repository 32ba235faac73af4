/** A worker that lived at least this long had no trouble with starting. */
const SETTLED_MS = 10_000;
/** So many deaths within this time are too many, and so many more for each worker: somebody may have ended all of them … */
const MOST_DEATHS = 8;
const MOST_OF_EACH = 2;
const WITHIN_MS = 60_000;
/** The second of several deaths in a row waits this long for its successor, each further one twice as long, … */
const FIRST_PAUSE_MS = 50;
/** … but less than the second within which a worker is replaced. */
const LONGEST_PAUSE_MS = 800;

/** What has happened to the workers of a server, as far as it counts for what is done next. */
export interface Deaths {
  /** When workers died, by the clock of the calls; of the last minute. */
  readonly times: readonly number[];
  /** How many in a row did not live long. */
  readonly early: number;
}

export const NO_DEATHS: Deaths = { times: [], early: 0 };

/** What is done about a death: the next worker starts after a pause, or the server gives up. */
export type Verdict =
  | { readonly kind: 'restart'; readonly pauseMs: number; readonly deaths: Deaths }
  | { readonly kind: 'give-up'; readonly deaths: Deaths };

/**
 * Decides about the death of a worker. The first successor starts at once. Where workers die soon after their start, pauses get longer;
 * after too many deaths within a minute whatever it is will not go away by itself.
 * @param livedMs how long the worker served; 0 where it did not come so far
 * @param workers how many the server has
 */
export function afterDeath(deaths: Deaths, now: number, livedMs: number, workers: number): Verdict {
  const times = [...deaths.times.filter((time) => now - time < WITHIN_MS), now];
  const early = livedMs < SETTLED_MS ? deaths.early + 1 : 0;
  const next = { times, early };
  if (times.length >= MOST_DEATHS + MOST_OF_EACH * workers) return { kind: 'give-up', deaths: next };
  const pauseMs = early <= 1 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (early - 2));
  return { kind: 'restart', pauseMs, deaths: next };
}
