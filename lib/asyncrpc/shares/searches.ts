import PQueue from 'p-queue';
import { InvokeError } from '../../errors.ts';

/** Searches that go through a table at once. */
const AT_ONCE = 2;
/** Those that wait for them; more are refused. */
const MOST_WAITING = 16;
/** Whoever searches waits no longer for the end of it, and gets what was found. */
const SEARCH_MS = 3000;

/** Searches that no index answers. However many clients ask, they take turns: each costs others a few slices of a connection. */
export interface Searches {
  /**
   * @param search is told whether its time is over: it then answers with what it has
   * @throws InvokeError when too many wait
   */
  run<T>(search: (isLate: () => boolean) => Promise<T>): Promise<T>;
}

export function createSearches(searchMs = SEARCH_MS): Searches {
  const queue = new PQueue({ concurrency: AT_ONCE });
  return {
    run<T>(search: (isLate: () => boolean) => Promise<T>): Promise<T> {
      if (queue.size >= MOST_WAITING)
        throw new InvokeError('too many searches wait already: ask again', undefined, 'unavailable');
      return queue.add(() => {
        const until = performance.now() + searchMs;
        return search(() => performance.now() >= until);
      });
    },
  };
}
