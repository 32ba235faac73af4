import type net from 'node:net';
import tls from 'node:tls';
import type { Logger } from '../../../log.ts';
import type { Host, Peer } from '../../service.ts';
import { isHash } from '../../wire/formats.ts';
import type { Accept } from '../proxy-layer.ts';
import { readServerCredentials, type TlsFiles } from './credentials.ts';

/** The certificate of a listener. */
export interface ListenerCertificate {
  /** As it was read last. */
  readonly file: string;
  /** When it expires. */
  readonly expires: Date;
  /**
   * Reads files, those from before or others, for clients that connect from now on; those that are connected stay.
   * Whether clients need a certificate does not change.
   * @returns puts them in force; null when they are the same
   * @throws ConfigError with what is wrong with them
   */
  prepare(files: TlsFiles): (() => void) | null;
}

/** The TLS of a listener. */
export interface TlsLayer {
  readonly certificate: ListenerCertificate;
  /**
   * Shakes hands with clients on whose sockets nothing was read, or what was read was put back, and passes them on: the stream
   * inside, and who it is. A client that does not get that far is closed.
   */
  secure(next: Accept): Accept;
}

/**
 * A layer of a listener, which counts its clients as ones in their handshake.
 * @throws ConfigError when a file cannot be used; the message names it
 */
export function createTlsLayer(files: TlsFiles, host: Host, log: Logger): TlsLayer {
  let current = { ...readServerCredentials(files), file: files.certFile };
  const requestCert = files.clientCaFile !== null;

  const shakeHands = (socket: net.Socket, peer: Peer, next: Accept) => {
    const secured = new tls.TLSSocket(socket, {
      isServer: true,
      secureContext: current.context,
      requestCert,
      rejectUnauthorized: requestCert,
    });
    const failed = (reason: string) => host.refuse(secured, peer, 'TLS handshake failed', { reason });
    const onError = (error: Error) => failed(reasonIn(error));
    secured.once('error', onError);
    secured.once('secure', () => {
      secured.off('error', onError);
      const distrust = requestCert ? distrustOf(secured) : null;
      if (distrust !== null) failed(`the certificate of the client is not trusted: ${distrust}`);
      else next(secured, requestCert ? withUser(peer, secured, log) : peer);
    });
  };

  return {
    certificate: {
      get file() {
        return current.file;
      },
      get expires() {
        return current.expires;
      },
      prepare(now) {
        const read = { ...readServerCredentials(now), file: now.certFile };
        if (read.digest === current.digest && read.file === current.file) return null;
        return () => {
          current = read;
        };
      },
    },
    secure: (next) => (socket, connected) => {
      const place = host.arrive(socket, connected, () => host.refuse(socket, connected, 'TLS handshake too slow'));
      if (!place) return;
      const peer = { ...connected, place };
      // Nothing is spent on a client that says nothing, and never on many in a row: a handshake takes a millisecond.
      socket.once('readable', async () => {
        await host.turns.next();
        if (socket.destroyed) return;
        if (socket.readableLength > 0) shakeHands(socket, peer, next);
        else socket.destroy();
      });
    },
  };
}

/**
 * Why the client's certificate is not trusted; null if it is. tls.Server asks its own sockets the same; the function has
 * no place in the documentation, so whatever is not its "no fault" is distrust.
 */
function distrustOf(socket: tls.TLSSocket): string | null {
  const { ssl } = socket as unknown as { ssl?: { verifyError?: () => Error | null } };
  const fault = ssl?.verifyError ? ssl.verifyError() : new Error('it cannot be verified');
  return fault === null ? null : (fault?.message ?? 'it cannot be verified');
}

/** The peer as the user that its certificate names. */
function withUser(peer: Peer, socket: tls.TLSSocket, log: Logger): Peer {
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  if (typeof name === 'string' && isHash(name)) return { ...peer, user: name };
  log.warn('a client certificate names no user (CN): anonymous rights', { peer: peer.name });
  return peer;
}

/** OpenSSL says why in a field; its message is for its own developers. */
function reasonIn(error: Error & { reason?: string; code?: string }): string {
  if (error.code === 'ERR_SSL_WRONG_VERSION_NUMBER' || error.code === 'ERR_SSL_HTTP_REQUEST') return 'it is not TLS';
  return error.reason ?? error.code ?? error.message;
}
