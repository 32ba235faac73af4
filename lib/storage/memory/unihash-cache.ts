/**
 * Positive answers kept in memory, bounded in bytes, the least recently used going first. A unihash never changes
 * while its row lives, so an entry is right until rows are deleted: then everything is forgotten at once. Misses are
 * never kept: another process may have added the row meanwhile.
 *
 * Recency is kept in two generations instead of a list: a hit in the older one moves the entry to the younger, and when
 * the younger holds half the bytes it becomes the older. A hit among the young costs one Map look-up and nothing else.
 */
export interface UnihashCache {
  get(key: string): string | undefined;
  /**
   * Adds an entry read in `epoch`; dropped when the cache has been emptied since. Strings that are slices of a larger
   * one keep all of it alive: those of one batch, which are added together and go together, may share one.
   */
  set(key: string, value: string, epoch: number): void;
  /** Forgets everything; answers read before this and arriving later are not kept. */
  clear(): void;
  /** Changes with every `clear`. */
  readonly epoch: number;
  /** Approximate bytes held. */
  readonly bytes: number;
}

/**
 * What an entry costs beside its characters: two string headers, a slot of the Map and the room it grows into, and the
 * garbage that making and dropping it leaves. By what resident memory grows by under constant load.
 */
const ENTRY_BYTES = 256;

/** @param maxBytes 0 keeps nothing */
export function createUnihashCache(maxBytes: number): UnihashCache {
  let young = new Map<string, string>();
  let old = new Map<string, string>();
  let youngBytes = 0;
  let oldBytes = 0;
  let epoch = 0;
  const half = maxBytes / 2;

  function add(key: string, value: string): void {
    const { size } = young;
    young.set(key, value);
    if (young.size === size) return;
    youngBytes += key.length + value.length + ENTRY_BYTES;
    if (youngBytes <= half) return;
    old = young;
    oldBytes = youngBytes;
    young = new Map();
    youngBytes = 0;
  }

  return {
    get(key) {
      const value = young.get(key);
      if (value !== undefined) return value;
      const older = old.get(key);
      if (older !== undefined) add(ownCopy(key), ownCopy(older));
      return older;
    },
    set(key, value, readIn) {
      if (maxBytes > 0 && readIn === epoch) add(key, value);
    },
    clear() {
      young = new Map();
      old = new Map();
      youngBytes = 0;
      oldBytes = 0;
      epoch++;
    },
    get epoch() {
      return epoch;
    },
    get bytes() {
      return youngBytes + oldBytes;
    },
  };
}

/** A string with memory of its own: what outlives its batch must not keep the batch alive. */
function ownCopy(text: string): string {
  return Buffer.from(text).toString();
}
