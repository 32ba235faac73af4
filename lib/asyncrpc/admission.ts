import type { Connection } from './connection.ts';
import { Fifo } from './fifo.ts';
import type { Limits } from './limits.ts';

/** A connection that waits for its turn to shake hands. */
interface Newcomer {
  readonly address: string | null;
  readonly start: () => Connection;
}

/** A handshake takes one round trip: one that has lasted this long makes room for those that wait. */
const STALLED_MS = 1000;

/**
 * Who may shake hands. Only so many connections are in handshake at once, and of those only so many from one network
 * address; the others wait unread, in order. So a burst of honest clients is served a little later rather than
 * dropped, and clients that connect and stay silent are the ones that go.
 */
export class Admission {
  private readonly shaking = new Map<Connection, string | null>();
  private readonly perAddress = new Map<string, number>();
  private readonly newcomers = new Fifo<Newcomer>();
  private readonly limits: Limits;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  get waiting(): number {
    return this.newcomers.length;
  }

  /** Starts the newcomer, now or when there is room. `abandon` on the result takes it out of the queue. */
  admit(newcomer: Newcomer): { abandon: () => void } {
    if (this.hasRoom(newcomer.address)) this.start(newcomer);
    else this.newcomers.push(newcomer);
    return { abandon: () => this.newcomers.remove(newcomer) };
  }

  /** The connection has shaken hands or is gone. */
  done(connection: Connection): void {
    const address = this.shaking.get(connection);
    if (address === undefined || !this.shaking.delete(connection)) return;
    if (address !== null) {
      const left = this.perAddress.get(address)! - 1;
      if (left > 0) this.perAddress.set(address, left);
      else this.perAddress.delete(address);
    }
    if (!this.newcomers.isEmpty) this.startWaiting();
  }

  /** Lets those that wait take the place of handshakes that have stalled. Called now and then. */
  evictStalled(now: number): void {
    for (const newcomer of this.newcomers.oldest(this.limits.maxHandshakes)) {
      for (const [connection, address] of this.shaking) {
        if (now - connection.openedAt < STALLED_MS) return;
        const full = this.shaking.size >= this.limits.maxHandshakes;
        if (!full && address !== newcomer.address) continue;
        connection.destroy();
        this.done(connection);
        break;
      }
    }
  }

  private startWaiting(): void {
    // Past the overall bound the rest need not be looked at: a burst of thousands must not cost their square.
    for (let at = 0; at < this.newcomers.length && this.shaking.size < this.limits.maxHandshakes; ) {
      const newcomer = this.newcomers.at(at)!;
      if (this.hasRoom(newcomer.address)) {
        this.newcomers.remove(newcomer);
        this.start(newcomer);
      } else at++;
    }
  }

  private start(newcomer: Newcomer): void {
    const connection = newcomer.start();
    this.shaking.set(connection, newcomer.address);
    if (newcomer.address !== null) {
      this.perAddress.set(newcomer.address, (this.perAddress.get(newcomer.address) ?? 0) + 1);
    }
  }

  private hasRoom(address: string | null): boolean {
    if (this.shaking.size >= this.limits.maxHandshakes) return false;
    return address === null || (this.perAddress.get(address) ?? 0) < this.limits.maxHandshakesPerAddress;
  }
}
