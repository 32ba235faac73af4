import type { Duplex } from 'node:stream';
import type { LogFields, Logger } from '../../log.ts';
import type { HubFigures, ListenerFigures } from '../hub-figures.ts';
import type { Limits } from '../limits.ts';
import type { Peer, Place } from '../service.ts';
import type { Admission } from './admission.ts';
import { countedAddress, type Full, Places } from './places.ts';

/** How long a client that is late may take to read why. */
const LINGER_MS = 1000;

/** A client's place, from its first byte to its last: what limits count, whatever the client is by now. */
export class Seat implements Place {
  readonly since = performance.now();
  /** What carries the client: its socket, later what the layers above have made of that. */
  stream: Duplex;
  /** The address it is counted by. */
  address: string | null;
  /** Its time to say what it wants is over, and it was told so. */
  isLate = false;

  /** What the listener it came by counts. */
  readonly listener: ListenerFigures;

  constructor(stream: Duplex, address: string | null, listener: ListenerFigures) {
    this.stream = stream;
    this.address = address;
    this.listener = listener;
    listener.accepted++;
    listener.open++;
  }

  destroy(): void {
    this.stream.destroy();
  }
}

/** Everybody who is connected, also those who cannot be served yet: who gets a place, and who must go again. */
export class Seats {
  /** How many were refused, by the reason as it is logged. */
  readonly refusals = new Map<string, number>();
  private readonly taken = new Set<Seat>();
  /** Those that are yet to be served, and what ends them when that takes too long. */
  private readonly arrivals = new Map<Seat, () => void>();
  private readonly limits: Limits;
  private readonly admission: Admission;
  private readonly log: Logger;
  private readonly places: Places;
  private readonly figures: HubFigures;
  private readonly onEmpty: () => void;
  private closed = false;

  /** @param onEmpty the last client has gone */
  constructor(limits: Limits, admission: Admission, log: Logger, figures: HubFigures, onEmpty: () => void) {
    this.limits = limits;
    this.admission = admission;
    this.log = log;
    this.places = new Places(limits);
    this.figures = figures;
    this.onEmpty = onEmpty;
  }

  /** Clients connected now. */
  get size(): number {
    return this.taken.size;
  }

  /** For a transport that does not let a client in. */
  refuse(stream: Duplex, peer: Peer, what: string, fields: LogFields = {}): void {
    this.figures.rejected.transport++;
    this.turnAway(stream, peer, what, fields);
  }

  private turnAway(stream: Duplex, peer: Peer, what: string, fields: LogFields): void {
    this.refusals.set(what, (this.refusals.get(what) ?? 0) + 1);
    this.log.warn(what, { peer: peer.name, ...fields });
    this.discard(stream);
  }

  /** A seat for a client that can be served: the one it has, or a new one. Null, and the stream destroyed, if there is none. */
  take(stream: Duplex, peer: Peer): Seat | null {
    return peer.place instanceof Seat ? this.keepSeat(peer.place, stream, peer) : this.newSeat(stream, peer);
  }

  /** The same for a client from which something must be read first. */
  arrive(socket: Duplex, peer: Peer, onLate: () => void): Seat | null {
    const seat = this.take(socket, peer);
    if (!seat) return null;
    this.admission.begin(seat);
    this.arrivals.set(seat, onLate);
    return seat;
  }

  /** Ends those whose time to say what they want is over. */
  checkTime(now: number): void {
    for (const [seat, onLate] of this.arrivals) {
      const late = now - seat.since - this.limits.handshakeTimeoutMs;
      if (late > LINGER_MS) seat.destroy();
      else if (late > 0 && !seat.isLate) {
        seat.isLate = true;
        this.figures.hits.handshakeTimeoutMs++;
        onLate();
      }
    }
  }

  /** Lets nobody in any more. Those that are yet to be served have asked for nothing: they go at once. */
  close(): void {
    this.closed = true;
    for (const seat of this.arrivals.keys()) seat.destroy();
  }

  destroyAll(): void {
    for (const seat of this.taken) seat.destroy();
  }

  /** Ends a stream that has no seat, or whose seat goes with it. */
  discard(stream: Duplex): void {
    stream.on('error', () => {});
    stream.destroy();
  }

  private refuseFull(stream: Duplex, peer: Peer, { what, limit, name }: Full): void {
    this.figures.hits[name]++;
    this.turnAway(stream, peer, what, { limit });
  }

  private newSeat(stream: Duplex, peer: Peer): Seat | null {
    const address = countedAddress(peer.address);
    const full = this.closed ? null : this.places.take(address);
    if (this.closed || full) {
      if (full) this.refuseFull(stream, peer, full);
      else this.discard(stream);
      return null;
    }
    const seat = new Seat(stream, address, peer.listener ?? this.figures.others);
    this.taken.add(seat);
    this.watch(seat, stream);
    return seat;
  }

  /** The client is at its own address from now on, where it had that of a proxy. */
  private keepSeat(seat: Seat, stream: Duplex, peer: Peer): Seat | null {
    this.arrived(seat);
    // It may have gone in the meantime.
    if (this.closed || stream.destroyed || !this.taken.has(seat)) {
      this.discard(stream);
      seat.destroy();
      return null;
    }
    const address = countedAddress(peer.address);
    const full = this.places.move(seat.address, address);
    if (full) {
      this.refuseFull(stream, peer, full);
      seat.destroy();
      return null;
    }
    seat.address = address;
    if (seat.stream !== stream) {
      seat.stream = stream;
      this.watch(seat, stream);
    }
    return seat;
  }

  private watch(seat: Seat, stream: Duplex): void {
    stream.on('error', () => {});
    stream.once('close', () => {
      // Another stream may carry the client by now.
      if (seat.stream === stream) this.leave(seat);
    });
  }

  private leave(seat: Seat): void {
    this.arrived(seat);
    this.taken.delete(seat);
    this.places.leave(seat.address);
    seat.listener.open--;
    if (this.taken.size === 0) this.onEmpty();
  }

  private arrived(seat: Seat): void {
    if (this.arrivals.delete(seat)) this.admission.done(seat);
  }
}
