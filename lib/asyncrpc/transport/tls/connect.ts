import net from 'node:net';
import tls from 'node:tls';
import type { Address } from '../address.ts';
import { clientTls, type TlsTrust } from './trust.ts';

/**
 * A socket that connects to a tls:// address and then shakes hands there.
 * @throws ConfigError, AddressError naming a file of a certificate that cannot be used
 */
export function connectTls(address: Address & { kind: 'tls' }, trust: TlsTrust): tls.TLSSocket {
  const host = address.host || '127.0.0.1';
  const socket = tls.connect({
    host,
    port: address.port,
    // RFC 6066 knows no addresses there. The certificate is compared with the host in either case.
    ...(net.isIP(host) === 0 && { servername: host }),
    ...clientTls(trust),
  });
  socket.setNoDelay(true);
  socket.setKeepAlive(true);
  return socket;
}
