import { createHash } from 'node:crypto';
import { BoundedMap } from '../../asyncrpc/bounded-map.ts';
import type { Limits } from '../../asyncrpc/limits.ts';

/** Bounds on failed logins. */
export type LoginLimits = Pick<
  Limits,
  'loginFailureDelayMs' | 'maxLoginFailures' | 'loginCautionMs' | 'maxCautiousLogins'
>;

/** A login that waits to be looked at. */
export interface Turn {
  /** Resolves when it may be looked at: then it is to be, at once. */
  readonly come: Promise<void>;
  /** The client is gone: nobody waits behind it any more. `come` then never resolves. */
  leave(): void;
}

/**
 * Slows guessing down, and never refuses a right login because of somebody's wrong ones. Wrong logins alone are counted
 * and answered late. Where many failed, of one user from one address, logins of that user from there are looked at in
 * turn, so many a second: that bounds guesses also of those who hang up at once, over any number of connections, and a
 * right login waits at most for those who came before it. Nobody else waits at all.
 */
export interface LoginThrottle {
  /** Null when a login may be looked at now; ask right before it is. */
  turn(address: string, username: string): Turn | null;
  /** Notes a failure, at once; resolves when it may be answered. */
  failed(address: string, username: string): Promise<void>;
}

/** Logins of one user from one address. */
interface Pair {
  /** When the last of them failed, at most as many as are counted. */
  times: number[];
  cautiousUntil: number;
  /** In order of arrival. */
  readonly waiting: Set<() => void>;
  /** The next has its turn in a moment; one clock, however they come and go. */
  pacing: boolean;
}

/** No more pairs are remembered than this: names are the guesser's to make up. */
const MAX_PAIRS = 10_000;
const FAILURES_WITHIN_MS = 60_000;

/** @param now a clock in milliseconds that never goes back */
export function createLoginThrottle(limits: LoginLimits, now = () => performance.now()): LoginThrottle {
  const { loginFailureDelayMs, maxLoginFailures, loginCautionMs, maxCautiousLogins } = limits;
  /** The one that failed last is last. */
  const pairs = new BoundedMap<string, Pair>(MAX_PAIRS);

  /** Gives the next its turn every so often, as long as somebody waits. */
  function pace(pair: Pair): void {
    pair.pacing = true;
    setTimeout(() => {
      const [next] = pair.waiting;
      if (!next) {
        pair.pacing = false;
        return;
      }
      pair.waiting.delete(next);
      next();
      pace(pair);
    }, 1000 / maxCautiousLogins);
  }

  return {
    turn(address, username) {
      const pair = pairs.get(keyOf(address, username));
      if (!pair || (!pair.pacing && now() >= pair.cautiousUntil)) return null;
      let goOn = () => {};
      const come = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      pair.waiting.add(goOn);
      if (!pair.pacing) pace(pair);
      return { come, leave: () => void pair.waiting.delete(goOn) };
    },
    failed(address, username) {
      const failedAt = now();
      const key = keyOf(address, username);
      const pair = pairs.get(key) ?? { times: [], cautiousUntil: 0, waiting: new Set(), pacing: false };
      pair.times = [...pair.times.filter((time) => failedAt - time < FAILURES_WITHIN_MS), failedAt].slice(
        -maxLoginFailures,
      );
      if (pair.times.length >= maxLoginFailures) pair.cautiousUntil = failedAt + loginCautionMs;
      pairs.set(key, pair);
      pairs.trim();
      return new Promise((resolve) => setTimeout(resolve, loginFailureDelayMs));
    },
  };
}

/** Of one length, however long a name is made up. */
function keyOf(address: string, username: string): string {
  return createHash('sha256').update(`${address}\0${username}`).digest('base64');
}
