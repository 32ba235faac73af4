/** A clock that only runs while there is something to look at. */
export interface Ticker {
  /** There is something to look at. Cheap enough for every request. */
  wake(): void;
  close(): void;
}

/**
 * Calls `look` every so often, from when it is woken until `look` returns false: nothing is left then that time could
 * change. A timer that merely keeps no process alive would still wake one that is left alone, several times a second.
 */
export function createTicker(everyMs: number, look: () => boolean): Ticker {
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  function stop(): void {
    clearInterval(timer ?? undefined);
    timer = null;
  }

  function tick(): void {
    if (!look()) stop();
  }

  return {
    wake() {
      if (!closed) timer ??= setInterval(tick, everyMs).unref();
    },
    close() {
      closed = true;
      stop();
    },
  };
}
