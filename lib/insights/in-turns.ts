import { setImmediate } from 'node:timers/promises';

/** What takes long, in parts of some milliseconds: others may have a turn at each `yield`. */
export type InTurns<Result> = Generator<void, Result, undefined>;

/** Does all of it at once. */
export function atOnce<Result>(work: InTurns<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/**
 * Does it with turns for others.
 * @throws the signal's reason when it is aborted
 */
export async function inTurns<Result>(work: InTurns<Result>, signal?: AbortSignal): Promise<Result> {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    await setImmediate();
    signal?.throwIfAborted();
  }
}
