import type { Duplex } from 'node:stream';
import type { Logger } from '../../log.ts';
import { createDesk } from '../connection/blocks.ts';
import { Connection } from '../connection/connection.ts';
import { HubFigures } from '../hub-figures.ts';
import type { Limits } from '../limits.ts';
import type { Rights } from '../rights.ts';
import type { Carrier, Host, Peer, Place, Service } from '../service.ts';
import { Account } from '../shares/account.ts';
import { Turns } from '../shares/turns.ts';
import { createTicker } from '../ticker.ts';
import { Admission } from './admission.ts';
import { type Seat, Seats } from './seats.ts';

const TICK_MS = 250;

const BYTES: Carrier = { chunked: true, heldBytes: () => 0 };

/** A client that is counted with the others and served by somebody else. */
export interface Loan {
  /** For a layer that hands the client on to `accept`. */
  readonly place: Place;
  /** Notes what is held for it now: in all, of that an incomplete request, and answers not yet sent. */
  hold(heldBytes: number, partialBytes: number, unsentBytes: number): void;
  /** Whether more may be read; if not, its owner is told when. */
  readonly mayRead: boolean;
  /** Resolves when an answer of any length may be fetched; null when it may be at once. Room is kept until `fetched`. */
  untilRoom(): Promise<void> | null;
  fetched(): void;
  /** It has said what it wants: what is slow from here on is no handshake. */
  ready(): void;
  /** It is served so no longer; called by itself when its stream closes. */
  end(): void;
}

/** Who serves such a client. */
export interface LoanOwner {
  /** There is room for what it waits for: it may go on. */
  onRoom(): void;
  /** It has stalled, and others wait for the room it holds: it must give that up. */
  giveUp(): void;
  /** Its rights were taken back: what was read is answered, then it is closed. */
  letGo(): void;
}

/** All connections of a server, over any transport: the limits they share, their clock, and shutting them down. */
export interface Hub extends Host {
  /** Clients connected now. */
  readonly size: number;
  /** How many clients were refused before they were served, by the reason as it is logged. */
  readonly refusals: ReadonlyMap<string, number>;
  /** Bytes held for all clients. */
  readonly heldBytes: number;
  /** Milliseconds since the last client was connected; 0 while one is. */
  readonly idleMs: number;
  /**
   * Lets every client that came with these rights finish what was read from it, then closes its connection: it comes back
   * with others. Nobody is let in with them any more. They are known by their object, not by what it holds.
   */
  letGo(rights: Rights): void;
  /**
   * Counts a client that its owner serves, as long as its stream is open. Past the connection limit the stream is
   * destroyed: null.
   */
  lend(stream: Duplex, peer: Peer, owner: LoanOwner): Loan | null;
  /** Lets every connection finish what was read from it, then closes it; destroys those left after the drain time. */
  drain(): Promise<void>;
}

/** Who wants to know whether there are clients. */
export interface Presence {
  /** One has come. Called for each. */
  wake(): void;
  /** The last one has gone. */
  rest(): void;
}

/** The hub, for whom it need not be hidden what a service is. */
export interface ServerHub extends Hub {
  /** By its protocol, each service that the client's listener speaks. */
  servicesFor(peer: Peer): ReadonlyMap<string, Service>;
}

/**
 * @param services what the first word of a connection may be
 * @param figures counts what happens on all connections
 * @param presence told of every client that comes, and when the last one has gone
 */
