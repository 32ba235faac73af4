import { BackOff } from '../asyncrpc/back-off.ts';

/** What rounds need of time. */
export interface Clock {
  /** Calls it once after so long, unless the function that is returned was called before. */
  after(ms: number, call: () => void): () => void;
  /** From 0 up to 1. */
  random(): number;
}

/** Rounds keep no process alive. */
export const SYSTEM_CLOCK: Clock = {
  after(ms, call) {
    const timer = setTimeout(call, ms).unref();
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

/** The first pause after a failure, unless rounds come more often than that. */
const FIRST_MS = 5000;

export interface Rounds {
  /** The first round begins. */
  begin(): void;
  /** None begins any more. */
  close(): void;
}

/**
 * Runs a round after the other, each so long after the end of the one before: never two at once, however long one takes. After a
 * failure the next comes sooner, and with every further one later, up to the usual pause.
 * @param round resolves to whether it went well; never rejects
 */
export function createRounds(everyMs: number, round: () => Promise<boolean>, clock: Clock = SYSTEM_CLOCK): Rounds {
  const backOff = new BackOff(Math.min(FIRST_MS, everyMs), everyMs);
  let cancel: (() => void) | null = null;
  let begun = false;
  let closed = false;

  /** Up to a tenth less: servers that were started together must not come back together. */
  function pauseAfter(wentWell: boolean): number {
    if (wentWell) backOff.reset();
    return (wentWell ? everyMs : backOff.next()) * (1 - clock.random() / 10);
  }

  async function turn(): Promise<void> {
    cancel = null;
    const wentWell = await round();
    if (!closed) cancel = clock.after(pauseAfter(wentWell), () => void turn());
  }

  return {
    begin() {
      if (begun || closed) return;
      begun = true;
      void turn();
    },
    close() {
      closed = true;
      cancel?.();
    },
  };
}
