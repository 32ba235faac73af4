import type { Duplex } from 'node:stream';
import type { Logger } from '../log.ts';
import { Admission } from './admission.ts';
import { Connection } from './connection.ts';
import type { Limits } from './limits.ts';
import type { Carrier, Peer, Service } from './service.ts';

const TICK_MS = 250;

const BYTES: Carrier = { chunked: true, heldBytes: () => 0 };

/** The connections of a server, whatever carries them: limits that concern them all, their clock, and their end. */
export interface Hub {
  /** Serves a client on a byte stream. Past the connection limit the stream is destroyed. */
  accept(stream: Duplex, peer: Peer, carrier?: Carrier): void;
  /** Clients connected now. */
  readonly size: number;
  /** Milliseconds since the last client was connected; 0 while one is. */
  readonly idleMs: number;
  /** Lets every connection finish what was read from it, then closes it; destroys what is left after the drain time. */
  drain(): Promise<void>;
}

/** @param services what the first word of a connection may be */
export function createHub(services: readonly Service[], limits: Limits, log: Logger): Hub {
  const byProtocol = new Map(services.map((service) => [service.protocol, service]));
  const connections = new Set<Connection>();
  const streams = new Set<Duplex>();
  const admission = new Admission(limits);
  let partialBytes = 0;
  let emptySince = performance.now();
  let draining = false;
  let onEmpty: (() => void) | null = null;

  const addPartial = (bytes: number) => {
    partialBytes += bytes;
    return partialBytes <= limits.maxPartialBytes;
  };

  const ticker = setInterval(() => {
    const now = performance.now();
    if (admission.waiting > 0) admission.evictStalled(now);
    for (const connection of connections) connection.checkTime(now);
  }, TICK_MS);
  ticker.unref();

  const forget = (stream: Duplex) => {
    if (!streams.delete(stream) || streams.size > 0) return;
    emptySince = performance.now();
    onEmpty?.();
  };

  const start = (stream: Duplex, peer: Peer, carrier: Carrier) => {
    const connection = new Connection(stream, peer, {
      services: byProtocol,
      limits,
      log,
      carrier,
      addPartial,
      onReady: () => admission.done(connection),
      onClose: () => {
        connections.delete(connection);
        admission.done(connection);
      },
    });
    connections.add(connection);
    // Its turn came because others were hung up: nothing was read from it, so it is hung up as well.
    if (draining) connection.drain();
    return connection;
  };

  return {
    accept(stream, peer, carrier = BYTES) {
      if (draining || streams.size >= limits.maxConnections) {
        if (!draining) log.warn('connection limit reached: refused', { peer: peer.name, limit: limits.maxConnections });
        stream.on('error', () => {});
        stream.destroy();
        return;
      }
      streams.add(stream);
      const place = admission.admit({ address: peer.address, start: () => start(stream, peer, carrier) });
      stream.on('error', () => {});
      stream.once('close', () => {
        place.abandon();
        forget(stream);
      });
    },
    get size() {
      return streams.size;
    },
    get idleMs() {
      return streams.size > 0 ? 0 : performance.now() - emptySince;
    },
    async drain() {
      draining = true;
      const empty = new Promise<void>((resolve) => {
        onEmpty = resolve;
        if (streams.size === 0) resolve();
      });
      for (const connection of connections) connection.drain();
      const timer = setTimeout(() => {
        if (streams.size > 0)
          log.warn('clients still busy at the end of the drain time: closed', { clients: streams.size });
        for (const stream of streams) stream.destroy();
      }, limits.drainTimeoutMs);
      await empty;
      clearTimeout(timer);
      clearInterval(ticker);
    },
  };
}
