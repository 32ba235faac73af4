/** What decides when a job runs. */
export interface Queued {
  readonly id: number;
  /** The database it writes to, or null. */
  readonly writes: string | null;
}

/**
 * The job to start now: the first of those that wait whose database no other job writes to. One that only reads, or
 * writes to another database, may pass a job that must wait; of those for one database none passes another.
 */
export function nextOf<Job extends Queued>(waiting: Iterable<Job>, running: Iterable<Queued>): Job | null {
  const busy = new Set([...running].map(({ writes }) => writes));
  for (const job of waiting) if (job.writes === null || !busy.has(job.writes)) return job;
  return null;
}

/** Jobs are equal whose kinds and parameters are: the order of keys says nothing. */
export function keyOf(kind: string, parameters: unknown): string {
  return JSON.stringify([kind, sorted(parameters)]);
}

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).map(([key, each]) => [key, sorted(each)] as const);
  // Not an object: a key such as 1 or __proto__ would be moved, or lost.
  return { object: entries.sort(([a], [b]) => (a < b ? -1 : 1)) };
}
