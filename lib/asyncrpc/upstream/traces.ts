/** Shows an upstream nonces: those of servers below, and our own (see loop-guard.ts). */
export interface Traces {
  /** Shows the nonce of a server below, and a new one of our own, because the servers below may have changed. */
  passOn(via: string): void;
  close(): void;
}

/** How many at once, and in a second: clients may make up as many as they like, and a loop can be found a moment later too. */
const MAX_UNDER_WAY = 8;
const MAX_A_SECOND = 16;
/** The least time between two nonces of our own. */
const OWN_EVERY_MS = 1000;

/**
 * @param show connects to the upstream with this header, or with a new nonce of our own, and disconnects
 */
export function createTraces(show: (via?: string) => Promise<unknown>): Traces {
  let underWay = 0;
  let secondBegan = 0;
  let begun = 0;
  let ownAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | null = null;

  function begin(via?: string): void {
    const now = performance.now();
    if (now - secondBegan > 1000) {
      secondBegan = now;
      begun = 0;
    }
    if (underWay >= MAX_UNDER_WAY || begun >= MAX_A_SECOND) return;
    underWay++;
    begun++;
    const end = () => void underWay--;
    show(via).then(end, end);
  }

  function showOwn(): void {
    timer = null;
    ownAt = performance.now();
    begin();
  }

  return {
    passOn(via) {
      begin(via);
      // Not skipped even if the last was a moment ago: the loop may have formed since.
      timer ??= setTimeout(showOwn, Math.max(0, ownAt + OWN_EVERY_MS - performance.now())).unref();
    },
    close() {
      if (timer) clearTimeout(timer);
    },
  };
}
