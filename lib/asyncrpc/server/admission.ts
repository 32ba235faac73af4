import { type LimitHits, type Limits, noHits } from '../limits.ts';

/** A connection in its handshake. */
export interface Newcomer {
  readonly address: string | null;
  destroy(): void;
}

/** A handshake takes one round trip: one that has lasted this long may be closed when there are too many. */
const STALLED_MS = 1000;
/** A blocked event loop has not read what arrived meanwhile, so no more than this counts as a client's time. */
const LONGEST_TICK_MS = 500;

/**
 * Limits slow handshakes. Everybody is read at once, so an honest client is let in after one round trip,
 * however many others connect and stay silent. Only so many handshakes may last a second or more, and only so many of those
 * from one network address. Past that the oldest are closed.
 */
export class Admission {
  /** Those in handshake with their age in milliseconds, oldest first. */
  private readonly shaking = new Map<Newcomer, number>();
  private readonly limits: Limits;

  private readonly hits: LimitHits;

  /** @param hits counts connections that were closed */
  constructor(limits: Limits, hits = noHits()) {
    this.limits = limits;
    this.hits = hits;
  }

  /** Connections in handshake. */
  get size(): number {
    return this.shaking.size;
  }

  begin(newcomer: Newcomer): void {
    this.shaking.set(newcomer, 0);
  }

  /** The connection's handshake is complete, or the connection is gone. */
  done(newcomer: Newcomer): void {
    this.shaking.delete(newcomer);
  }

  /** Closes the oldest of too many. Called a few times a second. */
  evictStalled(elapsedMs: number): void {
    const perAddress = new Map<string, number>();
    let stalled = 0;
    for (const [newcomer, age] of this.shaking) {
      const now = age + Math.min(elapsedMs, LONGEST_TICK_MS);
      this.shaking.set(newcomer, now);
      if (now < STALLED_MS) continue;
      stalled++;
      const { address } = newcomer;
      if (address !== null) perAddress.set(address, (perAddress.get(address) ?? 0) + 1);
    }
    let excess = stalled - this.limits.maxHandshakes;
    for (const [newcomer, age] of [...this.shaking]) {
      if (age < STALLED_MS) return;
      const { address } = newcomer;
      const ofAddress = address === null ? 0 : perAddress.get(address)!;
      if (excess <= 0 && ofAddress <= this.limits.maxHandshakesPerAddress) continue;
      if (address !== null) perAddress.set(address, ofAddress - 1);
      this.hits[excess > 0 ? 'maxHandshakes' : 'maxHandshakesPerAddress']++;
      excess--;
      this.shaking.delete(newcomer);
      newcomer.destroy();
    }
  }
}
