import { randomUUID } from 'node:crypto';
import { ProtocolError } from '../errors.ts';
import type { Logger } from '../log.ts';

/** The header in which a server that asks its upstream names itself and everybody whose questions it passes on. */
export const VIA_HEADER = 'bakeserv-via';

/**
 * Notices when upstreams form a loop: a server that finds its own name among those a connection comes by way of would
 * be asking itself. BitBake's servers ignore the header, so a loop through one of them is not noticed.
 */
export interface LoopGuard {
  /** The value of the header towards the upstream. */
  readonly via: string;
  /** Notes who is below. Throws ProtocolError when that is ourselves. */
  admit(via: readonly string[]): void;
  /** Called when somebody new is below: the upstream is to be told. */
  onGrow(listener: () => void): void;
}

/** How a refusal begins that a loop is the reason of; the asking server knows it by that. */
export const LOOP = 'upstream loop: ';

/** A connection that is part of a loop of upstreams. The guard has logged it. */
export class LoopError extends ProtocolError {}

/** Servers below that are remembered. A server has a new name after each start, so the oldest give way. */
const MAX_NAMES = 64;

export function createLoopGuard(log: Logger): LoopGuard {
  const own = randomUUID().slice(0, 8);
  const below = new Set<string>();
  const listeners: (() => void)[] = [];
  /** The last loop that was logged: its servers go on asking, and one line is enough. */
  let logged = '';
  return {
    get via() {
      return [own, ...below].join(',');
    },
    admit(via) {
      if (via.includes(own)) {
        const message = `${LOOP}this server would be asking itself; give one of the chain another upstream or none`;
        if (logged !== via.join()) log.error(message, { via: via.join() });
        logged = via.join();
        throw new LoopError(message);
      }
      const names = via.slice(0, MAX_NAMES).filter((name) => /^[0-9a-f]{8}$/.test(name));
      const isNew = names.some((name) => !below.has(name));
      for (const name of names) {
        below.delete(name);
        below.add(name);
        if (below.size > MAX_NAMES) below.delete(below.values().next().value!);
      }
      if (!isNew) return;
      for (const listener of listeners) listener();
    },
    onGrow: (listener) => void listeners.push(listener),
  };
}
