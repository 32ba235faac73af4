import { createHash } from 'node:crypto';
import { BoundedMap } from '../../asyncrpc/bounded-map.ts';
import { type Limits, noHits } from '../../asyncrpc/limits.ts';

/** Limits on failed logins. */
export type LoginLimits = Pick<
  Limits,
  'loginFailureDelayMs' | 'maxLoginFailures' | 'loginCautionMs' | 'maxCautiousLogins'
>;

/** A login that waits to be checked. */
export interface Turn {
  /** Resolves when it may be checked, which must then be done at once. */
  readonly come: Promise<void>;
  /** The client is gone, and others no longer wait behind it. `come` then never resolves. */
  leave(): void;
}

/**
 * Slows guessing down, and never refuses a correct login because of somebody's wrong ones. Only wrong logins are counted
 * and answered late. When many have failed, of one user from one address, logins of that user from there are checked in
 * turn, so many a second: that limits guesses even of clients that hang up at once, over any number of connections, and a
 * correct login waits at most for those who came before it. Nobody else waits at all.
 */
export interface LoginThrottle {
  /** Null when a login may be checked now; call this right before checking it. */
  turn(address: string, username: string): Turn | null;
  /** Counts a failure, at once; resolves when it may be answered. */
  failed(address: string, username: string): Promise<void>;
}

/** Logins of one user from one address. */
interface Pair {
  /** When the latest of them failed; no more than are counted. */
  times: number[];
  cautiousUntil: number;
  /** In order of arrival. */
  readonly waiting: Set<() => void>;
  /** The timer of the next turn; only one, however logins come and go. */
  pacing: boolean;
}

/** At most this many pairs are remembered: a guesser can make up any number of names. */
const MAX_PAIRS = 10_000;
const FAILURES_WITHIN_MS = 60_000;

/**
 * @param hits counts when one of the limits is met
 * @param now a clock in milliseconds that never goes back
 */
export function createLoginThrottle(
  limits: LoginLimits,
  hits = noHits(),
  now = () => performance.now(),
): LoginThrottle {
  const { loginFailureDelayMs, maxLoginFailures, loginCautionMs, maxCautiousLogins } = limits;
  /** In the order of their last failure. */
  const pairs = new BoundedMap<string, Pair>(MAX_PAIRS);

  /** Gives the next login its turn at intervals, as long as one waits. */
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
      hits.maxCautiousLogins++;
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
      hits.loginFailureDelayMs++;
      if (pair.times.length >= maxLoginFailures) {
        hits.maxLoginFailures++;
        pair.cautiousUntil = failedAt + loginCautionMs;
      }
      pairs.set(key, pair);
      pairs.trim();
      return new Promise((resolve) => setTimeout(resolve, loginFailureDelayMs));
    },
  };
}

/** Of one length, however long a made-up name is. */
function keyOf(address: string, username: string): string {
  return createHash('sha256').update(`${address}\0${username}`).digest('base64');
}
