import type net from 'node:net';
import type { Host, Peer } from '../service.ts';
import { type Proxies, peerFrom } from './proxies.ts';
import { readProxyHeader } from './proxy-protocol.ts';

/** Takes the sockets of a listener, or of the layer below. */
export type Accept = (socket: net.Socket, peer: Peer) => void;

/**
 * The lowest layer of a listener with `proxy-protocol`: takes the header off, and hands on the socket with the client that the
 * header names. Whoever is no trusted proxy is refused: their header would make them anybody. A client whose header has
 * not come is one in its handshake, with the limits and the time of those.
 */
export function acceptProxied(host: Host, proxies: Proxies, accept: Accept): Accept {
  return (socket, peer) => {
    if (!proxies.trusts(peer.address)) return host.refuse(socket, peer, 'not one of --trust-proxy: refused');
    const refuse = (why: string) => host.refuse(socket, peer, 'no good PROXY header: refused', { why });
    const place = host.arrive(socket, peer, () => refuse('it did not come in time'));
    if (!place) return;
    let held: Buffer = Buffer.alloc(0);
    let atLeast = 1;

    const read = () => {
      const chunk: Buffer | null = socket.read();
      if (!chunk) return;
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      // Pieces of a byte must not have everything looked at again and again.
      if (held.length < atLeast) return;
      const reading = readProxyHeader(held);
      if (reading.kind === 'more') {
        atLeast = reading.atLeast;
        return;
      }
      stop();
      if (reading.kind === 'wrong') return refuse(reading.why);
      const rest = held.subarray(reading.length);
      if (rest.length > 0) socket.unshift(rest);
      accept(socket, { ...peerFrom(peer, reading.source), place });
    };
    const onEnd = () => refuse('it broke off');
    const stop = () => {
      socket.off('readable', read);
      socket.off('end', onEnd);
    };
    socket.on('readable', read);
    socket.on('end', onEnd);
  };
}
