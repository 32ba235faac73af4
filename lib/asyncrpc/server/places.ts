import type { Limits } from '../limits.ts';

/** The share of all connections that is reserved for Unix sockets. */
const UNIX_RESERVE = 1 / 16;

/** The limit that stands in the way of a client. */
export interface Full {
  readonly what: string;
  readonly limit: number;
  readonly name: 'maxConnections' | 'maxConnectionsPerAddress';
}

/**
 * Who may connect at all: only so many at once, only so many of those from one network address, and some places are
 * reserved for Unix sockets, so that whoever administers the machine gets in.
 */
export class Places {
  private readonly limits: Limits;
  private readonly perAddress = new Map<string, number>();
  private total = 0;
  private network = 0;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /** Takes a place: null, or which limit stands in the way. */
  take(address: string | null): Full | null {
    const { maxConnections, maxConnectionsPerAddress } = this.limits;
    const forNetwork = maxConnections - Math.floor(maxConnections * UNIX_RESERVE);
    if (this.total >= maxConnections || (address !== null && this.network >= forNetwork)) {
      return { what: 'connection limit reached: refused', limit: maxConnections, name: 'maxConnections' };
    }
    if (address !== null) {
      const taken = this.perAddress.get(address) ?? 0;
      if (taken >= maxConnectionsPerAddress) {
        const what = 'connection limit of an address reached: refused';
        return { what, limit: maxConnectionsPerAddress, name: 'maxConnectionsPerAddress' };
      }
      this.perAddress.set(address, taken + 1);
      this.network++;
    }
    this.total++;
    return null;
  }

  /** Keeps the place of a client that is at another address than it seemed: null, or which limit stands in the way. */
  move(from: string | null, to: string | null): Full | null {
    if (from === to) return null;
    this.leave(from);
    const full = this.take(to);
    // It still has its old place, which its end gives back.
    if (full) this.take(from);
    return full;
  }

  /** Gives a place back. */
  leave(address: string | null): void {
    this.total--;
    if (address === null) return;
    this.network--;
    const left = this.perAddress.get(address)! - 1;
    if (left > 0) this.perAddress.set(address, left);
    else this.perAddress.delete(address);
  }
}

/**
 * The form of an address that limits are counted by: an IPv6 client has a whole /64 to itself, and an IPv4 client may come in
 * the form of IPv6.
 */
export function countedAddress(address: string | null): string | null {
  if (address === null || !address.includes(':')) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  const [before = '', after] = address.replace(/%.*$/, '').split('::');
  const left = before === '' ? [] : before.split(':');
  if (after !== undefined) {
    const right = after === '' ? [] : after.split(':');
    while (left.length + right.length < 8) left.push('0');
    left.push(...right);
  }
  return `${left.slice(0, 4).join(':')}::/64`;
}
