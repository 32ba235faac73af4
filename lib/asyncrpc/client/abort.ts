import { setMaxListeners } from 'node:events';

/** Options that every call of a client takes. */
export interface CallOptions {
  /**
   * Gives the call up: it rejects with the signal's reason. A request that was sent already may still be carried out;
   * its answer is thrown away. The connection stays as it is, except that a stream under way ends it.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls `abort` when the signal aborts, at once if it has.
 * @returns takes it back: a signal may outlive any number of calls and clients
 */
export function onAbort(signal: AbortSignal, abort: () => void): () => void {
  if (signal.aborted) {
    abort();
    return () => {};
  }
  // One signal for a thousand calls is ordinary use, and no leak that Node.js must warn of.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}

/** The result of a promise, or the signal's reason as soon as it aborts. The promise itself goes on, unheard. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => reject(signal.reason));
    promise.then(resolve, reject).finally(forget);
  });
}
