/** Bounds on failed logins (reliability.md section 4). */
export interface LoginLimits {
  /** A failed login is answered after this long. */
  readonly failureDelayMs: number;
  /** Failed logins waiting for their answer, for one address. */
  readonly maxPendingPerAddress: number;
  /** After so many failures a minute for one (address, user) … */
  readonly maxFailuresPerMinute: number;
  /** … logins of that user from there are refused for this long. */
  readonly refusalMs: number;
  /** After so many failures of all clients together no more logins are looked at in that second. */
  readonly maxPerSecond: number;
}

export const DEFAULT_LOGIN_LIMITS: LoginLimits = Object.freeze({
  failureDelayMs: 1000,
  maxPendingPerAddress: 10,
  maxFailuresPerMinute: 10,
  refusalMs: 30_000,
  maxPerSecond: 50,
});

/** Slows down guessing, without telling the guesser which bound was met. */
export interface LoginThrottle {
  /**
   * False when the login must fail without being looked at. Ask right before it is looked at, and call `failed` at
   * once when it fails: then no bound is overshot, however many come together.
   */
  allows(address: string, username: string): boolean;
  /** Notes a failure; resolves when it may be answered. */
  failed(address: string, username: string): Promise<void>;
  /** Resolves when a login that was not looked at may be answered. It prolongs no refusal: it may have been right. */
  refused(address: string): Promise<void>;
}

interface Failures {
  times: number[];
  refusedUntil: number;
}

/** No more (address, user) pairs are remembered than this: names are the guesser's to make up. */
const MAX_PAIRS = 10_000;

export function createLoginThrottle(limits: LoginLimits = DEFAULT_LOGIN_LIMITS): LoginThrottle {
  const failures = new Map<string, Failures>();
  const pending = new Map<string, number>();
  let second = 0;
  let failuresThisSecond = 0;

  function failuresIn(now: number): number {
    const current = Math.floor(now / 1000);
    if (current !== second) failuresThisSecond = 0;
    second = current;
    return failuresThisSecond;
  }

  async function delay(address: string): Promise<void> {
    pending.set(address, (pending.get(address) ?? 0) + 1);
    await new Promise((resolve) => setTimeout(resolve, limits.failureDelayMs));
    const left = pending.get(address)! - 1;
    if (left > 0) pending.set(address, left);
    else pending.delete(address);
  }

  return {
    allows(address, username) {
      const now = performance.now();
      if (failuresIn(now) >= limits.maxPerSecond) return false;
      if ((pending.get(address) ?? 0) >= limits.maxPendingPerAddress) return false;
      return now >= (failures.get(pair(address, username))?.refusedUntil ?? 0);
    },
    failed(address, username) {
      const now = performance.now();
      failuresThisSecond = failuresIn(now) + 1;
      const key = pair(address, username);
      const entry = failures.get(key) ?? { times: [], refusedUntil: 0 };
      entry.times = [...entry.times.filter((time) => now - time < 60_000), now].slice(-limits.maxFailuresPerMinute);
      if (entry.times.length >= limits.maxFailuresPerMinute) entry.refusedUntil = now + limits.refusalMs;
      failures.delete(key);
      failures.set(key, entry);
      if (failures.size > MAX_PAIRS) failures.delete(failures.keys().next().value!);
      return delay(address);
    },
    refused: delay,
  };
}

function pair(address: string, username: string): string {
  return `${address}\0${username}`;
}
