import { Fifo } from '../../asyncrpc/fifo.ts';

/** Combines the look-ups of many callers, one query at a time. */
export interface Batcher<Key, Value> {
  /** The values of the keys, in their order. Rejects as a whole when the query fails. */
  get(keys: readonly Key[]): Promise<readonly Value[]>;
}

interface Asker<Key, Value> {
  readonly keys: readonly Key[];
  readonly resolve: (values: readonly Value[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Collects every key asked while the last query runs and looks them up in the next one. The cost of a look-up on the
 * `sqlite3` package is the thread hop, not the SQL: hops per batch decide.
 * @param query answers keys in order, at most `maxKeys` of them
 * @param read turns the query's result into values; it runs while the next query does
 */
export function createBatcher<Key, Value, Found>(
  query: (keys: readonly Key[]) => Promise<Found>,
  read: (found: Found, keys: readonly Key[]) => readonly Value[],
  maxKeys = 256,
): Batcher<Key, Value> {
  const askers = new Fifo<Asker<Key, Value>>();
  let running = false;
  /** The last query had one caller and no others waited, as when a single client waits for each answer: do not wait for more. */
  let alone = false;

  function next(): void {
    running = !askers.isEmpty;
    if (!running) return;
    const taken = takeSome();
    alone = taken.length === 1 && askers.isEmpty;
    const keys = taken.length === 1 ? taken[0]!.keys : taken.flatMap((asker) => asker.keys);
    query(keys).then(
      (found) => {
        // Start the next query first: its thread must not wait while this one's result is processed here.
        next();
        try {
          answer(taken, read(found, keys));
        } catch (error) {
          refuse(taken, error);
        }
      },
      (error) => {
        next();
        refuse(taken, error);
      },
    );
  }

  function takeSome(): Asker<Key, Value>[] {
    let keys = 0;
    let count = 0;
    for (let asker = askers.at(0); asker; asker = askers.at(count)) {
      if (count > 0 && keys + asker.keys.length > maxKeys) break;
      keys += asker.keys.length;
      count++;
    }
    return askers.takeMany(count);
  }

  function answer(taken: readonly Asker<Key, Value>[], values: readonly Value[]): void {
    if (taken.length === 1) return taken[0]!.resolve(values);
    let at = 0;
    for (const asker of taken) {
      asker.resolve(values.slice(at, at + asker.keys.length));
      at += asker.keys.length;
    }
  }

  function refuse(taken: readonly Asker<Key, Value>[], error: unknown): void {
    for (const asker of taken) asker.reject(error);
  }

  return {
    get: (keys) =>
      new Promise((resolve, reject) => {
        askers.push({ keys, resolve, reject });
        if (running) return;
        running = true;
        // What other connections sent at the same moment is read before an immediate runs, so it joins this query.
        if (alone) next();
        else setImmediate(next);
      }),
  };
}
