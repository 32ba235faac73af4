import { randomBytes } from 'node:crypto';
import { LoopError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { BoundedMap } from '../bounded-map.ts';

/**
 * Notices when upstreams form a loop. A server shows its upstream a nonce with each connection, and whoever is shown one
 * shows it to its own upstream: one that comes back to its maker has been all the way round. Nothing else proves a loop:
 * nonces go upwards, so no client below knows one, and one that a client makes up belongs to nobody. BitBake's servers ignore the
 * header, so a loop through one of them is not noticed.
 *
 * Only one server of a loop leaves it, the one with the smallest name: that loses least, and the
 * others need not find out again who leaves.
 */
export interface LoopGuard {
  /** The header's value for a connection to the upstream: a new nonce. */
  trace(): string;
  /**
   * Takes the header of a connection.
   * @throws LoopError when it proves that this server is asking itself, and it is the one that must leave the loop
   */
  admit(via: readonly string[]): void;
  /** Called with the nonce of a server below, as the header value to show to the upstream. */
  onForeign(listener: (via: string) => void): void;
  /** Called when a loop is proved: the upstream must not be asked any more. */
  onLoop(listener: () => void): void;
}

/** The error text for a loop. */
export const LOOP = 'upstream loop: this server would be asking itself; give one of the chain another upstream or none';

/** A nonce, how many servers may still pass it on, and the smallest name of those that did. */
const VIA = /^([0-9a-f]{32})\/(\d{1,2})\/([0-9a-f]{16})$/;
/** A longer loop goes unnoticed. It also stops a nonce in a loop that its maker is not part of. */
const MAX_HOPS = 32;
/** Nonces of recent connections: one comes back within moments or never. */
const MAX_NONCES = 256;
/** A loop lasts until somebody changes a setting. */
const LOG_EVERY_MS = 600_000;

export function createLoopGuard(log: Logger): LoopGuard {
  const name = randomBytes(8).toString('hex');
  const nonces = new BoundedMap<string, true>(MAX_NONCES);
  const foreignListeners: ((via: string) => void)[] = [];
  const loopListeners: (() => void)[] = [];
  let loggedAt = Number.NEGATIVE_INFINITY;

  function leave(): never {
    const now = performance.now();
    if (now - loggedAt > LOG_EVERY_MS) {
      loggedAt = now;
      log.error(LOOP);
    }
    for (const listener of loopListeners) listener();
    throw new LoopError(LOOP);
  }

  return {
    trace() {
      const nonce = randomBytes(16).toString('hex');
      nonces.set(nonce, true);
      nonces.trim();
      return `${nonce}/${MAX_HOPS}/${name}`;
    },
    admit([via = '']) {
      const found = VIA.exec(via);
      if (!found) return;
      const [, nonce, hops, smallest] = found as unknown as [string, string, string, string];
      if (nonces.has(nonce)) {
        if (smallest >= name) leave();
        return;
      }
      const left = Math.min(Number(hops), MAX_HOPS) - 1;
      if (left < 0) return;
      for (const listener of foreignListeners) listener(`${nonce}/${left}/${smallest < name ? smallest : name}`);
    },
    onForeign: (listener) => void foreignListeners.push(listener),
    onLoop: (listener) => void loopListeners.push(listener),
  };
}
