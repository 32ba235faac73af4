import type { Loading, TaskLine } from '../../../hashserv/store.ts';
import type { Logger } from '../../../log.ts';
import { KnownUnihashes } from '../../memory/known-unihashes.ts';
import type { Database } from '../engine/database.ts';
import { createUnihashLoader } from './unihash-loader.ts';

/** The unihashes in memory, and what this server's own writes mean for them. */
export interface KnownRows {
  readonly memory: KnownUnihashes;
  readonly loading: Loading;
  /** Rows of these tasks were deleted. */
  removed(tasks: readonly TaskLine[]): void;
  /** Rows were stored that are not in memory yet. */
  stored(): void;
  /** A write failed that may have been done all the same, or others have written. */
  unsure(): void;
  /** What is in memory has been found wrong. */
  forget(): void;
}

/** @param maxBytes of memory; 0 keeps nothing */
export function createKnownRows(database: Database, maxBytes: number, log: Logger): KnownRows {
  const memory = new KnownUnihashes(maxBytes);
  const loader = createUnihashLoader(database, memory, log);
  return {
    memory,
    get loading() {
      return loader.loading;
    },
    removed: (tasks) => memory.remove(tasks),
    stored: () => loader.changed(),
    unsure() {
      memory.doubt();
      loader.changed();
    },
    forget() {
      memory.clear();
      loader.changed();
    },
  };
}
