import type { Duplex } from 'node:stream';
import type { Peer } from '../service.ts';

/** A layer of a listener that takes clients as they connect. */
export interface Acceptor {
  accept(socket: Duplex, peer: Peer): void;
}
