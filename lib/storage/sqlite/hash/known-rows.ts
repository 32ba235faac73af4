import type { LineScanner, Loading, TaskLine } from '../../../hashserv/store.ts';
import type { Logger } from '../../../log.ts';
import { KnownUnihashes } from '../../memory/known-unihashes.ts';
import { createUnihashLoader } from '../../memory/unihash-loader.ts';
import type { Database } from '../engine/database.ts';
import { createFreshness } from '../engine/freshness.ts';
import { createRowSource } from './unihash-rows.ts';

/** The unihashes in memory, and what this server's own writes mean for them. */
export interface KnownRows {
  /** Whoever answers from it asks `isFresh` first. */
  readonly memory: KnownUnihashes;
  readonly loading: Loading;
  /** Whether what is in memory is new enough to answer with. If not it soon is again: it is asked for. */
  isFresh(): boolean;
  /** What answers lines of a stream from memory; with `misses` also those of tasks that are known not to be there. */
  lines(of: 'tasks' | 'unihashes', misses: boolean): LineScanner | null;
  /** Rows of these tasks were deleted. */
  removed(tasks: readonly TaskLine[]): void;
  /** Rows were stored that are not in memory yet. */
  stored(): void;
  /** A write failed that may have been done all the same, or others have written. */
  unsure(): void;
  /** What is in memory has been found wrong. */
  forget(): void;
}

/** What a scanner says that answers no line. */
const nothing = (from: number) => ({ end: from, written: 0, lines: 0, misses: 0 });

/** @param maxBytes of memory; 0 keeps nothing */
export function createKnownRows(database: Database, maxBytes: number, log: Logger): KnownRows {
  const memory = new KnownUnihashes(maxBytes);
  const loader = createUnihashLoader(createRowSource(database), memory, log);
  database.onClose(loader.close);
  const isFresh = createFreshness(database);

  return {
    memory,
    get loading() {
      return loader.loading;
    },
    isFresh,
    lines(of, misses) {
      const scanner = memory.scanner(of, () => misses);
      if (!scanner) return null;
      return {
        scan: (input, from, to, output, most) =>
          isFresh() ? scanner.scan(input, from, to, output, most) : nothing(from),
      };
    },
    removed: (tasks) => memory.remove(tasks),
    stored() {
      memory.miss();
      loader.stored();
    },
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
