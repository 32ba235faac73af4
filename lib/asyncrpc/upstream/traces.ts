/** Shows nonces to an upstream, of servers below and of our own (see loop-guard.ts). */
export interface Traces {
  /** Shows the nonce of a server below; and a new one of our own, as who is below may have changed. */
  passOn(via: string): void;
  close(): void;
}

/** On their way at once, and begun within a second: clients may make up as many as they like, and a loop shows a moment later too. */
const MAX_UNDER_WAY = 8;
const MAX_A_SECOND = 16;
/** Our own is shown at most so often. */
const OWN_EVERY_MS = 1000;

/**
 * @param show makes a connection to the upstream with this header, or with a new nonce of our own, and ends it again
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
      // Not left out where the last was a moment ago: the loop may be closed only since then.
      timer ??= setTimeout(showOwn, Math.max(0, ownAt + OWN_EVERY_MS - performance.now())).unref();
    },
    close() {
      if (timer) clearTimeout(timer);
    },
  };
}