export function createHub(
  services: readonly Service[],
  limits: Limits,
  log: Logger,
  figures = new HubFigures(),
  presence: Presence | null = null,
): ServerHub {
  const byProtocol = new Map(services.map((service) => [service.protocol, service]));
  const byRights = new WeakMap<Rights, ReadonlyMap<string, Service>>();
  /** Rights that were taken back. */
  const past = new WeakSet<Rights>();
  const connections = new Set<Connection>();
  /** Who serves clients that are no connections of ours. */
  const owners = new Map<LoanOwner, Peer>();
  const admission = new Admission(limits, figures.hits);
  const account = new Account(limits, figures.hits);
  const turns = new Turns();
  const desk = createDesk();
  let emptySince = performance.now();
  let onEmpty: (() => void) | null = null;
  const seats = new Seats(limits, admission, log, figures, () => {
    emptySince = performance.now();
    presence?.rest();
    onEmpty?.();
  });

  let lastTick = 0;
  const ticker = createTicker(TICK_MS, () => {
    const now = performance.now();
    admission.evictStalled(now - lastTick);
    account.relieve(now - lastTick);
    lastTick = now;
    for (const connection of connections) connection.checkTime(now);
    seats.checkTime(now);
    return seats.size > 0;
  });
  const wake = () => {
    // While nobody was connected there were no ticks.
    if (seats.size === 1) lastTick = performance.now();
    ticker.wake();
    presence?.wake();
  };

  /** What is spoken with a client; the same map for all clients of a listener. */
  const servicesFor = ({ rights }: Peer): ReadonlyMap<string, Service> => {
    if (!rights?.protocols) return byProtocol;
    let spoken = byRights.get(rights);
    if (!spoken) {
      spoken = new Map([...byProtocol].filter(([protocol]) => rights.protocols!.includes(protocol)));
      byRights.set(rights, spoken);
    }
    return spoken;
  };

  const start = ({ stream, address, since }: Seat, peer: Peer, carrier: Carrier) => {
    const connection = new Connection(stream, peer, address, since, {
      services: servicesFor(peer),
      limits,
      log,
      carrier,
      account,
      turns,
      desk,
      figures,
      onReady: () => admission.done(connection),
      onClose: () => {
        connections.delete(connection);
        admission.done(connection);
      },
    });
    connections.add(connection);
    admission.begin(connection);
    wake();
  };

  /** The seat of a client that can be served. */
  const seatOf = (stream: Duplex, peer: Peer): Seat | null => {
    // A client may have been under way, in the handshake of its transport, when its rights were taken back.
    if (!peer.rights || !past.has(peer.rights)) return seats.take(stream, peer);
    seats.discard(stream);
    return null;
  };

  return {
    turns,
    accept(stream, peer, carrier = BYTES) {
      const seat = seatOf(stream, peer);
      if (seat) start(seat, peer, carrier);
    },
    lend(stream, peer, owner) {
      const seat = seatOf(stream, peer);
      if (!seat) return null;
      let onFetch: (() => void) | null = null;
      const holder = {
        address: seat.address,
        destroy: () => seat.destroy(),
        onRoom() {
          const fetch = holding.fetching ? onFetch : null;
          if (fetch) onFetch = null;
          fetch?.();
          owner.onRoom();
        },
        giveUp: () => owner.giveUp(),
      };
      const holding = account.open(holder);
      const ready = () => admission.done(holder);
      const end = () => {
        owners.delete(owner);
        ready();
        holding.close();
      };
      owners.set(owner, peer);
      admission.begin(holder);
      stream.once('close', end);
      wake();
      return {
        place: seat,
        hold: (heldBytes, partialBytes, unsentBytes) => holding.set(heldBytes, partialBytes, unsentBytes),
        get mayRead() {
          holding.isRead = holding.mayRead;
          return holding.isRead;
        },
        untilRoom() {
          if (holding.mayFetch) return null;
          return new Promise((resolve) => {
            onFetch = resolve;
          });
        },
        fetched: () => holding.fetched(),
        ready,
        end,
      };
    },
    arrive(socket, peer, onLate) {
      const seat = seats.arrive(socket, peer, onLate);
      if (seat) wake();
      return seat;
    },
    servicesFor,
    refuse: (socket, peer, what, fields) => seats.refuse(socket, peer, what, fields),
    refusals: seats.refusals,
    get size() {
      return seats.size;
    },
    get heldBytes() {
      return account.held;
    },
    figures,
    get idleMs() {
      return seats.size > 0 ? 0 : performance.now() - emptySince;
    },
    letGo(rights) {
      past.add(rights);
      for (const connection of connections) if (connection.peer.rights === rights) connection.drain();
      for (const [owner, peer] of owners) if (peer.rights === rights) owner.letGo();
    },
    async drain() {
      const empty = new Promise<void>((resolve) => {
        onEmpty = resolve;
        if (seats.size === 0) resolve();
      });
      for (const connection of connections) connection.drain();
      seats.close();
      const timer = setTimeout(() => {
        if (seats.size > 0) figures.hits.drainTimeoutMs++;
        if (seats.size > 0)
          log.warn('clients still busy at the end of the drain time: closed', { clients: seats.size });
        seats.destroyAll();
      }, limits.drainTimeoutMs);
      await empty;
      clearTimeout(timer);
      ticker.close();
    },
  };
}
