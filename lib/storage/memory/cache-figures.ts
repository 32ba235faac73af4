import type { LineScanner } from '../../hashserv/store.ts';
import type { CacheFigures, CacheState } from '../../meter/store-figures.ts';
import type { KnownUnihashes } from './known-unihashes.ts';

/** The unihashes in memory, as they are shown. */
export function cacheStateOf(memory: KnownUnihashes, asked: CacheFigures): CacheState {
  return {
    get hits() {
      return asked.hits;
    },
    get misses() {
      return asked.misses;
    },
    get entries() {
      return memory.rows;
    },
    get bytes() {
      return memory.bytes;
    },
  };
}

/** The same scanner; every line that it answers is one that the memory knew. */
export function countHits(scanner: LineScanner, asked: CacheFigures): LineScanner {
  return {
    scan(input, from, to, output, most) {
      const scanned = scanner.scan(input, from, to, output, most);
      asked.hits += scanned.lines;
      return scanned;
    },
  };
}
