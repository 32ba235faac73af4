import type { Database } from './database.ts';

/** An answer from memory is as new as this: commits of others were looked for so short a time ago … */
const FRESH_MS = 100;
/** … and while it is asked they are looked for again before that has passed. After a rest the file answers first. */
const LOOK_MS = 50;

/** Whether what is in memory is new enough to answer from, if nothing was told of since it was read. */
export function createFreshness(database: Pick<Database, 'foreignSeenAt' | 'lookForForeign'>): () => boolean {
  return () => {
    const age = performance.now() - database.foreignSeenAt();
    if (age > LOOK_MS) database.lookForForeign();
    return age <= FRESH_MS;
  };
}
